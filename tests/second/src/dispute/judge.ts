// One-step proofs (section 12): the machine hash after one step, from a witness alone, as the judge on L1 has it.
import { checkBlobRecord } from "../batch/blob.js";
import { checkRecord } from "../batch/data-root.js";
import { batchHash, type Header, headerInputs, nextQueueHash } from "../batch/header.js";
import { equal, readUint, word } from "../codec/bytes.js";
import { Revert } from "../errors.js";
import type { Input } from "../machine/fetch.js";
import { stepAtInput, stepInside } from "../machine/machine.js";
import { splitPosition, type WitnessLeaf } from "../machine/state.js";
import { Leaves, type Touched } from "../machine/step.js";
import { leafSize } from "../state/leaves.js";
import { machineHash, type Registers } from "../state/registers.js";
import { fold } from "../state/tree.js";
import type { Proof, ProofInput } from "./abi.js";

/** What L1 holds. Where a function is not given, what it would say is believed. */
export interface Chain {
  batchHash?(number: bigint): Uint8Array;
  queueHash?(count: bigint): Uint8Array;
}

interface Claimed {
  readonly firstBatch: bigint;
  readonly batchCount: number;
  readonly position: number;
  readonly pre: Uint8Array;
}

export interface Verdict {
  readonly post: Uint8Array;
  readonly stateRoot: Uint8Array;
  readonly registers: Registers;
  readonly touched: readonly Touched[];
}

export function judge(claimed: Claimed, proof: Proof, chain: Chain = {}): Verdict {
  if (!equal(machineHash(proof.stateRoot, proof.registers), claimed.pre)) throw new Revert("wrong_pre");
  return execute(claimed, proof, chain);
}

/** The same without the check of `pre`. */
export function execute({ firstBatch, batchCount, position }: Claimed, proof: Proof, chain: Chain): Verdict {
  const registers = { ...proof.registers };
  const { batch, index, micro } = splitPosition(position);
  let next = 0;
  const leaves = new Leaves({
    read(key) {
      const leaf = proof.witness[next++];
      if (leaf === undefined) throw new Revert("witness_leaves");
      if (leaf.key !== key) throw new Revert("witness_key", `${leaf.key} instead of ${key}`);
      if (leaf.value.length !== 0 && leaf.value.length !== leafSize(key)) throw new Revert("witness_value");
      return leaf.value;
    },
  });
  if (batch < batchCount) {
    const step = { r: registers, leaves };
    if (micro === 0) {
      const { header } = proof.input;
      checkHeader(header, firstBatch + BigInt(batch), chain);
      const { number, timestamp } = header;
      stepAtInput(step, BigInt(index), { number, timestamp, input: readInput(proof.input, index, chain) });
    } else {
      stepInside(step);
    }
  }
  if (next !== proof.witness.length) throw new Revert("witness_leaves", `${proof.witness.length}, not ${next}`);
  const touched = leaves.close();
  const stateRoot = foldWitness(proof.stateRoot, proof.witness, touched);
  return { post: machineHash(stateRoot, registers), stateRoot, registers, touched };
}

function checkHeader(header: Header, number: bigint, chain: Chain): void {
  if (header.number !== number) throw new Revert("wrong_input");
  const posted = chain.batchHash?.(number);
  if (posted !== undefined && !equal(batchHash(header), posted)) throw new Revert("wrong_input");
}

/** The input at an index, shown to be the committed one. */
function readInput(input: ProofInput, index: number, chain: Chain): Input | null {
  const { header } = input;
  const at = BigInt(index);
  if (at >= headerInputs(header)) return null;
  if (at < header.message_count) {
    if (input.message.length !== 132) throw new Revert("wrong_input");
    const hash = nextQueueHash(input.queueHash, input.message);
    const count = header.first_message + at + 1n;
    const committed = at + 1n === header.message_count ? word(header.queue_hash) : chain.queueHash?.(count);
    if (committed !== undefined && !equal(hash, committed)) throw new Revert("wrong_input");
    return { bytes: input.message.slice(0, 124), stamp: readUint(input.message, 124, 8) };
  }
  const record = Number(at - header.message_count);
  const root = word(header.data_root);
  const count = Number(header.record_count);
  const bytes =
    header.module === 0n
      ? checkRecord(root, count, record, input)
      : checkBlobRecord(root, count, record, input.recordPage);
  if (bytes === null) throw new Revert("wrong_input");
  return { bytes, stamp: null };
}

/** Each path against the running root, folded in again with the new value. */
function foldWitness(root: Uint8Array, witness: readonly WitnessLeaf[], touched: readonly Touched[]): Uint8Array {
  let running = root;
  witness.forEach(({ key, value, path }, i) => {
    const old = fold(key, value, path);
    if (old === null || !equal(old, running)) throw new Revert("witness_path");
    const after = touched[i]?.after ?? value;
    if (after === value) return;
    const fresh = fold(key, after, path);
    if (fresh === null) throw new Revert("witness_path");
    running = fresh;
  });
  return running;
}
