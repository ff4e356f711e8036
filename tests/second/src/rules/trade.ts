// What a fill does to the two accounts and the market (section 8, "Shared: legal fills", second half).
import { BUY } from "../constants.js";
import type { Account, Market } from "../state/leaves.js";
import { valueOf } from "./margin.js";
import { abs, max, trunc } from "./numbers.js";
import { placeFor, positionIn, release, reserve } from "./positions.js";

/** *One side of a trade* of delta lots with a fee in token units. `side` is that of the account's order, whose lots are released. */
export function tradeSide(
  account: Account, marketId: bigint, m: Market, delta: bigint, price: bigint, fee: bigint, side: bigint,
): void {
  const p = positionIn(account, marketId);
  if (p === undefined) throw new Error("a trade without a position");
  const v = valueOf(m, delta, price);
  account.collateral -= v + fee;
  m.insurance += fee;
  m.revenue += fee;
  m.open_interest -= max(p.size, 0n);
  if (p.size === 0n) p.funding = m.funding;
  if (p.size === 0n || p.size > 0n === delta > 0n) p.cost += v;
  else if (abs(delta) <= abs(p.size)) p.cost -= trunc(p.cost * abs(delta), abs(p.size));
  else p.cost = valueOf(m, p.size + delta, price);
  p.size += delta;
  m.open_interest += max(p.size, 0n);
  release(p, side, abs(delta));
}

/** *Trade across*, beside the book: the account in flight on `side`, another on the other side, n lots, fee 0. */
export function tradeAcross(
  account: Account, other: Account, marketId: bigint, m: Market, side: bigint, n: bigint, price: bigint,
): void {
  const mine = placeFor(account, marketId);
  const theirs = placeFor(other, marketId);
  if (mine === undefined || theirs === undefined) throw new Error("a trade without a position");
  reserve(mine, side, n);
  reserve(theirs, 1n - side, n);
  const delta = side === BUY ? n : -n;
  tradeSide(account, marketId, m, delta, price, 0n, side);
  tradeSide(other, marketId, m, -delta, price, 0n, 1n - side);
}
