// l1.json: games at the contracts on L1. Calldata and logs are encoded again; from what L1 shows the batches are rebuilt
// and run, and every claim, move, verdict, withdrawal and prosecution is judged.
import { batchHash, epochHash, type Header, HEADER_FIELDS, nextQueueHash } from "../batch/header.js";
import { checkRecord, dataRoot } from "../batch/data-root.js";
import { concat, equal, toHex, word } from "../codec/bytes.js";
import { domainSeparator, receiptDigest, receiptSigner } from "../codec/typed-data.js";
import { RECORD_BYTES } from "../constants.js";
import { decodeProof } from "../dispute/abi.js";
import { encodeCall, encodeLog, typesOf, type Value } from "../dispute/calls.js";
import { applyMove, makeMove, type Match, type Move } from "../dispute/game.js";
import { type Change, foldUp, History, rootOfJoin } from "../dispute/history.js";
import { type Chain, judge } from "../dispute/judge.js";
import { Revert } from "../errors.js";
import { keccak } from "../hash/keccak.js";
import {
  type Batch, copyOf, genesis, hashOfMachine, joinPosition, type Machine, runBatch,
} from "../machine/state.js";
import { withdrawalKey } from "../state/keys.js";
import { WITHDRAWAL } from "../state/leaves.js";
import { fold } from "../state/tree.js";
import { bytes, hashes, integer, type Json, type JsonObject, list, object, small, text } from "./json.js";
import { check, differs, newReport, type Report } from "./report.js";

const nameOf = (signature: Json | undefined): string => text(signature).split("(")[0] ?? "";
const ZERO = new Uint8Array(32);

/** A value of the file as one of an ABI type. */
function valueOf(type: string, value: Json | undefined): Value {
  const inner = /^(.*)\[\d*\]$/.exec(type);
  if (inner !== null) return list(value).map((entry) => valueOf(inner[1] ?? "", entry));
  if (type.startsWith("(")) return fieldsOf(typesOf(type), object(value));
  if (type === "bool") return value === true;
  if (type === "string") return text(value);
  return type.startsWith("bytes") || type === "address" ? bytes(value) : integer(value);
}

const fieldsOf = (types: readonly string[], fields: JsonObject): Value[] =>
  Object.values(fields).map((field, i) => valueOf(types[i] ?? "", field));

/** An event of a game, with the call that it came of. */
interface Event {
  readonly contract: string;
  readonly name: string;
  readonly fields: JsonObject;
  readonly call: JsonObject;
}

function eventsOf(game: JsonObject): Event[] {
  return list(game["transactions"]).map(object).flatMap((call) =>
    list(call["logs"]).map(object).map((log) => ({
      contract: text(log["contract"]), name: nameOf(log["event"]), fields: object(log["fields"]), call,
    })),
  );
}

/** Calls that take wei. */
const PAYABLE = ["claim", "join", "deposit_bond"];

function callCase(call: JsonObject, contracts: JsonObject): string | null {
  const signature = text(call["function"]);
  const data = encodeCall(signature, fieldsOf(typesOf(signature), object(call["arguments"])));
  const logs = list(call["logs"]).map(object);
  const again = logs.map((log) => {
    const event = text(log["event"]);
    const indexed = list(log["indexed"]);
    const names = Object.keys(object(log["fields"]));
    const values = fieldsOf(typesOf(event), object(log["fields"]));
    const { topics, data: rest } = encodeLog(event, values.map((value, i) => ({ value, indexed: indexed.includes(names[i] ?? "") })));
    return [topics.map(toHex), toHex(rest)];
  });
  return differs({
    calldata: [toHex(data), call["calldata"]],
    logs: [again, logs.map((log) => [log["topics"], log["data"]])],
    addresses: [[call, ...logs].every((each) => bytes(contracts[text(each["contract"])]).length === 20), true],
    value: [integer(call["value"]) > 0n && !PAYABLE.includes(nameOf(signature)), false],
    // What reverts leaves nothing.
    none: [call["reverts"] !== null && logs.length > 0, false],
  });
}

interface Posted {
  readonly batches: Batch[];
  readonly queue: Uint8Array[];
}

/** The batches that L1 shows: messages from their events, headers from theirs, records from the calldata. */
function readPosted(game: JsonObject): Posted {
  const messages: Uint8Array[] = [];
  const queue: Uint8Array[] = [ZERO];
  const batches: Batch[] = [];
  for (const { contract, name, fields, call } of eventsOf(game)) {
    if (contract === "queue" && name === "MessageQueued") {
      if (integer(fields["timestamp"]) !== integer(call["time"])) throw new Error("another stamp than the block's time");
      const message = concat(bytes(fields["body"]), word(integer(fields["timestamp"])).subarray(24));
      messages.push(message);
      queue.push(nextQueueHash(queue.at(-1) ?? ZERO, message));
      if (toHex(queue.at(-1) ?? ZERO) !== fields["queue_hash"]) throw new Error("another queue hash");
    }
    if (contract === "inbox" && name === "BatchPosted") {
      const header = Object.fromEntries(HEADER_FIELDS.map((field) => [field, integer(fields[field])])) as Header;
      const first = Number(header.first_message);
      const taken = messages.slice(first, first + Number(header.message_count));
      // The records begin at byte 196 of the calldata (section 10, "Data").
      const calldata = bytes(call["calldata"]);
      const records = Array.from({ length: Number(header.record_count) }, (_, i) =>
        calldata.slice(196 + RECORD_BYTES * i, 196 + RECORD_BYTES * (i + 1)),
      );
      const wrong = differs({
        hash: [toHex(batchHash(header)), fields["batch_hash"]],
        parent: [toHex(word(header.parent)), toHex(batches.length > 0 ? batchHash(batches.at(-1)!.header) : ZERO)],
        data_root: [toHex(word(header.data_root)), toHex(dataRoot(records))],
        queue_hash: [toHex(word(header.queue_hash)), toHex(queue[first + taken.length] ?? ZERO)],
      });
      if (wrong !== null) throw new Error(wrong);
      batches.push({ header, messages: taken, records });
    }
  }
  return { batches, queue };
}

/** The history of batches, in which something is added to a register after some steps. */
function traceWith(start: Machine, batches: readonly Batch[], wrong: ReadonlyMap<number, bigint>): History {
  const machine = copyOf(start);
  const changes: Change[] = [];
  batches.forEach((batch, number) => {
    runBatch(machine, batch, {
      after({ index, micro }) {
        const position = joinPosition({ batch: number, index, micro });
        machine.registers.sequence += wrong.get(position) ?? 0n;
        changes.push({ position, hash: hashOfMachine(machine) });
      },
    });
  });
  return new History(changes);
}

function readMove(c: JsonObject): Move {
  return {
    index: small(c["index"]), children: hashes(c["children"]), theirChild: bytes(c["their_child"]),
    common: hashes(c["common"]), mine: hashes(c["mine"]), theirs: hashes(c["theirs"]),
  };
}

/** What the court knows of a game, and an honest party beside it. */
class Court {
  readonly #truth: History;
  readonly #chain: Chain;
  readonly #count: number;
  readonly #openings = new Map<string, Uint8Array[]>();
  readonly #matches = new Map<string, { match: Match; mover: string; openings: Map<string, readonly Uint8Array[]> }>();

  constructor(truth: History, chain: Chain, count: number) {
    this.#truth = truth;
    this.#chain = chain;
    this.#count = count;
  }

  join(given: JsonObject): string | null {
    const root = rootOfJoin(hashes(given["children"]), bytes(given["end"]), hashes(given["path"]));
    if (root === null) throw new Revert("history_end");
    this.#openings.set(toHex(root), hashes(given["children"]));
    if (!equal(root, this.#truth.root())) return null;
    return differs({ opening: [this.#truth.opening(0, 0).map(toHex), given["children"]], end: [toHex(this.#truth.end()), given["end"]] });
  }

  move(given: JsonObject): string | null {
    const [mover, opponent] = [text(given["mover"]), text(given["opponent"])];
    const pair = [mover, opponent].sort().join();
    const openings = new Map([mover, opponent].map((root) => [root, this.#openings.get(root) ?? []] as const));
    // Of the two the later to join moves first.
    const [earlier, later] = [...this.#openings.keys()].filter((root) => openings.has(root));
    const found = this.#matches.get(pair) ?? {
      match: { mover: bytes(later), opponent: bytes(earlier), level: 0, prefix: 0 }, mover: later ?? "", openings,
    };
    if (found.match.level > 6) throw new Revert("match_sealed");
    if (found.mover !== mover) throw new Revert("not_on_turn");
    const { level, prefix } = found.match;
    const move = readMove(given);
    const match = applyMove(found.match, move);
    const asked: Record<string, readonly [unknown, unknown]> = {};
    if (mover === toHex(this.#truth.root())) {
      const own = makeMove(this.#truth, level, prefix, found.openings.get(opponent) ?? []);
      asked["move"] = [JSON.stringify(own, inHex), JSON.stringify(move, inHex)];
    }
    found.openings.set(mover, move.children);
    this.#matches.set(pair, { ...found, match, mover: opponent });
    return differs(asked);
  }

  prove(given: JsonObject, out: readonly string[]): string | null {
    const [a, b] = [text(given["a"]), text(given["b"])];
    const found = this.#matches.get([a, b].sort().join());
    if (found === undefined || found.match.level !== 7) throw new Revert("match_not_sealed");
    const position = found.match.prefix;
    const claimed = { firstBatch: 0n, batchCount: this.#count, position, pre: bytes(given["pre"]) };
    const { post } = judge(claimed, decodeProof(bytes(given["proof"])), this.#chain);
    // After the last move the mover of a match is on turn with its own leaf.
    const leaves = [[found.mover, found.match.mover], [found.mover === a ? b : a, found.match.opponent]] as const;
    const wrong = leaves.filter(([, leaf]) => !equal(leaf, post)).map(([root]) => root);
    return differs({
      post: [toHex(post), toHex(this.#truth.leaf(position))], out: [wrong.sort(), [...out].sort()],
      pre: [position === 0 || [a, b].includes(toHex(foldUp(claimed.pre, position - 1, hashes(given["path"])))), true],
    });
  }
}

const inHex = (_: string, value: unknown): unknown => (value instanceof Uint8Array ? toHex(value) : value);

/** A withdrawal is a leaf of the state whose machine hash is confirmed (section 15). */
function withdraw(given: JsonObject, end: Uint8Array): string | null {
  const [account, owner, amount] = [integer(given["account"]), integer(given["owner"]), integer(given["amount"])];
  const [stateRoot, registersHash] = [bytes(given["state_root"]), bytes(given["registers_hash"])];
  if (integer(given["epoch"]) !== 0n) throw new Revert("not_confirmed");
  if (!equal(keccak(concat(stateRoot, registersHash)), end)) throw new Revert("wrong_machine_hash");
  const path = { bitmap: integer(given["bitmap"]), siblings: hashes(given["siblings"]) };
  const root = fold(withdrawalKey(integer(given["index"])), WITHDRAWAL.encode({ account, owner, amount }), path);
  if (root === null || !equal(root, stateRoot)) throw new Revert("witness_path");
  return null;
}

/** The receipts that a call shows: each with its signature. */
function receiptsIn(given: JsonObject) {
  return ["first", "second", "receipt"].filter((name) => name in given).map((name) => {
    const c = object(given[name]);
    const receipt = {
      sequence: integer(c["sequence"]), record: bytes(c["record"]), running: bytes(c["running"]), deadline: integer(c["deadline"]),
    };
    return { receipt, signature: bytes(given[name === "receipt" ? "signature" : `${name}_signature`]) };
  });
}

/** Whether the receipts cannot all be kept, or were not (section 16); the reason if they can, or are not the operator's. */
function prosecute(name: string, given: JsonObject, domain: Uint8Array, operator: bigint): void {
  const shown = receiptsIn(given);
  const [first, second] = shown.map(({ receipt }) => receipt);
  if (first === undefined) throw new Error("no receipt");
  for (const { receipt, signature } of shown) {
    if (receiptSigner(domain, receipt, signature) !== operator) throw new Revert("bad_signature");
  }
  if (second !== undefined) {
    const same = equal(first.record, second.record) && equal(first.running, second.running);
    const follows = second.sequence === first.sequence + 1n;
    const broken =
      (first.sequence === second.sequence && !same) ||
      (follows && !equal(second.running, keccak(concat(first.running, second.record))));
    if (!broken) throw new Revert("receipts_agree");
    return;
  }
  const header = Object.fromEntries(HEADER_FIELDS.map((field) => [field, integer(object(given["header"])[field])])) as Header;
  if (name === "prosecute_omission") {
    if (header.timestamp <= first.deadline) throw new Revert("too_early");
    if (header.first_record + header.record_count > first.sequence) throw new Revert("receipt_kept");
    return;
  }
  const index = Number(first.sequence - header.first_record);
  const proof = { recordPage: bytes(given["record_page"]), siblings: hashes(given["siblings"]) };
  const record = checkRecord(word(header.data_root), Number(header.record_count), index, proof);
  if (record === null) throw new Revert("wrong_input");
  if (equal(keccak(record), first.record)) throw new Revert("receipt_kept");
}

/** Reasons that follow from what a call says, and what was said before; others are of clocks, money and states. */
const JUDGED = new Set([
  "history_end", "child_index", "children_length", "children_equal", "wrong_opening", "match_sealed", "match_not_sealed",
  "not_on_turn", "wrong_pre", "witness_path", "not_confirmed", "bad_signature", "receipts_agree", "receipt_kept", "wrong_input",
]);

/** What is wrong unless the call goes through as the file says, or reverts for the reason that it says. */
function sees(call: JsonObject, run: () => string | null): string | null {
  const reason = call["reverts"];
  try {
    const wrong = run();
    return reason === null ? wrong : `it was taken, and should revert for ${text(reason)}`;
  } catch (error) {
    if (error instanceof Revert) return differs({ reason: [error.reason, reason] });
    throw error;
  }
}

function runReceipts(report: Report, game: JsonObject, domain: Uint8Array): void {
  const calls = list(game["transactions"]).map(object);
  const operator = integer(calls.find((call) => nameOf(call["function"]) === "deposit_bond")?.["sender"]);
  const { batches } = readPosted(game);
  const posted = batches.map(({ header }) => toHex(batchHash(header)));
  calls.forEach((call, i) => {
    const name = nameOf(call["function"]);
    const isJudged = call["reverts"] === null || call["reverts"] === "too_early" || JUDGED.has(text(call["reverts"]));
    if (!name.startsWith("prosecute") || !isJudged) return;
    check(report, "prosecutions", `${i} ${name}`, () =>
      sees(call, () => {
        const given = object(call["arguments"]);
        prosecute(name, given, domain, operator);
        const header = given["header"] === undefined ? undefined : object(given["header"]);
        const hash = header && toHex(keccak(concat(...HEADER_FIELDS.map((field) => word(integer(header[field]))))));
        const slashed = list(call["logs"]).map(object).find((log) => nameOf(log["event"]) === "Slashed");
        const digests = receiptsIn(given).map(({ receipt }) => toHex(receiptDigest(domain, receipt)));
        return differs({
          posted: [hash === undefined || posted.includes(hash), true],
          slashed: [digests.includes(text(object(slashed?.["fields"])["receipt"])), true],
        });
      }),
    );
  });
}

function runGame(report: Report, file: JsonObject, game: JsonObject, domain: Uint8Array): void {
  const name = text(game["name"]);
  const count = small(file["epoch_batches"]);
  const start = genesis(integer(toHex(domain)), integer(file["backstop_delay"]));
  let posted: Posted = { batches: [], queue: [] };
  check(report, "batches", name, () => {
    posted = readPosted(game);
    return differs({ epoch: [posted.batches.length >= count, true] });
  });
  if (posted.batches.length < count) return;
  const batches = posted.batches.slice(0, count);
  const chain = {
    batchHash: (number: bigint): Uint8Array => batchHash(posted.batches[Number(number)]?.header ?? ({} as Header)),
    queueHash: (at: bigint): Uint8Array => posted.queue[Number(at)] ?? ZERO,
  };
  const truth = traceWith(start, batches, new Map());
  list(game["lies"]).map(object).forEach((lie) => {
    check(report, "lies", `${name}: ${text(lie["by"])}`, () => {
      const wrong = list(lie["wrong"]).map(object);
      if (wrong.some((each) => each["register"] !== "sequence")) return "another register";
      const more = new Map(wrong.map((each) => [small(each["position"]), integer(each["more"])] as const));
      return differs({ history: [toHex(traceWith(start, batches, more).root()), lie["history"]] });
    });
  });
  const court = new Court(truth, chain, count);
  list(game["transactions"]).map(object).forEach((call, i) => {
    const [kind, given] = [nameOf(call["function"]), object(call["arguments"])];
    if (call["reverts"] !== null && !JUDGED.has(text(call["reverts"]))) return;
    const out = list(call["logs"]).map(object).filter((log) => nameOf(log["event"]) === "Eliminated")
      .map((log) => text(object(log["fields"])["root"]));
    const run = new Map<string, () => string | null>([
      ["join", () => court.join(given)], ["move", () => court.move(given)], ["prove", () => court.prove(given, out)],
      ["withdraw", () => withdraw(given, truth.end())],
    ]).get(kind);
    if (run !== undefined) check(report, `${kind}s`, `${name} ${i}`, () => sees(call, run));
  });
  for (const { name: event, fields } of eventsOf(game)) {
    if (event !== "Claimed" && event !== "Advanced") continue;
    check(report, "events", `${name}: ${event}`, () => {
      if (event === "Advanced") return differs({ start: [toHex(truth.end()), fields["start"]] });
      const last = batches.at(-1)?.header;
      const hash = last && epochHash(0n, BigInt(count), batchHash(last));
      return differs({
        epoch_hash: [hash && toHex(hash), fields["epoch_hash"]], start: [toHex(hashOfMachine(start)), fields["start"]],
      });
    });
  }
}

export function runL1(file: JsonObject): Report {
  const report = newReport();
  const games = list(file["games"]).map(object);
  for (const game of games) {
    const name = text(game["name"]);
    list(game["transactions"]).map(object).forEach((call, i) => {
      check(report, "calls", `${name} ${i} ${nameOf(call["function"])}`, () => callCase(call, object(game["contracts"])));
    });
    const domain = domainSeparator(integer(file["chain_id"]), integer(object(game["contracts"])["vault"]));
    if (name === "receipts") runReceipts(report, game, domain);
    else runGame(report, file, game, domain);
  }
  const keys = games.flatMap((game) => eventsOf(game).filter(({ name }) => name === "Claimed").map(({ fields }) => fields["key"]));
  list(file["claims"]).map(object).forEach((claim, i) => {
    check(report, "claims", `${text(claim["game"])} ${integer(claim["epoch"])}`, () => {
      // Three words (section 11).
      const words = concat(bytes(claim["epoch_hash"]), bytes(claim["start"]), word(integer(claim["round"])));
      return differs({ key: [toHex(keccak(words)), claim["key"]], event: [keys[i], claim["key"]] });
    });
  });
  return report;
}
