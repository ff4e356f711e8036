// A false claim about an epoch: where it leaves the truth, with both states side by side, as far as L1 knows.
import { group } from "../lib/format";
import { link } from "../lib/route";
import { Hash } from "../ui/Hash";
import { Panel } from "../ui/Panel";
import { JudgedStepView } from "../watch/JudgedStepView";
import type { Difference } from "./worker";

const NOBODY = new Map<string, string>();

export function DifferencePanel({ difference }: { difference: Difference }) {
  const { step } = difference;
  const nameSide = (root: string): string =>
    step && step.leaves_said[root] === step.after ? "the true history" : "the history behind the claim";
  return (
    <Panel
      title={`Epoch ${group(difference.epoch)}: what was claimed is false`}
      aside={<a href={link("game", difference.key)}>Its dispute</a>}
    >
      <dl class="facts roomy">
        <div class="good">
          <dt>Its inputs come to</dt>
          <dd>
            <Hash text={difference.own} />
          </dd>
        </div>
        <div class="bad">
          <dt>{difference.isConfirmed ? "Claimed, and confirmed" : "Claimed"}</dt>
          <dd>
            <Hash text={difference.claimed} />
          </dd>
        </div>
      </dl>
      {step ? (
        <>
          <p class="lead inside">
            The first difference is in batch {group(step.batch)},{" "}
            {step.record === null ? (
              <>its message at input {group(step.input)}</>
            ) : (
              <a href={link("record", step.record)}>record {group(step.record)}</a>
            )}
            , step {group(step.step)}. Up to it both sides agree.
          </p>
          <JudgedStepView step={step} nameOwner={nameSide} out={NOBODY} />
        </>
      ) : (
        <p class="lead inside">
          {difference.moves
            ? `L1 has narrowed the difference down ${difference.moves} of 7 times so far: which record it is shows with the last move.`
            : "Nobody has shown a history of it on L1, only its end: at which record it leaves the truth cannot be told from that."}
        </p>
      )}
    </Panel>
  );
}
