// scenes.json: short exchanges, each from genesis, told input by input; some begin in states that are made by hand.
import { concat, toHex, writeUint } from "../codec/bytes.js";
import { keccak } from "../hash/keccak.js";
import { type Header, headerInputs } from "../batch/header.js";
import { type Batch, genesis, hashOfMachine, type Machine, type Position, runBatch } from "../machine/state.js";
import type { Touched } from "../machine/step.js";
import { reasonName } from "../reasons.js";
import { set } from "../state/tree.js";
import {
  bytes, hashes, integer, integers, type Json, type JsonObject, list, object, small, text, toJson,
} from "./json.js";
import { check, differs, newReport, type Report } from "./report.js";
import { leavesOf } from "./runs.js";

const KEY_BYTES = 5;

/** The header says no more than a machine reads of it. */
function readBatch(c: JsonObject): Batch {
  const messages = hashes(c["messages"]);
  const records = hashes(c["records"]);
  const header: Header = {
    parent: 0n, number: integer(c["number"]), timestamp: integer(c["timestamp"]), first_message: 0n,
    message_count: BigInt(messages.length), first_record: 0n, record_count: BigInt(records.length), module: 0n,
    data_root: 0n, queue_hash: 0n,
  };
  return { header, messages, records };
}

/** Registers and leaves are given values by hand. */
function change(machine: Machine, c: JsonObject): void {
  const registers = integers(object(c["registers"]));
  for (const name of Object.keys(registers)) if (!(name in machine.registers)) throw new Error(`no register ${name}`);
  Object.assign(machine.registers, registers);
  for (const entry of list(c["leaves"])) {
    const [key, value] = list(entry);
    machine.tree = set(machine.tree, small(key), bytes(value));
  }
}

/** The leaves of a step: their number, and their keys in order. */
function encodeTouched(touched: readonly Touched[]): Uint8Array {
  const encoded = new Uint8Array(1 + KEY_BYTES * touched.length);
  encoded[0] = touched.length;
  touched.forEach(({ key }, i) => writeUint(encoded, 1 + KEY_BYTES * i, KEY_BYTES, BigInt(key)));
  return encoded;
}

/** Runs a batch of a scene and says what scenes.json says of it; an entry an input, or one if there is none. */
function answerBatch(machine: Machine, c: JsonObject): Record<string, readonly Json[]> {
  const batch = readBatch(c);
  const changes = list(c["changes"]).map(object);
  const outcomes: string[] = [];
  const steps: Json[] = [];
  const touched: string[] = [];
  const after: string[] = [];
  const hasInputs = headerInputs(batch.header) > 0n;
  let used: Uint8Array[] = [];
  const { registers } = machine;
  const close = (): void => {
    outcomes.push(reasonName(registers.outcome));
    steps.push(toJson(registers.steps));
    touched.push(toHex(keccak(concat(...used))));
    after.push(toHex(hashOfMachine(machine)));
    used = [];
  };
  runBatch(machine, batch, {
    before({ index, micro }: Position) {
      if (micro === 0 && index > 0) close();
      for (const made of changes) {
        if (small(made["input"]) === index && small(made["micro"]) === micro) change(machine, made);
      }
    },
    after(_position, leaves) {
      if (hasInputs) used.push(encodeTouched(leaves)); // a batch begins without one: no input, no step of it
    },
  });
  close();
  return { outcomes, steps, touched, hashes: after };
}

/** What is wrong first, by input. */
function firstWrong(answer: Record<string, readonly Json[]>, c: JsonObject): string | null {
  const told = Object.entries(answer).map(([name, got]) => ({ name, got, want: list(c[name]) }));
  const entries = Math.max(...told.map(({ got, want }) => Math.max(got.length, want.length)));
  for (let i = 0; i < entries; i++) {
    const wrong = differs(Object.fromEntries(told.map(({ name, got, want }) => [name, [got[i], want[i]]])));
    if (wrong !== null) return `input ${i}: ${wrong}`;
  }
  return null;
}

function runScene(domain: bigint, scene: JsonObject): string | null {
  const machine = genesis(domain, 0n);
  for (const entry of list(scene["batches"])) {
    const c = object(entry);
    const wrong = firstWrong(answerBatch(machine, c), c);
    if (wrong !== null) return `batch ${integer(c["number"])}: ${wrong}`;
  }
  return differs({ leaves: [leavesOf(machine.tree), scene["leaves"]] });
}

export function runScenes(file: JsonObject): Report {
  const report = newReport();
  const domain = integer(file["domain"]);
  for (const entry of list(file["scenes"])) {
    const scene = object(entry);
    check(report, "scenes", text(scene["name"]), () => runScene(domain, scene));
  }
  return report;
}
