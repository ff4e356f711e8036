// histories.json: the history of the run, the join, leaves and paths, and a game of moves against a lie; and the history
// of an epoch of 32 batches.
import { dataRoot } from "../batch/data-root.js";
import { equal, toHex, word } from "../codec/bytes.js";
import { batchHash, epochHash, type Header } from "../batch/header.js";
import { decodeProof, encodeProof } from "../dispute/abi.js";
import { applyMove, makeMove, type Match, type Move } from "../dispute/game.js";
import { foldOpening, foldUp, type History, rootOfJoin } from "../dispute/history.js";
import { judge } from "../dispute/judge.js";
import { traceEpoch } from "../dispute/tracer.js";
import { type Batch, genesis, hashOfMachine, type Machine } from "../machine/state.js";
import { readHeader } from "./batches.js";
import { bytes, hashes, integer, type Json, type JsonObject, list, object, small, text } from "./json.js";
import { check, differs, newReport, type Report } from "./report.js";
import { readBatch } from "./runs.js";

/** The history is that of runs.json, so its file is needed too. */
export function runHistories(file: JsonObject, runs: JsonObject): Report {
  const report = newReport();
  const batches = list(runs["batches"]).map(readBatch);
  const start = genesis(integer(object(runs["domain"])["separator"]), 0n);
  let history: History | undefined;
  check(report, "history", "trace", () => {
    const trace = traceEpoch(start, batches);
    history = trace.history;
    const last = batches.at(-1);
    if (last === undefined) return "no batches";
    return differs({
      start: [toHex(hashOfMachine(start)), file["start"]],
      epoch_hash: [toHex(epochHash(0n, BigInt(batches.length), batchHash(last.header))), file["epoch_hash"]],
      batch_count: [batches.length, file["batch_count"]],
      root: [toHex(history.root()), file["root"]],
      end: [toHex(history.end()), file["end"]],
    });
  });
  runShown(report, file, "", () => history);
  runGame(report, file, () => history, batches.map(({ header }) => header));
  runFull(report, object(file["full"]), start);
  return report;
}

/** The join, and the leaves that are shown, of the history that has the root of `file`. */
function runShown(report: Report, file: JsonObject, of: string, own: () => History | undefined): void {
  const join = object(file["join"]);
  check(report, `${of}join`, "", () => {
    const history = own();
    const children = history?.opening(0, 0).map(toHex);
    const path = history?.path(2 ** 35 - 1).slice(0, 30).map(toHex);
    const root = rootOfJoin(hashes(join["children"]), bytes(join["end"]), hashes(join["path"]));
    return differs({
      children: [children, join["children"]], path: [path, join["path"]], root: [root && toHex(root), file["root"]],
      end: [join["end"], file["end"]],
    });
  });
  list(file["leaves"]).forEach((entry) => {
    const c = object(entry);
    const position = small(c["position"]);
    check(report, `${of}leaves`, `${position}`, () => {
      const history = own();
      return differs({
        leaf: [history && toHex(history.leaf(position)), c["leaf"]],
        path: [history?.path(position).map(toHex), c["path"]],
        root: [toHex(foldUp(bytes(c["leaf"]), position, hashes(c["path"]))), file["root"]],
      });
    });
  });
}

/** An epoch of as many batches as there may be, empty but for the last, whose inputs all are one record. */
function runFull(report: Report, full: JsonObject, start: Machine): void {
  let history: History | undefined;
  check(report, "full", "trace", () => {
    const record = bytes(full["record"]);
    const batches = list(full["headers"]).map(readHeader).map((header): Batch => ({
      header, messages: [], records: Array.from({ length: Number(header.record_count) }, () => record),
    }));
    const last = batches.at(-1);
    if (last === undefined) return "no batches";
    history = traceEpoch(start, batches).history;
    const hashesOf = batches.map(({ header }) => toHex(batchHash(header)));
    return differs({
      parents: [batches.slice(1).map(({ header }) => toHex(word(header.parent))), hashesOf.slice(0, -1)],
      data_root: [toHex(dataRoot(last.records)), toHex(word(last.header.data_root))],
      epoch_hash: [toHex(epochHash(0n, BigInt(batches.length), batchHash(last.header))), full["epoch_hash"]],
      root: [toHex(history.root()), full["root"]],
      end: [toHex(history.end()), full["end"]],
    });
  });
  runShown(report, full, "full ", () => history);
}

function readMove(c: JsonObject): Move {
  return {
    index: small(c["index"]), children: hashes(c["children"]), theirChild: bytes(c["their_child"]),
    common: hashes(c["common"]), mine: hashes(c["mine"]), theirs: hashes(c["theirs"]),
  };
}

const moveJson = (move: Move): Json => ({
  index: move.index, children: move.children.map(toHex), their_child: toHex(move.theirChild),
  common: move.common.map(toHex), mine: move.mine.map(toHex), theirs: move.theirs.map(toHex),
});

function runGame(report: Report, file: JsonObject, own: () => History | undefined, headers: Header[]): void {
  const lie = object(file["lie"]);
  const moves = list(file["moves"]).map(object);
  check(report, "lie", "root", () =>
    differs({ root: [toHex(foldOpening(hashes(lie["children"]))), lie["root"]] }),
  );
  const truth = bytes(file["root"]);
  let match: Match = { mover: truth, opponent: bytes(lie["root"]), level: 0, prefix: 0 };
  let theirOpening = hashes(lie["children"]);
  for (const c of moves) {
    const level = small(c["level"]);
    check(report, "moves", `${level} ${text(c["mover"])}`, () => {
      const move = readMove(c);
      const asked: Record<string, readonly [unknown, unknown]> = {
        level: [match.level, level], prefix: [match.prefix, small(c["prefix"])],
      };
      const history = own();
      if (c["mover"] === "truth" && history !== undefined) {
        const mine = makeMove(history, level, match.prefix, theirOpening);
        asked["move"] = [moveJson(mine), moveJson(move)];
      }
      match = applyMove(match, move);
      theirOpening = [...move.children];
      return differs(asked);
    });
  }
  const proof = object(file["proof"]);
  check(report, "proof", "", () => {
    const position = small(proof["position"]);
    const pre = bytes(proof["pre"]);
    const decoded = decodeProof(bytes(proof["proof"]));
    const chain = {
      batchHash: (number: bigint): Uint8Array => batchHash(headers[Number(number)] ?? ({} as Header)),
    };
    const { post } = judge({ firstBatch: 0n, batchCount: headers.length, position, pre }, decoded, chain);
    const sealed = [match.mover, match.opponent].map(toHex).sort();
    return differs({
      position: [match.prefix, position],
      pre: [toHex(foldUp(pre, position - 1, hashes(proof["path"]))), file["root"]],
      post: [toHex(post), proof["post"]],
      truth_leaf: [toHex(post), proof["truth_leaf"]],
      lie_leaf: [equal(post, bytes(proof["lie_leaf"])), false],
      sealed: [sealed, [proof["truth_leaf"], proof["lie_leaf"]].map(String).sort()],
      again: [toHex(encodeProof(decoded)), proof["proof"]],
    });
  });
}
