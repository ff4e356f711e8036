// refused.json: proofs, moves and joins with one thing wrong, and the reason for which L1 reverts; and batches whose
// inputs, or whose data, are not those of their header.
import type { Setup } from "../batch/commitment.js";
import { dataRoot } from "../batch/data-root.js";
import { nextQueueHash } from "../batch/header.js";
import { readRecords } from "../batch/read.js";
import { equal, toHex } from "../codec/bytes.js";
import { decodeProof } from "../dispute/abi.js";
import { applyMove } from "../dispute/game.js";
import { rootOfJoin } from "../dispute/history.js";
import { type Chain, judge } from "../dispute/judge.js";
import { Revert } from "../errors.js";
import { readData, readHeader } from "./batches.js";
import { bytes, hashes, integer, type JsonObject, list, object, small, text } from "./json.js";
import { check, differs, newReport, type Report } from "./report.js";
import { readBatch } from "./runs.js";

/** What is wrong unless it reverts for its reason. */
export function refuses(c: JsonObject, run: () => void): string | null {
  try {
    run();
  } catch (error) {
    if (error instanceof Revert) return differs({ reason: [error.reason, c["reason"]] });
    throw error;
  }
  return "it was taken";
}

function join(c: JsonObject): void {
  const end = bytes(c["end"]);
  if (equal(end, new Uint8Array(32))) throw new Revert("zero_hash");
  if (rootOfJoin(hashes(c["children"]), end, hashes(c["path"])) === null) throw new Revert("history_end");
}

/** Whether the inputs of a batch of module 0 are those of its header (section 10). */
function batch(c: JsonObject): void {
  const { header, messages, records } = readBatch(c);
  let queue = bytes(c["queue_hash"]);
  for (const message of messages) queue = nextQueueHash(queue, message);
  const fits =
    header.module === 0n && messages.length === Number(header.message_count) &&
    records.length === Number(header.record_count) && messages.every((message) => message.length === 132) &&
    records.every((record) => record.length === 124) && BigInt(toHex(queue)) === header.queue_hash &&
    BigInt(toHex(dataRoot(records))) === header.data_root;
  if (!fits) throw new Revert("data_mismatch");
}

/** Whether the data of a batch without messages, and the records kept beside it, are those of its header. */
function data(c: JsonObject, setup: Setup): void {
  const header = readHeader(c["header"]);
  const records = readRecords(header, readData(c), setup);
  const kept = hashes(c["records"]);
  const fits =
    header.message_count === 0n && header.queue_hash === 0n && records !== null && records.length === kept.length &&
    records.every((record, i) => equal(record, kept[i] ?? new Uint8Array(0)));
  if (!fits) throw new Revert("data_mismatch");
}

export function runRefused(file: JsonObject, chain: Chain, setup: Setup): Report {
  const report = newReport();
  const batchCount = small(file["batch_count"]);
  const each = (part: string, run: (c: JsonObject) => void): void => {
    for (const c of list(file[part]).map(object)) check(report, part, text(c["name"]), () => refuses(c, () => run(c)));
  };
  each("proofs", (c) => {
    const claimed = { firstBatch: integer(c["first_batch"]), batchCount, position: small(c["position"]), pre: bytes(c["pre"]) };
    judge(claimed, decodeProof(bytes(c["proof"])), chain);
  });
  each("moves", (c) => {
    const match = { mover: bytes(c["mover"]), opponent: bytes(c["opponent"]), level: small(c["level"]), prefix: 0 };
    applyMove(match, {
      index: small(c["index"]), children: hashes(c["children"]), theirChild: bytes(c["their_child"]),
      common: hashes(c["common"]), mine: hashes(c["mine"]), theirs: hashes(c["theirs"]),
    });
  });
  each("joins", join);
  each("batches", batch);
  each("data", (c) => data(c, setup));
  return report;
}
