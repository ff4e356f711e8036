// Sides of the book: their bitmap words and best levels (section 8, "Sides of levels").
import { SIDE_ABOVE, SIDE_BELOW } from "../constants.js";
import type { Step } from "../machine/step.js";
import type { Market } from "../state/leaves.js";
import type { ReadWord } from "./bits.js";

/** The best level is the highest of sides 0 and 3, the lowest of sides 1 and 2. */
export const highestIsBest = (side: bigint): boolean => side === 0n || side === SIDE_BELOW;

export function sideWords(step: Step, market: bigint, side: bigint): ReadWord {
  return (depth, index) => step.leaves.bitmap(market, side, depth, index);
}

export function holderWords(step: Step, market: bigint): ReadWord {
  return (depth, index) => step.leaves.holders(market, depth, index);
}

export function bestOf(m: Market, side: bigint): bigint {
  if (side === 0n) return m.best_bid;
  if (side === 1n) return m.best_ask;
  return side === SIDE_ABOVE ? m.stop_above : m.stop_below;
}

export function setBest(m: Market, side: bigint, tick: bigint): void {
  if (side === 0n) m.best_bid = tick;
  else if (side === 1n) m.best_ask = tick;
  else if (side === SIDE_ABOVE) m.stop_above = tick;
  else m.stop_below = tick;
}
