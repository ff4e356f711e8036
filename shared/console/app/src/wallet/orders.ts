// Orders of the account: placed in a free slot, taken back.
import { info, status } from "../api/exchange";
import type { Market, Result } from "../api/types";
import { group } from "../lib/format";
import { fromSteps } from "../lib/scales";
import { account } from "./account";
import { submit, submitOnce } from "./records";

export type Side = "buy" | "sell";
export type TimeInForce = "gtc" | "ioc" | "post_only" | "fok";

/** The protocol's numbers of an order's flags (section 4). */
const FLAGS: Record<TimeInForce, number> = { gtc: 0, ioc: 1, post_only: 2, fok: 3 };
const REDUCE_ONLY = 4;
const AT_ONCE_SECONDS = 60;

export interface Wanted {
  readonly market: Market;
  readonly side: Side;
  /** Ticks. */
  readonly price: bigint;
  /** Lots. */
  readonly size: bigint;
  readonly timeInForce: TimeInForce;
  readonly isReduceOnly: boolean;
}

/** What it is, for people. */
export function tellOrder({ market, side, price, size }: Wanted): string {
  const lots = group(fromSteps(size, market.lot_size));
  return `the order to ${side} ${lots} ${market.base} at ${group(fromSteps(price, market.tick_size))}`;
}

const busy = new Set<number>();

/** Throws what the exchange says; Pending if it may have been taken. `text`: what it is, for people. */
export async function place(wanted: Wanted, text: string): Promise<Result> {
  const slot = findSlot();
  busy.add(slot);
  const isAtOnce = wanted.timeInForce === "ioc" || wanted.timeInForce === "fok";
  try {
    return await submitOnce({ name: "Order", text }, {
      market: wanted.market.market,
      side: wanted.side === "buy" ? 0 : 1,
      flags: FLAGS[wanted.timeInForce] | (wanted.isReduceOnly ? REDUCE_ONLY : 0),
      order_slot: slot,
      price: wanted.price,
      size: wanted.size,
      expiry: isAtOnce ? (status.value?.l1_time ?? 0) + AT_ONCE_SECONDS : 0,
    });
  } finally {
    setTimeout(() => busy.delete(slot), 2_000);
  }
}

export async function cancel(slot: number): Promise<Result> {
  return submit("Cancel", { order_slot: slot });
}

export async function cancelAll(): Promise<Result> {
  return submit("CancelAll", {});
}

function findSlot(): number {
  const taken = new Set([...(account.value?.orders ?? []).map((order) => order.order_slot), ...busy]);
  const most = info.value?.limits.max_order_slot ?? 255;
  for (let slot = 0; slot <= most; slot++) if (!taken.has(slot)) return slot;
  throw new Error(`all ${most + 1} order slots are taken: cancel an order first`);
}
