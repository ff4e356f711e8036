// leaves.json: leaves of every kind by field, registers with their hash and the machine hash.
import { toHex } from "../codec/bytes.js";
import { encodeRegisters, machineHash, registersHash } from "../state/registers.js";
import { KIND } from "../state/keys.js";
import * as leaves from "../state/leaves.js";
import {
  bytes, integer, integers, type JsonObject, list, object, readRegisters, small, text,
} from "./json.js";
import { check, differs, newReport, type Report } from "./report.js";

/** A leaf's bytes from the fields of the vectors, and back. */
function encodeFields(kind: string, fields: JsonObject): Uint8Array {
  const numbers = integers(fields);
  switch (kind) {
    case "account":
      return leaves.ACCOUNT.encode({
        ...(numbers as Omit<leaves.Account, "positions">),
        positions: list(fields["positions"]).map((p) => integers(object(p)) as leaves.Position),
      });
    case "order": return leaves.ORDER.encode(numbers as leaves.Order);
    case "level": return leaves.LEVEL.encode(numbers as leaves.Level);
    case "bitmap":
    case "holders": return leaves.WORD.encode(numbers as leaves.Word);
    case "market": return leaves.MARKET.encode(numbers as leaves.Market);
    case "oracle":
      return leaves.ORACLE.encode({
        prices: list(fields["prices"]).map(integer), times: list(fields["times"]).map(integer),
      });
    case "signers":
      return leaves.SIGNERS.encode({
        ...(numbers as Omit<leaves.Signers, "owners">), owners: list(fields["owners"]).map(integer),
      });
    case "withdrawal": return leaves.WITHDRAWAL.encode(numbers as leaves.Withdrawal);
    case "agent": return leaves.AGENT.encode(numbers as leaves.Agent);
    case "request": return leaves.REQUEST.encode(numbers as leaves.Request);
    case "terms": return leaves.TERMS.encode(numbers as leaves.Terms);
    case "activity": return leaves.ACTIVITY.encode(numbers as leaves.Activity);
    case "parked":
      return leaves.PARKED.encode({ message: bytes(fields["message"]), stamp: integer(fields["stamp"]) });
    default: throw new Error(`no leaves of kind ${kind}`);
  }
}

const CODECS: Readonly<Record<string, leaves.Codec<unknown>>> = {
  account: leaves.ACCOUNT, order: leaves.ORDER, level: leaves.LEVEL, bitmap: leaves.WORD, holders: leaves.WORD,
  market: leaves.MARKET, oracle: leaves.ORACLE, signers: leaves.SIGNERS, withdrawal: leaves.WITHDRAWAL,
  agent: leaves.AGENT, request: leaves.REQUEST, parked: leaves.PARKED, terms: leaves.TERMS,
  activity: leaves.ACTIVITY,
} as Readonly<Record<string, leaves.Codec<unknown>>>;

/** The kinds of keys by the vectors' name: `bitmap` stands for the words of both BITMAP and HOLDERS. */
const KINDS: Readonly<Record<string, readonly number[]>> = {
  ...Object.fromEntries(Object.entries(KIND).map(([name, number]) => [name.toLowerCase(), [number]])),
  bitmap: [KIND.BITMAP, KIND.HOLDERS],
};

export function runLeaves(file: JsonObject): Report {
  const report = newReport();
  list(file["leaves"]).forEach((entry, i) => {
    const c = object(entry);
    const kind = text(c["kind"]);
    check(report, "leaves", `${i} ${kind}`, () => {
      const codec = CODECS[kind];
      const again = codec === undefined ? "" : toHex(codec.encode(codec.decode(bytes(c["value"]))));
      return differs({
        value: [toHex(encodeFields(kind, object(c["fields"]))), c["value"]],
        again: [again, c["value"]],
        kind: [KINDS[kind]?.includes(Math.floor(small(c["key"]) / 2 ** 36)), true],
      });
    });
  });
  list(file["registers"]).forEach((entry, i) => {
    const c = object(entry);
    check(report, "registers", `${i}`, () => {
      const registers = readRegisters(c["fields"]);
      return differs({
        words: [toHex(encodeRegisters(registers)), c["words"]],
        hash: [toHex(registersHash(registers)), c["hash"]],
        machine_hash: [toHex(machineHash(bytes(c["state_root"]), registers)), c["machine_hash"]],
      });
    });
  });
  return report;
}
