// A market's book, kept up to date and checked against the exchange's checksums.
import { effect, signal } from "@preact/signals";
import { marketNumber } from "../api/exchange";
import { renew, subscribe } from "../api/stream";
import type { BookUpdate, Level } from "../api/types";
import { crc32 } from "../lib/crc32";
import { nextFrame } from "../lib/frames";
import { Side } from "./side";

export interface Row {
  readonly price: number;
  readonly size: bigint;
  /** Of this level and all better ones. */
  readonly total: bigint;
}

export interface Book {
  readonly market: number;
  readonly bids: readonly Row[];
  readonly asks: readonly Row[];
}

const SHOWN = 40;
const CHECKED = 10;

export const book = signal<Book>({ market: 0, bids: [], asks: [] });
/** Updates whose checksum was right, and gaps or wrong ones after which the book was asked for anew. */
export const bookChecks = signal({ right: 0, renewed: 0 });

const sides = { bids: new Side(-1), asks: new Side(1) };
/** Counted at each update, shown once a frame. */
const checks = { right: 0, renewed: 0 };
let sequence = 0;

effect(() => {
  const market = marketNumber.value;
  sequence = 0;
  book.value = { market, bids: [], asks: [] };
  return subscribe<BookUpdate>("book", { market }, (update) => take(market, update));
});

function take(market: number, update: BookUpdate): void {
  if (update.kind === "snapshot") {
    sides.bids.clear();
    sides.asks.clear();
  } else if (update.sequence !== sequence + 1) {
    again(market);
    return;
  }
  sequence = update.sequence;
  apply(sides.bids, update.bids);
  apply(sides.asks, update.asks);
  nextFrame(() => draw(market));
  if (checksum() === update.checksum) checks.right++;
  else again(market);
}

function again(market: number): void {
  sequence = -1;
  checks.renewed++;
  renew("book", { market });
}

function apply(side: Side, levels: readonly Level[]): void {
  for (const level of levels) side.set(level.price, BigInt(level.size));
}

function checksum(): number {
  const best = [...sides.bids.best(CHECKED), ...sides.asks.best(CHECKED)];
  return crc32(best.map(([price, size]) => `${price}:${size}`).join("|"));
}

function draw(market: number): void {
  bookChecks.value = { ...checks };
  if (market !== marketNumber.peek()) return;
  book.value = { market, bids: pile(sides.bids.best(SHOWN)), asks: pile(sides.asks.best(SHOWN)) };
}

function pile(levels: readonly [number, bigint][]): Row[] {
  let total = 0n;
  return levels.map(([price, size]) => ({ price, size, total: (total += size) }));
}
