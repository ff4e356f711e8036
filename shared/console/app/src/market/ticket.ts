// What is being ordered, what it would cost, and why the exchange would refuse it: reckoned before anything is signed.
import { computed, signal } from "@preact/signals";
import { info, market, status } from "../api/exchange";
import type { Market } from "../api/types";
import { connection } from "../api/stream";
import { fromSteps, fromUnits, toSteps } from "../lib/scales";
import { account } from "../wallet/account";
import type { Side, TimeInForce } from "../wallet/orders";
import { wallet } from "../wallet/wallet";
import { book } from "./book";

export type Kind = "limit" | "market";

export const side = signal<Side>("buy");
export const kind = signal<Kind>("limit");
export const price = signal("");
export const size = signal("");
export const timeInForce = signal<TimeInForce>("gtc");
export const isReduceOnly = signal(false);

const PPM = 1_000_000n;
/** How far from the mark a market order may trade, ppm, as the other clients have it. */
const SLIPPAGE = 10_000n;

/** Ticks; of a market order the worst price that it takes. */
export const ticks = computed<bigint | undefined>(() => {
  const terms = market.value;
  if (!terms) return undefined;
  if (kind.value === "limit") return toSteps(price.value, terms.tick_size);
  if (!terms.mark) return undefined;
  const slippage = SLIPPAGE < BigInt(terms.band) ? SLIPPAGE : BigInt(terms.band);
  const away = (BigInt(terms.mark) * slippage) / PPM;
  return side.value === "buy" ? BigInt(terms.mark) + away : BigInt(terms.mark) - away;
});

export const lots = computed<bigint | undefined>(() => {
  const terms = market.value;
  return terms ? toSteps(size.value, terms.lot_size) : undefined;
});

export interface Cost {
  /** Token units, as the next. */
  readonly value: bigint;
  readonly margin: bigint;
  readonly fee: bigint;
  /** Lots that the book would fill at once. */
  readonly crossing: bigint;
  /** Of these, the average price in ticks, times 1000. */
  readonly average: bigint | undefined;
}

/** What the order costs at its worst: initial margin of its whole size, the taker's fee on it. */
export const cost = computed<Cost | undefined>(() => {
  const terms = market.value;
  if (!terms || !ticks.value || !lots.value) return undefined;
  const unit = BigInt(terms.unit);
  const value = ticks.value * lots.value * unit;
  let left = lots.value;
  let crossing = 0n;
  let paid = 0n;
  const rows = side.value === "buy" ? book.value.asks : book.value.bids;
  for (const row of rows) {
    const isWorse = side.value === "buy" ? BigInt(row.price) > ticks.value : BigInt(row.price) < ticks.value;
    if (isWorse || left === 0n) break;
    const taken = row.size < left ? row.size : left;
    crossing += taken;
    paid += taken * BigInt(row.price);
    left -= taken;
  }
  return {
    value,
    margin: ceil(value * BigInt(terms.initial_margin), PPM),
    fee: ceil((crossing ? paid * unit : 0n) * BigInt(Math.max(terms.taker_fee, 0)), PPM),
    crossing,
    average: crossing ? (paid * 1000n) / crossing : undefined,
  };
});

/** Why it would be refused, for people; "" where nothing speaks against it. The exchange has the last word. */
export const obstacle = computed<string>(() => {
  const terms = market.value;
  if (!terms) return "";
  const ordered = findOrderObstacle(terms);
  if (connection.value.state === "lost") return "the exchange does not answer: nothing can be sent to it now";
  const closed = status.value?.obstacle;
  if (closed) return `the exchange takes no records now: ${closed.detail} (${closed.reason})`;
  if (!wallet.value) return "connect a wallet to trade";
  if (!account.value) return "deposit first: the account begins with its first deposit";
  return ordered;
});

function findOrderObstacle(terms: Market): string {
  if (terms.is_settled) return "this market is settled";
  if (!terms.index || !terms.is_fresh) return "there is no fresh price of this market (no_price)";
  if (terms.halted_until) return "this market is halted: it opens again with an auction";
  if (size.value && lots.value === undefined) return `the size comes in steps of ${terms.lot_size} ${terms.base}`;
  if (kind.value === "limit" && price.value && ticks.value === undefined)
    return `the price comes in steps of ${terms.tick_size} ${terms.quote}`;
  if (!ticks.value || !lots.value) return "";
  const away = (BigInt(terms.mark) * BigInt(terms.band)) / PPM;
  const mark = BigInt(terms.mark);
  const isBeyond = side.value === "buy" ? ticks.value > mark + away : ticks.value < mark - away;
  if (isBeyond) {
    const edge = fromSteps(side.value === "buy" ? mark + away : mark - away, terms.tick_size);
    return `the price is beyond the band around the mark, which ends at ${edge} (price_band)`;
  }
  if (timeInForce.value === "post_only" && cost.value?.crossing) return "it would trade at once (would_cross)";
  const free = account.value ? BigInt(account.value.free) : 0n;
  const needed = (cost.value?.margin ?? 0n) + (cost.value?.fee ?? 0n);
  const held = BigInt(account.value?.positions.find((each) => each.market === terms.market)?.size ?? "0");
  const isReducing = side.value === "buy" ? held < 0n : held > 0n;
  if (!isReducing && needed > free) {
    const decimals = info.value?.collateral.decimals ?? 6;
    return `it needs ${fromUnits(needed, decimals)} ${terms.quote} of margin and fees, and ${fromUnits(free, decimals)} are free (insufficient_margin)`;
  }
  return "";
}

function ceil(value: bigint, by: bigint): bigint {
  return (value + by - 1n) / by;
}
