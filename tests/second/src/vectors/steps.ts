// steps.json: single steps from their witness, and the encoded one-step proof.
import { toHex } from "../codec/bytes.js";
import { HEADER_FIELDS, type Header } from "../batch/header.js";
import { encodeProof, type Proof } from "../dispute/abi.js";
import { type Chain, judge, type Verdict } from "../dispute/judge.js";
import { phaseName } from "../machine/phases.js";
import { reasonName } from "../reasons.js";
import {
  bytes, hashes, integer, type Json, type JsonObject, list, object, readRegisters, small, toJson, writeRegisters,
} from "./json.js";
import { check, differs, newReport, type Report } from "./report.js";

function readProof(c: JsonObject): Proof {
  const input = object(c["input"]);
  const words = list(input["header"]);
  const header = Object.fromEntries(HEADER_FIELDS.map((name, i) => [name, integer(words[i])])) as Header;
  return {
    stateRoot: bytes(c["state_root"]),
    registers: readRegisters(c["registers"]),
    input: {
      header, message: bytes(input["message"]), recordPage: bytes(input["record_page"]),
      siblings: hashes(input["siblings"]), queueHash: bytes(input["queue_hash"]),
    },
    witness: list(c["witness"]).map((entry) => {
      const leaf = object(entry);
      return {
        key: small(leaf["key"]), value: bytes(leaf["old"]),
        path: { bitmap: integer(leaf["bitmap"]), siblings: hashes(leaf["siblings"]) },
      };
    }),
  };
}

interface Judged extends Verdict {
  readonly asked: Proof;
}

/** What steps.json says of a step, by the name it has there. */
const ANSWERS: Readonly<Record<string, (judged: Judged) => Json>> = {
  witness: ({ asked, touched }) =>
    asked.witness.map(({ key, value, path }, i) => ({
      key, old: toHex(value), new: toHex(touched[i]?.after ?? value), bitmap: toJson(path.bitmap),
      siblings: path.siblings.map(toHex),
    })),
  outcome: ({ registers }) => reasonName(registers.outcome),
  next_phase: ({ registers }) => phaseName(registers.phase),
  registers_after: ({ registers }) => writeRegisters(registers),
  state_root_after: ({ stateRoot }) => toHex(stateRoot),
  post: ({ post }) => toHex(post),
  proof: ({ asked }) => toHex(encodeProof(asked)),
};

/** Answers a case of steps.json, from what it gives: the fields wanted, by default all. */
export function answerStep(
  c: JsonObject, batchCount: number, chain: Chain = {}, wanted: readonly string[] = Object.keys(ANSWERS),
): Record<string, Json> {
  const asked = readProof(c);
  const claimed = {
    firstBatch: integer(c["first_batch"]), batchCount, position: small(c["position"]), pre: bytes(c["pre"]),
  };
  const judged = { ...judge(claimed, asked, chain), asked };
  const answer: Record<string, Json> = {};
  for (const name of wanted) {
    const make = ANSWERS[name];
    if (make === undefined) throw new Error(`steps have no ${name}`);
    answer[name] = make(judged);
  }
  return answer;
}

export function runSteps(file: JsonObject, chain: Chain = {}): Report {
  const report = newReport();
  const batchCount = small(file["batch_count"]);
  list(file["steps"]).forEach((entry, i) => {
    const c = object(entry);
    check(report, "steps", `${i} ${String(c["name"])}@${String(c["first_batch"])}:${String(c["position"])}`, () => {
      const answer = answerStep(c, batchCount, chain);
      const after = answer["registers_after"] as JsonObject;
      const want = object(c["registers_after"]);
      const names = new Set([...Object.keys(after), ...Object.keys(want)]);
      const pairs = [...names].map((name) => [`register ${name}`, [after[name] ?? 0, want[name] ?? 0]] as const);
      return (
        differs(Object.fromEntries(pairs)) ??
        differs(Object.fromEntries(Object.entries(answer).map(([name, got]) => [name, [got, c[name]] as const])))
      );
    });
  });
  return report;
}
