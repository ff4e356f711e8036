// Activity: what an owner's fills of late are worth in taker's fees (section 8, "Shared: legal fills", *Activity*).
import { ACTIVITY_DAYS, DAY, FADED_DAYS, MAX_ACTIVITY, PPM } from "../constants.js";
import type { Activity, Market } from "../state/leaves.js";
import { down, min } from "./numbers.js";

/** What is left of it at a time: a 28th less with each day. */
export function leftOf(activity: Activity, time: bigint): bigint {
  const days = down(time, DAY) - activity.day;
  if (days >= FADED_DAYS) return 0n;
  let left = activity.amount;
  for (let day = 0n; day < days; day++) left = down(left * (ACTIVITY_DAYS - 1n), ACTIVITY_DAYS);
  return left;
}

/** To *count* a fill worth v. */
export function countFill(activity: Activity, m: Market, v: bigint, time: bigint): void {
  activity.amount = min(leftOf(activity, time) + down(v * m.taker_fee, PPM), MAX_ACTIVITY);
  activity.day = down(time, DAY);
}
