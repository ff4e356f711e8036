// The judged step in words: what was asked for, which rule ran, what it changed, and what each side made of it. A watcher
// runs it for its console; an operator's console has the verifier in this browser run it.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { config } from "../api/exchange";
import { get } from "../api/http";
import { group } from "../lib/format";
import { usePolled } from "../lib/poll";
import { Panel } from "../ui/Panel";
import { verifiersNode } from "../verify/node";
import { startVerifier } from "../verify/start";
import type { Told } from "../verify/worker";
import { JudgedStepView } from "./JudgedStepView";
import type { Game, JudgedStep } from "./types";

interface Props {
  game: Game;
  nameOwner: (root: string) => string;
  out: ReadonlyMap<string, string>;
}

export function JudgedPanel({ game, nameOwner, out }: Props) {
  const isWatcher = config.value.role === "watcher";
  const { key, epoch } = game.claim;
  const own = useSignal<JudgedStep | undefined>(undefined);
  const polled = usePolled(async () => (isWatcher ? get<JudgedStep>(`/v1/games/${key}/step`) : undefined), 0, [key]);
  const step = polled.value.data ?? own.value;
  const title = out.size ? "The step that L1 judged" : "The step in question";
  if (!step) {
    return (
      <Panel title={title}>
        {isWatcher ? (
          <p class={polled.value.error ? "said bad" : "nothing"}>
            {polled.value.error || "The watcher runs it again…"}
          </p>
        ) : (
          <RunHere epoch={epoch} found={(value) => (own.value = value)} />
        )}
      </Panel>
    );
  }
  return (
    <Panel
      title={title}
      aside={
        <span class="quiet">
          batch {group(step.batch)}, input {group(step.input)}, step {group(step.step)}
        </span>
      }
    >
      <JudgedStepView step={step} nameOwner={nameOwner} out={out} />
    </Panel>
  );
}

function RunHere({ epoch, found }: { epoch: number; found: (step: JudgedStep) => void }) {
  const said = useSignal("");
  const worker = useRef<Worker | undefined>(undefined);
  useEffect(() => () => worker.current?.terminate(), []);
  const take = (told: Told): void => {
    if (told.kind === "difference" && told.difference.epoch === epoch && told.difference.step)
      found(told.difference.step);
    else if (told.kind === "failed") said.value = told.text;
    else if (told.kind === "batch") said.value = `Batch ${told.finding.batch} is run…`;
  };
  if (!verifiersNode.value)
    return (
      <p class="nothing">
        The page of a watcher shows it in words: this one was told of no L1 node to read the inputs from. A wallet brings one.
      </p>
    );
  return (
    <div class="inside verify-bar">
      <button
        type="button"
        onClick={() => {
          said.value = "Reading L1…";
          worker.current = startVerifier(take, epoch);
        }}
      >
        Run the step in your browser
      </button>
      <span role="status">{said.value || `Every batch up to it, from L1 as ${verifiersNode.value.name} has it, by the second verifier.`}</span>
    </div>
  );
}
