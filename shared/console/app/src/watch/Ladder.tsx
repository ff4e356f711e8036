// The descent: at each level 32 parts, up to the first in which the two histories differ.
import { group, shorten } from "../lib/format";
import { type Descent, LEVELS, nameLevel, splitPosition } from "./descent";

const PARTS = 32;

interface Props {
  descent: Descent;
  pair: readonly [string, string];
  nameOwner: (root: string) => string;
}

export function Ladder({ descent, pair, nameOwner }: Props) {
  const { batch, input, micro } = splitPosition(descent.first);
  const depth = descent.levels.length;
  return (
    <div class="ladder">
      {Array.from({ length: LEVELS }, (_, at) => {
        const level = descent.levels[at];
        const next = at === depth;
        return (
          <div key={at} class={`rung ${level ? "" : next ? "next" : "later"}`}>
            <span class="rung-name">{nameLevel(at)}</span>
            <span
              class="parts"
              role="img"
              aria-label={
                level
                  ? `of 32 parts they agree on ${level.index}, and differ first in part ${level.index}`
                  : "not looked at yet"
              }
            >
              {Array.from({ length: PARTS }, (_, part) => (
                <i
                  key={part}
                  class={!level ? "" : part < level.index ? "same" : part === level.index ? "differs" : "beyond"}
                />
              ))}
            </span>
            <span class="rung-said">
              {level ? (
                pair.map((root) => (
                  <span key={root}>
                    {nameOwner(root)} <span class="mono">{shorten(level.said[root] ?? "", 4)}</span>
                  </span>
                ))
              ) : (
                <span class="quiet">{next ? "next move" : ""}</span>
              )}
            </span>
          </div>
        );
      })}
      <p class="where">
        {depth === LEVELS ? (
          <>
            They agree on everything before <strong>step {group(micro)}</strong> of{" "}
            <strong>input {group(input)}</strong> in <strong>batch {batch}</strong> of the epoch, and differ in what
            that step makes of it.
          </>
        ) : depth ? (
          <>
            The first difference is among {group(descent.count)} of {group(2 ** 35)} positions, from batch {batch},
            input {group(input)} on.
          </>
        ) : (
          <>They differ somewhere among {group(2 ** 35)} positions.</>
        )}
      </p>
    </div>
  );
}
