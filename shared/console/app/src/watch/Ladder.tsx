// The descent, the two histories side by side: at each level 32 parts of each, the same up to the first that differs.
import { group, shorten } from "../lib/format";
import { type Descent, LEVELS, nameLevel, splitPosition } from "./descent";

const PARTS = 32;

interface Props {
  descent: Descent;
  pair: readonly [string, string];
  nameOwner: (root: string) => string;
}

export function Ladder({ descent, pair, nameOwner }: Props) {
  const depth = descent.levels.length;
  return (
    <div class="ladder">
      <div class="rung head" aria-hidden="true">
        <span />
        {pair.map((root) => (
          <strong key={root}>{nameOwner(root)}</strong>
        ))}
      </div>
      {Array.from({ length: LEVELS }, (_, at) => {
        const level = descent.levels[at];
        const isNext = at === depth;
        return (
          <div key={at} class={`rung ${level ? "" : isNext ? "next" : "later"}`}>
            <span class="rung-name">
              {at + 1}. {nameLevel(at)}
            </span>
            {pair.map((root) => (
              <span key={root} class="strip">
                <span
                  class="parts"
                  role="img"
                  aria-label={
                    level
                      ? `${nameOwner(root)}: of 32 parts the first ${level.index} are the other's, part ${level.index + 1} is not`
                      : `${nameOwner(root)}: not opened yet`
                  }
                >
                  {Array.from({ length: PARTS }, (_, part) => (
                    <i
                      key={part}
                      class={
                        !level
                          ? ""
                          : part < level.index
                            ? "same"
                            : part === level.index
                              ? `differs ${tint(descent, root)}`
                              : "beyond"
                      }
                    />
                  ))}
                </span>
                <span class="said-part quiet">
                  {level ? (
                    <>
                      part {level.index + 1} is <span class="mono">{shorten(level.said[root] ?? "", 4)}</span>
                    </>
                  ) : isNext && !descent.out.size ? (
                    "the next move opens this"
                  ) : (
                    "\u00a0"
                  )}
                </span>
              </span>
            ))}
          </div>
        );
      })}
      <p class="where">{tellWhere(descent)}</p>
      <p class="legend quiet">
        <span class="parts-key same" aria-hidden="true" /> both say the same ·{" "}
        {descent.out.size ? (
          <>
            <span class="parts-key differs true" aria-hidden="true" /> true,{" "}
            <span class="parts-key differs false" aria-hidden="true" /> false: the first part in which they differ
          </>
        ) : (
          <>
            <span class="parts-key differs" aria-hidden="true" /> the first part in which they differ
          </>
        )}{" "}
        · <span class="parts-key" aria-hidden="true" /> not looked at: the first difference decides
      </p>
    </div>
  );
}

/** The colour of what a side says: false or true, once that is known. */
function tint(descent: Descent, root: string): string {
  if (descent.out.has(root)) return "false";
  return descent.out.size ? "true" : "";
}

function tellWhere(descent: Descent) {
  const { batch, input, micro } = splitPosition(descent.first);
  const depth = descent.levels.length;
  if (depth === LEVELS)
    return (
      <>
        They agree on everything before <strong>step {group(micro)}</strong> of <strong>input {group(input)}</strong> in{" "}
        <strong>batch {batch}</strong> of the epoch, and differ in what that step makes of it.
      </>
    );
  if (!depth) return <>They differ somewhere among {group(2 ** 35)} positions: seven moves find the first.</>;
  return (
    <>
      The first difference is among {group(descent.count)} of {group(2 ** 35)} positions, from batch {batch}, input{" "}
      {group(input)} on.
    </>
  );
}
