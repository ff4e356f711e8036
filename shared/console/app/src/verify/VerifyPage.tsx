// Verify in your browser: nobody's word, but L1's and one's own processor's.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { info } from "../api/exchange";
import { group } from "../lib/format";
import { link } from "../lib/route";
import { Hash } from "../ui/Hash";
import { Panel } from "../ui/Panel";
import { Stat } from "../ui/Stat";
import { Table } from "../ui/Table";
import { DifferencePanel } from "./DifferencePanel";
import { verifiersNode } from "./node";
import { NodeChoice } from "./NodeChoice";
import { startVerifier } from "./start";
import type { Difference, Finding, Told } from "./worker";

export default function VerifyPage() {
  const findings = useSignal<readonly Finding[]>([]);
  const differences = useSignal<readonly Difference[]>([]);
  const state = useSignal<{ text: string; kind: "" | "good" | "bad" | "warn" }>({ text: "", kind: "" });
  const isRunning = useSignal(false);
  const worker = useRef<Worker | undefined>(undefined);
  useEffect(() => () => worker.current?.terminate(), []);

  const begin = (): void => {
    worker.current?.terminate();
    findings.value = [];
    differences.value = [];
    isRunning.value = true;
    state.value = { text: `Asking ${verifiersNode.value?.name ?? "L1"}…`, kind: "" };
    worker.current = startVerifier(take);
  };

  const take = (told: Told): void => {
    if (told.kind === "genesis") {
      if (told.own !== told.l1) {
        state.value = { text: "The exchange on L1 began in another state than the protocol's genesis.", kind: "bad" };
        worker.current?.terminate();
        isRunning.value = false;
      } else state.value = { text: "Genesis is the protocol's. Running the batches…", kind: "" };
    } else if (told.kind === "batch") findings.value = [told.finding, ...findings.value];
    else if (told.kind === "difference") differences.value = [...differences.value, told.difference];
    else if (told.kind !== "ask") {
      isRunning.value = false;
      state.value =
        told.kind === "failed" ? { text: told.text, kind: "bad" } : conclude(findings.value, differences.value);
    }
  };

  const all = findings.value;
  const sum = (pick: (finding: Finding) => number): number => all.reduce((total, each) => total + pick(each), 0);
  const seconds = sum((each) => each.took) / 1000;
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>Verify in your browser</h1>
      <p class="lead">
        A second implementation of the protocol, written from its document by somebody who saw none of the operator's
        code, runs here: every batch from the first, as L1 has it. What it comes to is held against what is claimed at
        the court.
      </p>
      <NodeChoice disabled={isRunning.value} />
      <div class="verify-bar">
        <button
          type="button"
          class="primary"
          disabled={isRunning.value || !info.value || !verifiersNode.value}
          onClick={begin}
        >
          {isRunning.value ? "Verifying…" : "Verify every batch"}
        </button>
        <span class="quiet" role="status">
          {state.value.kind ? "" : state.value.text}
        </span>
      </div>
      {state.value.kind && <p class={`callout ${state.value.kind}`}>{state.value.text}</p>}
      {differences.value.map((difference) => (
        <DifferencePanel key={difference.key} difference={difference} />
      ))}
      <div class="stats">
        <Stat name="Batches" value={group(all.length)} />
        <Stat name="Inputs" value={group(sum((each) => each.inputs))} />
        <Stat name="Micro-steps" value={group(sum((each) => each.steps))} />
        <Stat name="Steps a second" value={seconds ? group(Math.round(sum((each) => each.steps) / seconds)) : "–"} />
      </div>
      <Panel title="What each batch comes to">
        <Table
          label="Batches that were run here"
          nothing={isRunning.value ? "…" : "Nothing was run yet."}
          head={["#Batch", "#Inputs", "#Steps", "#Milliseconds", "Machine after it, by your browser", "On L1"]}
          keys={all.map((each) => each.batch)}
          rows={all.map((each) => [
            <a href={link("batch", each.batch)}>{group(each.batch)}</a>,
            group(each.inputs),
            group(each.steps),
            group(Math.round(each.took)),
            <Hash text={each.end} />,
            <Verdict finding={each} />,
          ])}
        />
      </Panel>
    </main>
  );
}

function Verdict({ finding }: { finding: Finding }) {
  if (!finding.epoch) return <span class="quiet">its epoch goes on</span>;
  const { claimed, confirmed } = finding.epoch;
  const lied = claimed !== undefined && claimed !== finding.end;
  if (confirmed && confirmed !== finding.end)
    return <span class="bad">✗ confirmed, but not what your browser finds</span>;
  if (confirmed) return <span class="good">✓ confirmed, the same{lied ? "; a lie was claimed before it" : ""}</span>;
  if (claimed)
    return lied ? (
      <span class="bad">✗ claimed is another end: a lie</span>
    ) : (
      <span class="good">✓ claimed, the same</span>
    );
  return <span class="quiet">not claimed yet</span>;
}

function conclude(
  findings: readonly Finding[],
  differences: readonly Difference[],
): { text: string; kind: "good" | "warn" | "bad" } {
  const ends = findings.filter((each) => each.epoch);
  const wrong = ends.findLast((each) => each.epoch?.confirmed !== undefined && each.epoch.confirmed !== each.end);
  if (wrong)
    return {
      text: `L1 has confirmed an end of epoch ${wrong.epoch?.number} that its inputs do not come to. Whoever watches this exchange was asleep: take your money out.`,
      kind: "bad",
    };
  const open = differences.find((each) => !ends.some((end) => end.epoch?.number === each.epoch && end.epoch.confirmed));
  if (open)
    return {
      text: `What is claimed of epoch ${open.epoch} is not what its inputs come to: a lie, which anybody can dispute until its challenge period is over.`,
      kind: "warn",
    };
  const held = ends.filter((each) => each.epoch?.confirmed ?? each.epoch?.claimed).length;
  const lies = differences.length
    ? ` ${differences.length === 1 ? "One lie was" : `${differences.length} lies were`} claimed, and replaced.`
    : "";
  return {
    text: `Your browser comes to the same end as L1 in each of ${held} epochs that are claimed or confirmed.${lies}`,
    kind: "good",
  };
}
