// Verify in your browser: nobody's word, but L1's and one's own processor's.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Hex } from "viem";
import { config, info } from "../api/exchange";
import { group } from "../lib/format";
import { link } from "../lib/route";
import { Hash } from "../ui/Hash";
import { Panel } from "../ui/Panel";
import { Stat } from "../ui/Stat";
import { Table } from "../ui/Table";
import type { Finding, Task, Told } from "./worker";

export default function VerifyPage() {
  const findings = useSignal<readonly Finding[]>([]);
  const state = useSignal<{ text: string; kind: "" | "good" | "bad" | "warn" }>({ text: "", kind: "" });
  const isRunning = useSignal(false);
  const worker = useRef<Worker | undefined>(undefined);
  useEffect(() => () => worker.current?.terminate(), []);

  const begin = (): void => {
    const terms = info.value;
    if (!terms) return;
    worker.current?.terminate();
    findings.value = [];
    isRunning.value = true;
    state.value = { text: "Reading L1…", kind: "" };
    const made = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.current = made;
    made.onmessage = (event: MessageEvent<Told>) => take(event.data);
    made.onerror = (event) => take({ kind: "failed", text: event.message || "the worker could not start" });
    const task: Task = {
      rpcUrl: config.value.rpc_url,
      vault: terms.vault as Hex,
      backstopDelay: terms.limits.backstop_delay,
    };
    made.postMessage(task);
  };

  const take = (told: Told): void => {
    if (told.kind === "genesis") {
      if (told.own !== told.l1) {
        state.value = { text: "The exchange on L1 began in another state than the protocol's genesis.", kind: "bad" };
        worker.current?.terminate();
        isRunning.value = false;
      } else state.value = { text: "Genesis is the protocol's. Running the batches…", kind: "" };
    } else if (told.kind === "batch") findings.value = [told.finding, ...findings.value];
    else {
      isRunning.value = false;
      state.value = told.kind === "failed" ? { text: told.text, kind: "bad" } : conclude(findings.value);
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
      <div class="verify-bar">
        <button
          type="button"
          class="primary"
          disabled={isRunning.value || !info.value || !config.value.rpc_url}
          onClick={begin}
        >
          {isRunning.value ? "Verifying…" : "Verify every batch"}
        </button>
        <span class={state.value.kind === "bad" ? "bad" : "quiet"} role="status">
          {config.value.rpc_url
            ? state.value.kind === "bad" || state.value.kind === ""
              ? state.value.text
              : ""
            : "This page was told of no L1 node that it may ask."}
        </span>
      </div>
      {(state.value.kind === "good" || state.value.kind === "warn") && (
        <p class={`callout ${state.value.kind}`}>{state.value.text}</p>
      )}
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
  if (confirmed)
    return mark(confirmed === finding.end, "confirmed, the same", "CONFIRMED, BUT NOT WHAT YOUR BROWSER FINDS");
  if (claimed) return mark(claimed === finding.end, "claimed, the same", "claimed is another end: a lie");
  return <span class="quiet">not claimed yet</span>;
}

function mark(isSame: boolean, good: string, bad: string) {
  return isSame ? <span class="good">✓ {good}</span> : <span class="bad">✗ {bad}</span>;
}

function conclude(findings: readonly Finding[]): { text: string; kind: "good" | "warn" } {
  const ends = findings.filter((each) => each.epoch);
  const other = ends.findLast((each) => {
    const said = each.epoch?.confirmed ?? each.epoch?.claimed;
    return said !== undefined && said !== each.end;
  });
  if (other) {
    return {
      text: `The first difference is in epoch ${other.epoch?.number}: what L1 has of it is not what its inputs come to.`,
      kind: "warn",
    };
  }
  const held = ends.filter((each) => each.epoch?.confirmed ?? each.epoch?.claimed).length;
  return {
    text: `Your browser comes to the same end as L1 in each of ${held} epochs that are claimed or confirmed.`,
    kind: "good",
  };
}
