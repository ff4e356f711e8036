// runs.json: whole batches from genesis.
import { toHex, word } from "../codec/bytes.js";
import { domainSeparator } from "../codec/typed-data.js";
import { batchHash, nextQueueHash } from "../batch/header.js";
import { dataRoot } from "../batch/data-root.js";
import { type Batch, genesis, hashOfMachine, type Machine, runBatch } from "../machine/state.js";
import { IDLE } from "../machine/phases.js";
import { reasonName } from "../reasons.js";
import { rootOf, type Tree } from "../state/tree.js";
import { readHeader } from "./batches.js";
import { hashes, integer, type Json, type JsonObject, list, object, toJson } from "./json.js";
import { check, differs, newReport, type Report } from "./report.js";

export function readBatch(value: Json | undefined): Batch {
  const c = object(value);
  return { header: readHeader(c["header"]), messages: hashes(c["messages"]), records: hashes(c["records"]) };
}

/** Runs a batch on a machine and says what runs.json says of it. */
export function answerBatch(machine: Machine, batch: Batch): Record<string, Json> {
  const outcomes: string[] = [];
  const hashes: string[] = [];
  const { registers } = machine;
  let outcome = "";
  let hash = "";
  let index = -1;
  runBatch(machine, batch, {
    after(position) {
      if (position.index !== index && index >= 0) {
        outcomes.push(outcome);
        hashes.push(hash);
      }
      index = position.index;
      if (registers.phase === IDLE) hash = toHex(hashOfMachine(machine));
      outcome = reasonName(registers.outcome);
    },
  });
  if (batch.messages.length + batch.records.length > 0) {
    outcomes.push(outcome);
    hashes.push(hash);
  }
  return {
    batch_hash: toHex(batchHash(batch.header)),
    outcomes,
    hashes,
    steps: toJson(registers.steps),
    state_root: toHex(rootOf(machine.tree)),
    machine_hash: toHex(hashOfMachine(machine)),
  };
}

export function leavesOf(tree: Tree): [number, string][] {
  if (tree === null) return [];
  if (tree.leaf) return [[tree.key, toHex(tree.value)]];
  return [...leavesOf(tree.left), ...leavesOf(tree.right)];
}

export function runRuns(file: JsonObject): Report {
  const report = newReport();
  const domain = object(file["domain"]);
  const machine = genesis(integer(domain["separator"]), 0n);
  check(report, "domain", "", () =>
    differs({ separator: [toHex(domainSeparator(integer(domain["chain_id"]), integer(domain["vault"]))), domain["separator"]] }),
  );
  check(report, "genesis", "", () => differs({ hash: [toHex(hashOfMachine(machine)), file["genesis"]] }));
  let queue: Uint8Array = new Uint8Array(32);
  let parent: Uint8Array = new Uint8Array(32);
  list(file["batches"]).forEach((entry, i) => {
    const c = object(entry);
    const batch = readBatch(entry);
    check(report, "headers", `${i}`, () => {
      for (const message of batch.messages) queue = nextQueueHash(queue, message);
      const root = dataRoot(batch.records);
      const above = parent;
      parent = batchHash(batch.header);
      return differs({
        parent: [toHex(above), toHex(word(batch.header.parent))],
        queue_hash: [BigInt(toHex(queue)).toString(), batch.header.queue_hash.toString()],
        data_root: [BigInt(toHex(root)).toString(), batch.header.data_root.toString()],
      });
    });
    check(report, "batches", `${i}`, () => {
      const answer = answerBatch(machine, batch);
      return differs(Object.fromEntries(Object.entries(answer).map(([name, got]) => [name, [got, c[name]] as const])));
    });
  });
  check(report, "leaves", "end", () => differs({ leaves: [leavesOf(machine.tree), file["leaves"]] }));
  return report;
}
