// Positions of an account, reservations, orders that live (section 8, "Shared: accounts and orders").
import { ABOVE, BELOW, BUY, MAX_ACCOUNT, MAX_SUB, REDUCE_ONLY, SIDE_ABOVE, SIDE_BELOW } from "../constants.js";
import { type Step } from "../machine/step.js";
import * as phase from "../machine/phases.js";
import { handleOf, masterOf } from "../state/keys.js";
import type { Account, Market, Order, Position } from "../state/leaves.js";
import { max } from "./numbers.js";

/** The place with that market. */
export function positionIn(account: Account, market: bigint): Position | undefined {
  return account.positions.find((p) => p.market === market);
}

/** The place with that market, else the first free one. */
export function placeFor(account: Account, market: bigint): Position | undefined {
  return positionIn(account, market) ?? account.positions.find((p) => p.market === 0n);
}

export function freeIfEmpty(p: Position): void {
  if (p.size !== 0n || p.bids !== 0n || p.asks !== 0n || p.orders !== 0n) return;
  p.market = p.cost = p.funding = p.waited = 0n; // a free place is 64 zero bytes (section 5), so `waited` goes as well
}

export function reserve(p: Position, side: bigint, lots: bigint): void {
  if (side === BUY) p.bids += lots;
  else p.asks += lots;
}

export function release(p: Position, side: bigint, lots: bigint): void {
  reserve(p, side, -lots);
  freeIfEmpty(p);
}

/** The lots that an order of this side can close. */
export function closable(p: Position | undefined, side: bigint): bigint {
  if (p === undefined) return 0n;
  return side === BUY ? max(0n, -p.size) : max(0n, p.size);
}

export function pastDeadline(account: Account, time: bigint): boolean {
  return account.deadline !== 0n && account.deadline <= time;
}

export function isLive(order: Order, account: Account, time: bigint): boolean {
  return !pastDeadline(account, time) && (order.expiry === 0n || order.expiry > time);
}

export function exists(account: bigint, accounts: bigint): boolean {
  if (account > (MAX_SUB << 20n) + MAX_ACCOUNT) return false;
  const master = masterOf(account);
  return master >= 1n && master <= accounts;
}

// ── Flags (section 4) ──

export const timeInForce = (flags: bigint): bigint => flags & 3n;
export const selfTradeRule = (flags: bigint): bigint => (flags >> 3n) & 3n;
export const isReduceOnly = (flags: bigint): boolean => (flags & REDUCE_ONLY) !== 0n;
export const isArmed = (flags: bigint): boolean => (flags & (ABOVE | BELOW)) !== 0n;
/** GTC or post-only. */
export const canRest = (flags: bigint): boolean => (flags & 1n) === 0n;
export const armedSide = (flags: bigint): bigint => ((flags & ABOVE) !== 0n ? SIDE_ABOVE : SIDE_BELOW);

/** What the leaf of an order costs in margin. */
export const leafCost = (market: Market, flags: bigint): bigint =>
  canRest(flags) || isArmed(flags) ? market.order_margin : 0n;

/** Side and tick of the level on which an order waits. */
export function placeOf(order: Order): { side: bigint; tick: bigint } {
  return isArmed(order.flags)
    ? { side: armedSide(order.flags), tick: order.trigger }
    : { side: order.side, tick: order.price };
}

/** To *unlink the first* order of an account, going on with a phase. */
export function unlinkFirst({ r }: Step, id: bigint, account: Account, goOn: bigint): void {
  let slot = 0n;
  while (((account.orders >> slot) & 1n) === 0n) slot += 1n;
  r.cursor = handleOf(id, slot);
  r.next_phase = goOn;
  r.phase = phase.UNLINK;
}
