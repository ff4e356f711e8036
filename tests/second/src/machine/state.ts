// A whole machine: the tree of leaves and the registers; and what it does with posted batches (section 7).
import { readUint } from "../codec/bytes.js";
import { type Header, headerInputs } from "../batch/header.js";
import { get, pathOf, type Path, rootOf, set, type Tree, EMPTY_TREE } from "../state/tree.js";
import { genesisRegisters, machineHash, type Registers } from "../state/registers.js";
import type { Input } from "./fetch.js";
import { stepAtInput, stepInside } from "./machine.js";
import { IDLE } from "./phases.js";
import { Leaves, type Touched } from "./step.js";

export interface Batch {
  readonly header: Header;
  /** 124 bytes ‖ stamp (8 bytes). */
  readonly messages: readonly Uint8Array[];
  readonly records: readonly Uint8Array[];
}

export interface Machine {
  tree: Tree;
  readonly registers: Registers;
}

export const genesis = (domain: bigint, backstopDelay: bigint): Machine => ({
  tree: EMPTY_TREE,
  registers: genesisRegisters(domain, backstopDelay),
});

export const copyOf = (machine: Machine): Machine => ({ tree: machine.tree, registers: { ...machine.registers } });

export const hashOfMachine = (machine: Machine): Uint8Array => machineHash(rootOf(machine.tree), machine.registers);

// ── Positions (section 7): batch << 30 | input index << 20 | micro ──

const MICRO = 2 ** 20;
export const BATCH = 2 ** 30;

export interface Position {
  readonly batch: number;
  readonly index: number;
  readonly micro: number;
}

export function splitPosition(position: number): Position {
  return {
    batch: Math.floor(position / BATCH),
    index: Math.floor(position / MICRO) % 1024,
    micro: position % MICRO,
  };
}

export const joinPosition = ({ batch, index, micro }: Position): number => batch * BATCH + index * MICRO + micro;

/** The input at an index of a batch: first its messages, then its records; null where the index is unused. */
export function inputAt(batch: Batch, index: number): Input | null {
  if (BigInt(index) >= headerInputs(batch.header)) return null;
  const message = batch.messages[index];
  if (message !== undefined) return { bytes: message.subarray(0, 124), stamp: readUint(message, 124, 8) };
  const record = batch.records[index - batch.messages.length];
  return record === undefined ? null : { bytes: record, stamp: null };
}

/** Runs the step at a position; gives back the leaves it touched, in order. The machine is changed in place. */
export function runStep(machine: Machine, batch: Batch | null, { index, micro }: Position): Touched[] {
  if (batch === null) return []; // not part of the epoch: nothing happens
  const before = machine.tree;
  const leaves = new Leaves({ read: (key) => get(before, key) });
  const step = { r: machine.registers, leaves };
  if (micro === 0) {
    const { number, timestamp } = batch.header;
    stepAtInput(step, BigInt(index), { number, timestamp, input: inputAt(batch, index) });
  } else {
    stepInside(step);
  }
  const touched = leaves.close();
  for (const { key, before: old, after } of touched) {
    if (old !== after) machine.tree = set(machine.tree, key, after);
  }
  return touched;
}

export interface WitnessLeaf {
  readonly key: number;
  readonly value: Uint8Array;
  readonly path: Path;
}

/** The witness of a step that touched these leaves, from the tree before it: each path against the running root. */
export function witnessOf(before: Tree, touched: readonly Touched[]): WitnessLeaf[] {
  let running = before;
  return touched.map(({ key, before: value, after }) => {
    const path = pathOf(running, key);
    running = set(running, key, after);
    return { key, value, path };
  });
}

/** What is done around the steps of a batch. */
interface Around {
  /** Before each real step. */
  before?(position: Position): void;
  /** After each, with the leaves that it touched. */
  after?(position: Position, touched: readonly Touched[]): void;
}

/** Runs every real step of an input of a batch, or of its beginning where it has none. */
export function runInput(machine: Machine, batch: Batch, index: number, { before, after }: Around = {}): void {
  const at = Number(batch.header.number);
  for (let micro = 0; micro === 0 || machine.registers.phase !== IDLE; micro++) {
    if (micro >= MICRO) throw new Error("every input ends idle before its 2^20 micro-steps are over (section 9)");
    const position = { batch: at, index, micro };
    before?.(position);
    const touched = runStep(machine, batch, position); // not inside of the call, which is left out where there is no `after`
    after?.(position, touched);
  }
}

/** Runs every real step of a batch. */
export function runBatch(machine: Machine, batch: Batch, around: Around = {}): void {
  const inputs = Number(headerInputs(batch.header));
  for (let index = 0; index < Math.max(1, inputs); index++) runInput(machine, batch, index, around);
}
