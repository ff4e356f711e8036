// witnesses.json: bundles with which a batch of the run is taken again, and others that are no witness.
import { toHex } from "../codec/bytes.js";
import { type Inflate, readBundle, runBundle } from "../machine/bundle.js";
import { bytes, type JsonObject, list, object, small, text } from "./json.js";
import { refuses } from "./refused.js";
import { check, differs, newReport, type Report } from "./report.js";
import { readBatch } from "./runs.js";

export function runWitnesses(file: JsonObject, runs: JsonObject, inflate: Inflate): Report {
  const report = newReport();
  const played = list(runs["batches"]).map(object);
  const run = (c: JsonObject): ReturnType<typeof runBundle> => {
    const bundle = readBundle(bytes(c["bundle"]), inflate);
    return runBundle(bundle, readBatch(played[small(c["batch"])]), bytes(c["before"]));
  };
  for (const c of list(file["bundles"]).map(object)) {
    const number = small(c["batch"]);
    check(report, "bundles", `${number}, ${text(c["name"])}`, () => {
      const { end, outcomes } = run(c);
      const before = number === 0 ? runs["genesis"] : played[number - 1]?.["machine_hash"];
      return differs({
        before: [c["before"], before], after: [toHex(end), c["after"]],
        end: [c["after"], played[number]?.["machine_hash"]], outcomes: [outcomes, played[number]?.["outcomes"]],
      });
    });
  }
  for (const c of list(file["refused"]).map(object)) {
    check(report, "refused", text(c["name"]), () => refuses(c, () => run(c)));
  }
  return report;
}
