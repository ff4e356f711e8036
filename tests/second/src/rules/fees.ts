// What fills cost (section 8, "Shared: legal fills": rates, the fees of a fill, the liquidation fee).
import { LIQUIDATION } from "../codec/records.js";
import { BUY, LIQUIDATION_PART, PPM } from "../constants.js";
import type { Market, Terms } from "../state/leaves.js";
import { feeOf, valueOf } from "./margin.js";
import { clamp, down, max, min } from "./numbers.js";

/** The maker's rate, by which its orders are weighed: a rebate is not counted on. Also that of an auction. */
export const makerRate = (m: Market): bigint => max(0n, m.maker_fee);

/** Of the two sides of a fill: activities, or fees. */
interface Sides {
  readonly taker: bigint;
  readonly maker: bigint;
}

/** What a side *saves* on a fill worth v, by the activity of its owner. */
function saved(m: Market, t: Terms, v: bigint, saving: bigint, activity: bigint): bigint {
  const counted = min(v * m.taker_fee, t.high * PPM);
  return down(counted * saving * (clamp(t.low, activity, t.high) - t.low), PPM * PPM * (t.high - t.low));
}

/** *The fees of a fill* worth v, by what is left of both activities. */
export function feesOfFill(m: Market, t: Terms, v: bigint, kind: bigint, activities: Sides): Sides {
  const liquidates = kind === LIQUIDATION;
  let taker = liquidates ? 0n : feeOf(v, m.taker_fee);
  let maker = feeOf(v, m.maker_fee);
  let most = taker;
  if (t.high !== 0n) {
    maker -= saved(m, t, v, t.maker_saving, activities.maker);
    if (!liquidates) taker -= saved(m, t, v, t.taker_saving, activities.taker);
    most = down(taker * t.most_rebate, PPM);
  }
  return { taker, maker: max(maker, -most) };
}

/** *The liquidation fee* of a fill of n lots at a tick: never more than what the tick is better than the least price. */
export function liquidationFee(m: Market, side: bigint, n: bigint, tick: bigint, leastPrice: bigint): bigint {
  const better = side === BUY ? leastPrice - tick : tick - leastPrice;
  const usual = feeOf(valueOf(m, n, tick), down(m.maintenance_margin, LIQUIDATION_PART));
  return min(usual, valueOf(m, n, better));
}
