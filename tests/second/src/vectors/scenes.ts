// scenes.json: short exchanges, each from genesis, told input by input, with variants of some inputs; some states are made by hand.
import { concat, toHex, writeUint } from "../codec/bytes.js";
import { keccak } from "../hash/keccak.js";
import { type Header, headerInputs } from "../batch/header.js";
import { type Batch, copyOf, genesis, hashOfMachine, type Machine, type Position, runInput } from "../machine/state.js";
import type { Touched } from "../machine/step.js";
import { reasonName } from "../reasons.js";
import { type Registers, registersHash } from "../state/registers.js";
import { get, set } from "../state/tree.js";
import {
  bytes, hashes, integer, integers, type Json, type JsonObject, list, object, small, text, toJson,
} from "./json.js";
import { check, differs, newReport, type Report } from "./report.js";
import { leavesOf } from "./runs.js";

const KEY_BYTES = 5;

/** The header says no more than a machine reads of it. */
function makeBatch(number: bigint, timestamp: bigint, messages: Uint8Array[], records: Uint8Array[]): Batch {
  const header: Header = {
    parent: 0n, number, timestamp, first_message: 0n,
    message_count: BigInt(messages.length), first_record: 0n, record_count: BigInt(records.length), module: 0n,
    data_root: 0n, queue_hash: 0n,
  };
  return { header, messages, records };
}

const readBatch = (c: JsonObject): Batch =>
  makeBatch(integer(c["number"]), integer(c["timestamp"]), hashes(c["messages"]), hashes(c["records"]));

/** The batch of a scene with a variant's time and, if it has one, its input. */
function varyBatch({ header, messages, records }: Batch, c: JsonObject): Batch {
  const body = bytes(c["body"]);
  const inputs = [...messages, ...records];
  if (body.length > 0) inputs[small(c["input"])] = body;
  const count = messages.length;
  return makeBatch(header.number, integer(c["timestamp"]), inputs.slice(0, count), inputs.slice(count));
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
  for (const entry of list(c["bytes"])) {
    const [key, first, part] = list(entry);
    const value = Uint8Array.from(get(machine.tree, small(key)));
    value.set(bytes(part), small(first));
    machine.tree = set(machine.tree, small(key), value);
  }
}

/** The trace after one more step: the registers, and the leaves of the step in order with the values it leaves. */
function extendTrace(trace: Uint8Array, registers: Registers, touched: readonly Touched[]): Uint8Array {
  const parts = touched.map(({ key, after }) => {
    const encoded = new Uint8Array(KEY_BYTES);
    writeUint(encoded, 0, KEY_BYTES, BigInt(key));
    return concat(encoded, keccak(after));
  });
  return keccak(concat(trace, registersHash(registers), ...parts));
}

interface Answer {
  readonly outcome: Json;
  readonly steps: Json;
  readonly trace: Json;
  readonly hash: Json;
}

/** Runs an input, with what is changed by hand on the way, and says what comes of it. */
function answerInput(machine: Machine, batch: Batch, index: number, changes: readonly JsonObject[]): Answer {
  let trace: Uint8Array = new Uint8Array(32);
  const hasInputs = headerInputs(batch.header) > 0n;
  runInput(machine, batch, index, {
    before({ micro }: Position) {
      for (const made of changes) {
        if (small(made["input"]) === index && small(made["micro"]) === micro) change(machine, made);
      }
    },
    after(_position, leaves) {
      if (hasInputs) trace = extendTrace(trace, machine.registers, leaves); // a batch begins without a step of an input
    },
  });
  const { registers } = machine;
  return {
    outcome: reasonName(registers.outcome), steps: toJson(registers.steps), trace: toHex(trace),
    hash: toHex(hashOfMachine(machine)),
  };
}

/** What is wrong first in a batch and in the variants of its inputs. */
function checkBatch(machine: Machine, c: JsonObject, variants: readonly JsonObject[]): string | null {
  const batch = readBatch(c);
  const changes = list(c["changes"]).map(object);
  for (let index = 0; index < Math.max(1, Number(headerInputs(batch.header))); index++) {
    for (const variant of variants) {
      if (small(variant["input"]) !== index) continue;
      const made = list(variant["changes"]).map(object);
      const got = answerInput(copyOf(machine), varyBatch(batch, variant), index, made);
      const wrong = firstWrong(got, (name) => variant[name]);
      if (wrong !== null) return `a variant of input ${index} (${variants.indexOf(variant)}): ${wrong}`;
    }
    const got = answerInput(machine, batch, index, changes);
    const wrong = firstWrong(got, (name) => list(c[PLURALS[name]])[index]);
    if (wrong !== null) return `input ${index}: ${wrong}`;
  }
  return null;
}

const PLURALS = { outcome: "outcomes", steps: "steps", trace: "traces", hash: "hashes" } as const;

function firstWrong(got: Answer, want: (name: keyof Answer) => Json | undefined): string | null {
  const names = ["outcome", "steps", "trace", "hash"] as const;
  return differs(Object.fromEntries(names.map((name) => [name, [got[name], want(name)]])));
}

function runScene(domain: bigint, scene: JsonObject): string | null {
  const machine = genesis(domain, 0n);
  const variants = list(scene["variants"]).map(object);
  for (const entry of list(scene["batches"])) {
    const c = object(entry);
    const own = variants.filter((variant) => integer(variant["batch"]) === integer(c["number"]));
    const wrong = checkBatch(machine, c, own);
    if (wrong !== null) return `batch ${integer(c["number"])}: ${wrong}`;
  }
  const leaves = list(scene["leaves"]);
  return leaves.length > 0 ? differs({ leaves: [leavesOf(machine.tree), leaves] }) : null;
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
