// node dist/cli/vectors.js FOLDER SETUP [--first[=FAMILY]] [--json]: runs every vector of every family. SETUP is the file of
// the trusted set-up of EIP-4844. --first ends at the first failure; FAMILY is then run before the others.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { Setup } from "../batch/commitment.js";
import { batchHash, nextQueueHash } from "../batch/header.js";
import { runBatches } from "../vectors/batches.js";
import { runCodec } from "../vectors/codec.js";
import { runHistories } from "../vectors/histories.js";
import { type Json, type JsonObject, list, object } from "../vectors/json.js";
import { runL1 } from "../vectors/l1.js";
import { runLeaves } from "../vectors/leaves.js";
import { FirstFailure, type Report, stopAtFirst } from "../vectors/report.js";
import { runRefused } from "../vectors/refused.js";
import { readBatch, runRuns } from "../vectors/runs.js";
import { runScenes } from "../vectors/scenes.js";
import { runSteps } from "../vectors/steps.js";
import { runTree } from "../vectors/tree.js";
import { watch, type Watched } from "../vectors/watch.js";
import { runWitnesses } from "../vectors/witnesses.js";

const args = process.argv.slice(2);
const asJson = args.includes("--json");
const quick = args.find((arg) => arg.startsWith("--first")); // for the list of misreadings
const begin = quick?.split("=")[1];
const [folder, setupFile] = args.filter((arg) => !arg.startsWith("--"));
if (folder === undefined || setupFile === undefined) {
  console.error("usage: node dist/cli/vectors.js FOLDER SETUP [--first[=FAMILY]] [--json]");
  process.exit(2);
}

const setup = new Setup(readFileSync(setupFile, "utf8"));
const watched = new Map<string, Watched>();
const load = (name: string): JsonObject => {
  const found = watch(JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Json);
  watched.set(name, found);
  return object(found.file);
};

const runs = load("runs");
const batches = list(runs["batches"]).map(readBatch);
const posted = batches.map(({ header }) => batchHash(header));
const queue: Uint8Array[] = [new Uint8Array(32)];
for (const { messages } of batches) for (const message of messages) queue.push(nextQueueHash(queue.at(-1)!, message));
const chain = {
  batchHash: (number: bigint): Uint8Array => posted[Number(number)] ?? new Uint8Array(32),
  queueHash: (count: bigint): Uint8Array => queue[Number(count)] ?? new Uint8Array(32),
};

/** What is in a zlib stream; null where it is none, or has something behind it. */
function inflate(stream: Uint8Array): Uint8Array | null {
  try {
    const found: unknown = inflateSync(stream, { info: true });
    const { buffer, engine } = found as { buffer: Uint8Array; engine: { bytesWritten: number } };
    return engine.bytesWritten === stream.length ? new Uint8Array(buffer) : null;
  } catch {
    return null;
  }
}

const families: readonly [string, () => Report][] = [
  ["codec", () => runCodec(load("codec"))],
  ["leaves", () => runLeaves(load("leaves"))],
  ["tree", () => runTree(load("tree"))],
  ["batches", () => runBatches(load("batches"), setup)],
  ["steps", () => runSteps(load("steps"), chain)],
  ["runs", () => runRuns(runs)],
  ["scenes", () => runScenes(load("scenes"))],
  ["histories", () => runHistories(load("histories"), runs)],
  ["refused", () => runRefused(load("refused"), chain, setup)],
  ["witnesses", () => runWitnesses(load("witnesses"), runs, inflate)],
  ["l1", () => runL1(load("l1"))],
];

const names = families.map(([name]) => name);
const strangers = readdirSync(folder).filter((file) => file.endsWith(".json") && !names.includes(file.slice(0, -5)));
if (strangers.length > 0) throw new Error(`nobody reads ${strangers.join(", ")}`);

if (quick !== undefined) {
  stopAtFirst();
  for (const [name, run] of [...families].sort(([a], [b]) => Number(b === begin) - Number(a === begin))) {
    try {
      run();
    } catch (error) {
      if (!(error instanceof FirstFailure)) throw error;
      console.log(`${name}: ${error.message}`);
      process.exit(1);
    }
  }
  process.exit(0);
}

const reports: Record<string, Report & { unread: string[] }> = {};
for (const [name, run] of families) {
  const report = { ...run(), unread: watched.get(name)?.unread() ?? [] };
  reports[name] = report;
  if (!asJson) {
    const parts = Object.entries(report.parts).map(([part, { passed, total }]) => `${part} ${passed}/${total}`);
    console.log(`${name.padEnd(10)} ${report.passed}/${report.total}   ${parts.join(", ")}`);
    for (const failure of report.failures.slice(0, 12)) console.log(`  ${failure}`);
    if (report.unread.length > 0) console.log(`  not read: ${report.unread.join(", ")}`);
  }
}
if (asJson) console.log(JSON.stringify(reports));
if (Object.values(reports).some((report) => report.passed !== report.total)) process.exit(1);
