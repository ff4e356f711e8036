// Auctions (section 8, "Shared: calls and auctions").
import { CRANK } from "../codec/records.js";
import * as phase from "../machine/phases.js";
import { finish, pause, type Step } from "../machine/step.js";
import type { Account, Market, Order } from "../state/leaves.js";
import { max, middle, min } from "./numbers.js";
import { closable, isLive, isReduceOnly, positionIn } from "./positions.js";

export function beginAuction({ r }: Step, m: Market): void {
  r.bid = r.bid_tick = r.ask = r.ask_tick = r.surplus = 0n;
  r.clearing = m.best_ask;
  r.ceiling = m.best_bid;
  r.level_side = 0n;
  r.phase = phase.APPROACH;
}

export function endAuction(step: Step): void {
  const { r } = step;
  r.peer = r.lots = r.matches = r.bid = r.bid_tick = r.ask = r.ask_tick = r.clearing = 0n;
  if (r.kind === CRANK) finish(step);
  else r.phase = phase.ADMIT;
}

/** To pause an auction: what follows sets no outcome any more. */
export function pauseAuction(step: Step, goOn: bigint): void {
  if (step.r.return_phase === phase.IDLE) step.r.return_phase = phase.LEG;
  pause(step, goOn);
}

/** The lots that an order offers. */
export function offered(order: Order, account: Account, time: bigint): bigint {
  if (!isLive(order, account, time)) return 0n;
  if (!isReduceOnly(order.flags)) return order.size;
  return min(order.size, closable(positionIn(account, order.market), order.side));
}

/** *The clearing price*: most lots, least surplus, next to the index. */
export function clearingPrice(index: bigint, a: bigint, b: bigint, nextBid: bigint, nextAsk: bigint): bigint {
  const least = max(a, min(nextBid + 1n, b));
  const most = min(b, max(nextAsk - 1n, a));
  return middle(index, least, most);
}
