// node dist/cli/bench.js FOLDER: traced steps a second, on the batches of runs.json.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { traceEpoch } from "../dispute/tracer.js";
import { genesis } from "../machine/state.js";
import { integer, type Json, list, object } from "../vectors/json.js";
import { readBatch } from "../vectors/runs.js";

const runs = object(JSON.parse(readFileSync(join(process.argv[2] ?? ".", "runs.json"), "utf8")) as Json);
const batches = list(runs["batches"]).map(readBatch);
for (let round = 0; round < 3; round++) {
  const start = genesis(integer(object(runs["domain"])["separator"]), 0n);
  const began = performance.now();
  const { history, steps } = traceEpoch(start, batches);
  history.root();
  const seconds = (performance.now() - began) / 1000;
  console.log(`${steps} steps in ${seconds.toFixed(2)} s: ${(steps / seconds).toFixed(0)} a second`);
}
