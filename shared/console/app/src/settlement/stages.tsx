// How far a batch is on its way to being final.
import type { PastBatch } from "../api/types";

export const STAGES = ["closed", "posted", "claimed", "confirmed"] as const;

export const MEANINGS: Record<string, string> = {
  executed: "Executed and durable at the operator; its receipt is signed",
  closed: "In a closed batch",
  posted: "Its inputs are on L1, for good",
  claimed: "Its end is claimed at the court; anybody may dispute it",
  confirmed: "Its end is confirmed, which is final",
};

export function Life({ stage }: { stage: PastBatch["stage"] }) {
  const at = STAGES.indexOf(stage as (typeof STAGES)[number]);
  return (
    <span class="life" role="img" aria-label={`${stage}: step ${at + 1} of ${STAGES.length}`} title={MEANINGS[stage]}>
      {STAGES.map((name, place) => (
        <i key={name} class={place <= at ? "done" : place === at + 1 ? "next" : ""} />
      ))}
      <span>{stage}</span>
    </span>
  );
}
