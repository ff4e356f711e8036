// A batch's way to being final, with the L1 transactions that it is in.
import type { PastBatch } from "../api/types";
import { group, moment } from "../lib/format";
import { Hash } from "../ui/Hash";
import { Timeline } from "../ui/Timeline";
import { MEANINGS, STAGES } from "./stages";

export function Landings({ life }: { life: PastBatch }) {
  const at = STAGES.indexOf(life.stage as (typeof STAGES)[number]);
  return (
    <Timeline
      label="Its way to being final"
      steps={STAGES.map((stage, place) => {
        const landing = stage === "closed" ? undefined : life[stage];
        return {
          name: stage,
          about: MEANINGS[stage] ?? "",
          state: place <= at ? "done" : place === at + 1 ? "now" : "later",
          more:
            stage === "closed" ? (
              <span>{moment(life.time_ms)}</span>
            ) : landing ? (
              <span>
                block {group(landing.block)} · <Hash text={landing.transaction} />
              </span>
            ) : undefined,
        };
      })}
    />
  );
}
