// One step of an epoch by the second verifier, in words: what was asked for, which rule ran, what it changed.
import { readUint, toHex } from "../second/codec/bytes.js";
import { FORCED, FORCED_BODY_AT, MESSAGES } from "../second/codec/messages.js";
import { BODIES } from "../second/codec/records.js";
import { phaseName } from "../second/machine/phases.js";
import {
  type Batch,
  copyOf,
  hashOfMachine,
  runBatch,
  runInput,
  runStep,
  splitPosition,
} from "../second/machine/state.js";
import { accountOfHandle, KIND, slotOfHandle } from "../second/state/keys.js";
import * as leaves from "../second/state/leaves.js";
import { nameKind } from "../settlement/kinds";
import type { JudgedStep } from "../watch/types";
import type { Epoch } from "./replay";

const BODY = 2 ** 36;
const SIDES = ["buy", "sell", "above", "below"];
const LONG = 2n ** 64n;

/** The step at a position of an epoch; undefined where nothing is run there. */
export function showStep({ start, batches }: Epoch, position: number): Omit<JudgedStep, "leaves_said"> | undefined {
  const at = splitPosition(position);
  const batch = batches[at.batch];
  if (!batch || at.index >= batch.messages.length + batch.records.length) return undefined;
  const machine = copyOf(start);
  for (const earlier of batches.slice(0, at.batch)) runBatch(machine, earlier);
  for (let index = 0; index < at.index; index++) runInput(machine, batch, index);
  for (let micro = 0; micro < at.micro; micro++) runStep(machine, batch, { ...at, micro });
  const before = toHex(hashOfMachine(machine));
  const rule = at.micro === 0 ? "fetch" : phaseName(machine.registers.phase);
  const touched = runStep(machine, batch, at);
  const isMessage = at.index < batch.messages.length;
  return {
    batch: Number(batch.header.number),
    input: at.index,
    record: isMessage ? null : Number(batch.header.first_record) + at.index - batch.messages.length,
    asked: tellInput(batch, at.index),
    step: at.micro,
    rule,
    before,
    after: toHex(hashOfMachine(machine)),
    position,
    leaves: touched.map((leaf) => ({
      name: nameLeaf(leaf.key),
      before: toHex(leaf.before),
      after: toHex(leaf.after),
      changes: findChanges(leaf.key, leaf.before, leaf.after),
    })),
  };
}

/** An input in words. */
export function tellInput(batch: Batch, index: number): { kind: string; fields: Record<string, string> } {
  return tellBytes(batch.messages[index] ?? batch.records[index - batch.messages.length] ?? new Uint8Array(1));
}

/** A record or message in words: its kind, and its fields that are not zero. */
export function tellBytes(input: Uint8Array): { kind: string; fields: Record<string, string> } {
  const type = readUint(input, 0, 1);
  if (type === FORCED) {
    const inner = tellBytes(input.slice(FORCED_BODY_AT));
    return { kind: `forced ${inner.kind}`, fields: inner.fields };
  }
  const layout = BODIES.get(type) ?? MESSAGES.get(type);
  const fields: Record<string, string> = {};
  if (layout) for (const [name, value] of Object.entries(layout.read(input, 1))) add(fields, name, value);
  return { kind: nameKind(Number(type)), fields };
}

function nameLeaf(key: number): string {
  const kind = Math.floor(key / BODY);
  const body = BigInt(key % BODY);
  if (kind === KIND.ORDER) return `order ${accountOfHandle(body)} ${slotOfHandle(body)}`;
  if (kind === KIND.LEVEL) return `level ${body >> 26n} ${SIDES[Number((body >> 24n) & 3n)]} ${body & 0xffffffn}`;
  if (kind === KIND.AGENT) return `agent ${body >> 8n} ${body & 0xffn}`;
  if (kind === KIND.BITMAP) return `a word of the levels of market ${body >> 20n}`;
  if (kind === KIND.HOLDERS) return `a word of the holders of market ${body >> 18n}`;
  const name =
    Object.entries(KIND)
      .find(([, number]) => number === kind)?.[0]
      .toLowerCase() ?? `0x${key.toString(16)}`;
  return kind === KIND.SIGNERS || kind === KIND.TERMS ? name : `${name} ${body}`;
}

const CODECS: Readonly<Record<number, leaves.Codec<unknown>>> = {
  [KIND.ACCOUNT]: leaves.ACCOUNT,
  [KIND.ORDER]: leaves.ORDER,
  [KIND.LEVEL]: leaves.LEVEL,
  [KIND.BITMAP]: leaves.WORD,
  [KIND.HOLDERS]: leaves.WORD,
  [KIND.MARKET]: leaves.MARKET,
  [KIND.ORACLE]: leaves.ORACLE,
  [KIND.SIGNERS]: leaves.SIGNERS,
  [KIND.WITHDRAWAL]: leaves.WITHDRAWAL,
  [KIND.AGENT]: leaves.AGENT,
  [KIND.PARKED]: leaves.PARKED,
  [KIND.REQUEST]: leaves.REQUEST,
  [KIND.TERMS]: leaves.TERMS,
  [KIND.ACTIVITY]: leaves.ACTIVITY,
};

/** What a step changed in a leaf, a line a field. */
function findChanges(key: number, before: Uint8Array, after: Uint8Array): string[] {
  const codec = CODECS[Math.floor(key / BODY)];
  if (!codec) return [];
  const [old, now] = [flatten(codec.decode(before)), flatten(codec.decode(after))];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .filter((name) => old[name] !== now[name])
    .map((name) => `${name}: ${old[name] ?? 0} → ${now[name] ?? 0}`);
}

function flatten(value: unknown, name = ""): Record<string, string> {
  const found: Record<string, string> = {};
  if (typeof value === "bigint") add(found, name, value);
  else if (value instanceof Uint8Array) {
    if (value.some((byte) => byte)) found[name] = toHex(value);
  } else if (typeof value === "object" && value !== null) {
    for (const [part, each] of Object.entries(value))
      Object.assign(found, flatten(each, name ? `${name}.${part}` : part));
  }
  return found;
}

/** A number that is not zero; a long one, which is bits or an address mostly, in hex. */
function add(to: Record<string, string>, name: string, value: bigint): void {
  if (value) to[name] = value >= LONG ? `0x${value.toString(16)}` : String(value);
}
