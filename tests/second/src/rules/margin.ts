// Equity, margins and tiers (section 8, "Shared: equity, margins and tiers"). All in token units.
import { PPM, SCALE_ONE } from "../constants.js";
import type { Step } from "../machine/step.js";
import type { Account, Market, Position } from "../state/leaves.js";
import { isFreshAt, settleFunding } from "./market.js";
import { abs, down, max, up } from "./numbers.js";
import { positionIn } from "./positions.js";

/** An account with the markets of its positions. */
export interface Holdings {
  readonly account: Account;
  readonly markets: ReadonlyMap<bigint, Market>;
}

/** Reads the markets of an account's places in use, in place order: they are leaves of the step. */
export function openHoldings(step: Step, account: Account): Holdings {
  const markets = new Map<bigint, Market>();
  for (const p of account.positions) if (p.market !== 0n) markets.set(p.market, step.leaves.market(p.market));
  return { account, markets };
}

export function* positions({ account, markets }: Holdings): Generator<[Position, Market]> {
  for (const p of account.positions) {
    const market = p.market === 0n ? undefined : markets.get(p.market);
    if (market !== undefined) yield [p, market];
  }
}

/** *Settling an account*: the funding of each place. */
export function settle(holdings: Holdings): void {
  for (const [p, market] of positions(holdings)) settleFunding(holdings.account, p, market);
}

export function allFresh(holdings: Holdings, time: bigint): boolean {
  for (const [, market] of positions(holdings)) if (!isFreshAt(market, time)) return false;
  return true;
}

export const valueOf = (market: Market, lots: bigint, price: bigint): bigint => lots * price * market.unit;

/** `fee(v, rate)`: rounded toward +∞, charges up and rebates toward zero. */
export const feeOf = (value: bigint, rate: bigint): bigint => up(value * rate, PPM);

export function equityOf(holdings: Holdings): bigint {
  let equity = holdings.account.collateral;
  for (const [p, market] of positions(holdings)) equity += valueOf(market, p.size, market.mark);
  return equity;
}

function weight(market: Market, lots: bigint, f: bigint, f1: bigint, f2: bigint): bigint {
  let total = lots * f;
  if (market.tier1_size !== 0n) total += max(0n, lots - market.tier1_size) * (f1 - f);
  if (market.tier2_size !== 0n) total += max(0n, lots - market.tier2_size) * (f2 - f1);
  return total;
}

function marginOf(market: Market, weighed: bigint): bigint {
  return market.settled !== 0n ? 0n : up(valueOf(market, weighed, market.mark), PPM);
}

/** Some way from a weight to that of full margin. */
function scaled(market: Market, lots: bigint, weighed: bigint): bigint {
  return weighed + down((lots * PPM - weighed) * market.scale, SCALE_ONE);
}

/** `initial(n)`, or `risen(n)`: the same at the market's scale. */
function initialMargin(market: Market, lots: bigint, risen: boolean): bigint {
  if (lots === 0n || market.settled !== 0n) return 0n;
  const weighed = weight(market, lots, market.initial_margin, market.tier1_initial, market.tier2_initial);
  return marginOf(market, risen ? scaled(market, lots, weighed) : weighed) + market.order_margin;
}

export function maintenanceMargin(market: Market, lots: bigint): bigint {
  return marginOf(
    market,
    weight(market, lots, market.maintenance_margin, market.tier1_maintenance, market.tier2_maintenance),
  );
}

export function closeOutMargin(market: Market, lots: bigint): bigint {
  return marginOf(market, lots * market.close_out);
}

/** In which markets *required* counts `risen` instead of `initial`: none, all, or one, by its number. */
export type Risen = "nowhere" | "everywhere" | bigint;

/** *Required*: the initial margin of the largest position that orders can lead to, and the order margins. */
export function requiredOf(holdings: Holdings, windingSince: bigint, where: Risen): bigint {
  let total = 0n;
  for (const [p, market] of positions(holdings)) {
    const risen = where === "everywhere" || where === p.market;
    if (windingSince !== 0n) {
      total += initialMargin(market, abs(p.size), risen);
    } else {
      const worst = max(abs(p.size + p.bids), abs(p.size - p.asks));
      total += initialMargin(market, worst, risen) + p.orders * market.order_margin;
    }
  }
  return total;
}

export function orderMarginsOf(holdings: Holdings): bigint {
  let total = 0n;
  for (const [p, market] of positions(holdings)) total += p.orders * market.order_margin;
  return total;
}

/** Whether a fill of `delta` lots only closes: it is not of the sign of the position, nor larger. */
const onlyCloses = (size: bigint, delta: bigint): boolean =>
  (size > 0n) !== (delta > 0n) && abs(delta) <= abs(size);

/** Whether a fill of `delta` lots (signed) is *legal* for an account (section 8, "Shared: legal fills"). */
export function isLegal(holdings: Holdings, marketId: bigint, delta: bigint, price: bigint, rate: bigint): boolean {
  const market = holdings.markets.get(marketId);
  if (market === undefined) return false;
  let before = 0n;
  let after = 0n;
  for (const [p, other] of positions(holdings)) {
    const filled = p.market === marketId;
    const risen = filled && !onlyCloses(p.size, delta);
    before += initialMargin(other, abs(p.size), risen);
    after += initialMargin(other, abs(filled ? p.size + delta : p.size), risen);
  }
  const equity = equityOf(holdings);
  const change = valueOf(market, delta, market.mark - price) - feeOf(valueOf(market, abs(delta), price), rate);
  if (equity + change >= after) return true;
  return after < before && (equity + change) * before >= equity * after;
}

/** The lots of a position's orders on a side. */
const reservedOn = (p: Position, side: bigint): bigint => (side === 0n ? p.bids : p.asks);

/**
 * Whether a maker is *sure*: it can fill all its open orders of that side, however they come (section 8, PROBE,
 * "Fill-or-kill"). `bound` is the taker's price, or what stands for it.
 */
export function isSure(
  holdings: Holdings, marketId: bigint, side: bigint, reduceOnly: boolean, bound: bigint, rate: bigint,
  windingSince: bigint,
): boolean {
  const market = holdings.markets.get(marketId);
  const p = positionIn(holdings.account, marketId);
  if (market === undefined || p === undefined) return false;
  const n = reservedOn(p, side);
  const delta = side === 0n ? n : -n;
  if (reduceOnly && n > (side === 0n ? max(0n, -p.size) : max(0n, p.size))) return false;
  const best = side === 0n ? market.best_bid : market.best_ask;
  const loss = max(0n, valueOf(market, delta, best - market.mark));
  const fees = feeOf(valueOf(market, n, max(best, bound)), rate) + 255n;
  return equityOf(holdings) - loss - fees >= requiredOf(holdings, windingSince, marketId);
}
