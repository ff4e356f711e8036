// MARGIN (section 8): what a payment or an order must leave.
import { BACKSTOP_DEPOSIT, TRANSFER, WITHDRAW } from "../../codec/records.js";
import { BUY, FILL_OR_KILL } from "../../constants.js";
import type { Reason } from "../../reasons.js";
import { grantExit, isExit } from "../../rules/exits.js";
import { isExpired, isFreshAt, isOpen } from "../../rules/market.js";
import {
  allFresh, equityOf, feeOf, type Holdings, isLegal, openHoldings, orderMarginsOf, positions, requiredOf, settle,
  valueOf,
} from "../../rules/margin.js";
import { max, min } from "../../rules/numbers.js";
import {
  canRest, freeIfEmpty, isArmed, isReduceOnly, leafCost, pastDeadline, positionIn, release, timeInForce,
} from "../../rules/positions.js";
import type { Market, Position } from "../../state/leaves.js";
import * as phase from "../phases.js";
import { asOf, refuse, type Step } from "../step.js";

export function margin(step: Step): void {
  const { r } = step;
  const holdings = openHoldings(step, step.leaves.account(r.account));
  settle(holdings);
  if (r.kind === TRANSFER || r.kind === WITHDRAW || r.kind === BACKSTOP_DEPOSIT) return payment(step, holdings);
  const place = positionIn(holdings.account, r.market);
  const market = holdings.markets.get(r.market);
  if (place === undefined || market === undefined) throw new Error("an order without a position");
  if (isArmed(r.flags)) armedOrder(step, holdings, place, market);
  else order(step, holdings, place, market);
}

function payment(step: Step, holdings: Holdings): void {
  const { r } = step;
  // What waited in the queue is judged as of when it was sent.
  if (!allFresh(holdings, min(asOf(step), r.time))) return refuse(step, "stale_price");
  const free = equityOf(holdings) - requiredOf(holdings, r.winding_since, r.stamp === 0n ? "everywhere" : "nowhere");
  if (free < r.amount) return refuse(step, "insufficient_margin");
  if (isExit(r) && !grantExit(r, holdings.account, free)) return refuse(step, "withdrawals_limited");
  r.phase = r.kind === TRANSFER ? phase.TRANSFER : r.kind === WITHDRAW ? phase.WITHDRAW : phase.REQUEST;
}

function armedOrder(step: Step, holdings: Holdings, place: Position, market: Market): void {
  const { r } = step;
  const reason = armedReason(step, holdings, leafCost(market, r.flags));
  if (reason !== null) {
    freeIfEmpty(place);
    return refuse(step, reason);
  }
  r.sequence += 1n;
  r.phase = phase.REST;
}

function armedReason({ r }: Step, holdings: Holdings, leaf: bigint): Reason | null {
  const equity = max(0n, equityOf(holdings));
  if (isReduceOnly(r.flags)) return equity < orderMarginsOf(holdings) + leaf ? "insufficient_margin" : null;
  const holds = holdings.account.positions.some((p) => p.market !== 0n && p.size !== 0n);
  if (holds && !allFresh(holdings, r.time)) return "stale_price";
  return equity < requiredOf(holdings, r.winding_since, r.market) + leaf ? "insufficient_margin" : null;
}

function order(step: Step, holdings: Holdings, place: Position, market: Market): void {
  const { r } = step;
  const taken = isInTime(step, holdings, place, market) && isBorne(step, holdings, place, market);
  if (!taken || !isClear(step, holdings, place)) {
    release(place, r.side, r.size);
    return refuse(step, taken ? "stale_price" : "insufficient_margin");
  }
  r.sequence += 1n;
  r.scanning = timeInForce(r.flags) === FILL_OR_KILL ? 1n : 0n;
  r.phase = phase.MATCH;
}

const canOnlyClose = (place: Position, side: bigint): boolean =>
  side === BUY ? place.size + place.bids <= 0n : place.size - place.asks >= 0n;

function isInTime({ r }: Step, holdings: Holdings, place: Position, market: Market): boolean {
  if (r.winding_since !== 0n || isExpired(market, r.time) || pastDeadline(holdings.account, r.time)) return false;
  if (r.expiry !== 0n && r.expiry <= r.time) return false;
  return isOpen(market, r.time) || isReduceOnly(r.flags) || canOnlyClose(place, r.side);
}

function isBorne({ r }: Step, holdings: Holdings, place: Position, market: Market): boolean {
  const delta = r.side === BUY ? r.size : -r.size;
  const leaf = leafCost(market, r.flags);
  const equity = equityOf(holdings);
  const loss = max(0n, valueOf(market, delta, r.price - market.mark));
  const fee = feeOf(valueOf(market, r.size, r.price), market.taker_fee);
  if (equity - loss - fee >= requiredOf(holdings, r.winding_since, r.market) + leaf) return true;
  if (!canOnlyClose(place, r.side)) return false;
  if (!isLegal(holdings, r.market, delta, r.price, market.taker_fee)) return false;
  return !canRest(r.flags) || max(0n, equity) >= orderMarginsOf(holdings) + leaf;
}

/** What could be lost to another account while nobody may take it out does not open a position elsewhere. */
function isClear({ r }: Step, holdings: Holdings, place: Position): boolean {
  if (isReduceOnly(r.flags) || canOnlyClose(place, r.side)) return true;
  for (const [p, market] of positions(holdings)) {
    if (p.market !== r.market && p.size !== 0n && !isFreshAt(market, r.time)) return false;
  }
  return true;
}
