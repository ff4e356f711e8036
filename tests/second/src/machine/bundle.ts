// Witness bundles (section 26): what the steps of one batch take from the state, with which they are taken again.
import { readUint, toHex } from "../codec/bytes.js";
import { BATCH_STEP_CAP, KEY_BITS } from "../constants.js";
import { Revert } from "../errors.js";
import { keccak, node as pair } from "../hash/keccak.js";
import { reasonName } from "../reasons.js";
import { headerInputs } from "../batch/header.js";
import { machineHash, REGISTERS, type Registers, zeroRegisters } from "../state/registers.js";
import { emptyHash } from "../state/tree.js";
import { stepAtInput, stepInside } from "./machine.js";
import { IDLE } from "./phases.js";
import { type Batch, inputAt } from "./state.js";
import { Leaves } from "./step.js";

/** The bytes in a zlib stream (RFC 1950), null where it is none, or something is behind it. */
export type Inflate = (stream: Uint8Array) => Uint8Array | null;

export interface Bundle {
  readonly registers: Registers;
  /** Values by key, ascending; empty ones of absent leaves. */
  readonly leaves: Map<number, Uint8Array>;
  /** Digests by heap number, ascending. */
  readonly hashes: ReadonlyMap<number, Uint8Array>;
}

const LEAVES = 2 ** KEY_BITS;
/** 9.19 and 9.20. */
const INPUT_STEPS = 2 ** 20;
const BATCH_STEPS = Number(BATCH_STEP_CAP) + 1024;

const bad = (what: string): Revert => new Revert("bad_witness", what);

/** *Bytes*. */
export function readBundle(stream: Uint8Array, inflate: Inflate): Bundle {
  const data = inflate(stream);
  if (data === null) throw bad("it is no zlib stream, or something is behind it");
  let at = 0;
  const take = (length: number): number => {
    if (at + length > data.length) throw bad("it is cut short");
    at += length;
    return at - length;
  };
  const number = (length: number): number => Number(readUint(data, take(length), length));
  const registers = zeroRegisters();
  for (const name of REGISTERS) registers[name] = readUint(data, take(32), 32);
  const leafCount = number(4);
  const hashCount = number(4);
  const leaves = new Map<number, Uint8Array>();
  let last = -1;
  for (let i = 0; i < leafCount; i++) {
    const key = number(8);
    if (key <= last || key >= LEAVES) throw bad("its leaves are not ascending keys");
    last = key;
    const length = number(2);
    const start = take(length);
    leaves.set(key, data.slice(start, start + length));
  }
  const hashes = new Map<number, Uint8Array>();
  last = 0;
  for (let i = 0; i < hashCount; i++) {
    const name = number(8);
    if (name <= last || name >= 2 * LEAVES) throw bad("its hashes are not of ascending nodes");
    last = name;
    const start = take(32);
    hashes.set(name, data.slice(start, start + 32));
  }
  if (at !== data.length) throw bad("something is behind its hashes");
  return { registers, leaves, hashes };
}

/** The root to which leaves and hashes lead. Those hashes are met that stand where no leaf is below: they are all that
 * a bundle may have, and of an empty subtree it has none. */
function rootOf({ leaves, hashes }: Bundle): Uint8Array {
  const keys = [...leaves.keys()];
  let met = 0;
  const below = (name: number, height: number, from: number, to: number): Uint8Array => {
    if (from === to) {
      const given = hashes.get(name);
      if (given === undefined) return emptyHash(height);
      met++;
      if (keys.length > 0 && toHex(given) === toHex(emptyHash(height))) throw bad("it has the hash of an empty subtree");
      return given;
    }
    if (height === 0) return keccak(leaves.get(keys[from]!)!);
    const right = (2 * name + 1) * 2 ** (height - 1) - LEAVES; // the first key there
    let middle = from;
    while (middle < to && keys[middle]! < right) middle++;
    return pair(below(2 * name, height - 1, from, middle), below(2 * name + 1, height - 1, middle, to));
  };
  const root = below(1, KEY_BITS, 0, keys.length);
  if (met !== hashes.size) throw bad("it has the hash of a node that is not next to a path");
  if (keys.length === 0 && hashes.size !== 1) throw bad("it has neither leaves nor the root");
  return root;
}

/** *Check*: the machine hash after the batch, and the outcome of each input. */
export function runBundle(bundle: Bundle, batch: Batch, before: Uint8Array): { end: Uint8Array; outcomes: string[] } {
  const { registers: r, leaves } = bundle;
  const found = machineHash(rootOf(bundle), r);
  if (toHex(found) !== toHex(before)) throw bad(`it is of the machine ${toHex(found)}`);
  const read = (key: number): Uint8Array => {
    const value = leaves.get(key);
    if (value === undefined) throw bad(`it keeps leaf ${key} back`);
    return value;
  };
  const { number, timestamp } = batch.header;
  const inputs = Number(headerInputs(batch.header));
  const outcomes: string[] = [];
  let steps = 0;
  for (let index = 0; index < Math.max(1, inputs); index++) {
    for (let micro = 0; micro === 0 || r.phase !== IDLE; micro++) {
      if (micro >= INPUT_STEPS || ++steps > BATCH_STEPS) throw bad("a batch or an input of it does not end");
      const step = { r, leaves: new Leaves({ read }) };
      if (micro === 0) stepAtInput(step, BigInt(index), { number, timestamp, input: inputAt(batch, index) });
      else stepInside(step);
      for (const { key, after } of step.leaves.close()) leaves.set(key, after);
    }
    if (inputs > 0) outcomes.push(reasonName(r.outcome));
  }
  return { end: machineHash(rootOf(bundle), r), outcomes };
}
