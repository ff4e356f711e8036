// node dist/cli/selfcheck.js FOLDER: every real step of runs.json, made from the whole tree, is encoded as a one-step
// proof, decoded, and judged from its witness alone: both ways must come to the same machine hash.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { proveRecord } from "../batch/data-root.js";
import { nextQueueHash } from "../batch/header.js";
import { equal } from "../codec/bytes.js";
import { decodeProof, encodeProof } from "../dispute/abi.js";
import { judge } from "../dispute/judge.js";
import {
  type Batch, copyOf, genesis, hashOfMachine, joinPosition, type Position, runBatch, runStep, witnessOf,
} from "../machine/state.js";
import { rootOf } from "../state/tree.js";
import { integer, type Json, list, object } from "../vectors/json.js";
import { readBatch } from "../vectors/runs.js";

const runs = object(JSON.parse(readFileSync(join(process.argv[2] ?? ".", "runs.json"), "utf8")) as Json);
const batches = list(runs["batches"]).map(readBatch);
const queue: Uint8Array[] = [new Uint8Array(32)];
for (const batch of batches) {
  for (const message of batch.messages) queue.push(nextQueueHash(queue.at(-1) ?? new Uint8Array(32), message));
}
const queueHash = (count: bigint): Uint8Array => queue[Number(count)] ?? new Uint8Array(32);

function inputOf(batch: Batch, { index, micro }: Position) {
  const message = micro === 0 ? batch.messages[index] : undefined;
  const record = index - batch.messages.length;
  const isRecord = micro === 0 && record >= 0 && record < batch.records.length;
  const none = { recordPage: new Uint8Array(0), siblings: [] };
  return {
    header: batch.header,
    message: message ?? new Uint8Array(0),
    queueHash: message === undefined ? new Uint8Array(32) : queueHash(batch.header.first_message + BigInt(index)),
    ...(isRecord ? proveRecord(batch.records, record) : none),
  };
}

const machine = genesis(integer(object(runs["domain"])["separator"]), 0n);
let judged = 0;
let wrong = 0;
let largest = 0;
for (const batch of batches) {
  const walked = copyOf(machine);
  let before = copyOf(machine);
  runBatch(machine, batch, {
    after({ index, micro }) {
      const at = { batch: 0, index, micro };
      const witness = witnessOf(before.tree, runStep(walked, batch, at));
      const proof = encodeProof({
        stateRoot: rootOf(before.tree), registers: before.registers, input: inputOf(batch, at), witness,
      });
      const claimed = {
        firstBatch: batch.header.number, batchCount: 1, position: joinPosition(at), pre: hashOfMachine(before),
      };
      const { post } = judge(claimed, decodeProof(proof), { queueHash });
      if (!equal(post, hashOfMachine(walked))) wrong++;
      judged++;
      largest = Math.max(largest, proof.length);
      before = copyOf(walked);
    },
  });
}
console.log(`${judged} steps judged from their witness, ${wrong} wrong; the largest proof has ${largest} bytes`);
if (wrong > 0) process.exit(1);
