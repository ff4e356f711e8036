// Going down a side level by level, as DESCEND and APPROACH do (section 8).
import type { Step } from "../machine/step.js";
import { best, nextWorse } from "./bits.js";
import { highestIsBest, sideWords } from "./book.js";

/** The best level of a side where `tick` is 0, else the next worse one; null if there is none. */
export function nextLevel(step: Step, market: bigint, side: bigint, tick: bigint): bigint | null {
  const words = sideWords(step, market, side);
  const highest = highestIsBest(side);
  return tick === 0n ? best(words, highest) : nextWorse(words, tick, highest);
}
