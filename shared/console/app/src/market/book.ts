// A market's book, kept up to date and checked against the exchange's checksums.
import { effect, signal } from "@preact/signals";
import { marketNumber } from "../api/exchange";
import { renew, subscribe } from "../api/stream";
import type { BookUpdate, Level } from "../api/types";
import { crc32 } from "../lib/crc32";
import { nextFrame } from "../lib/frames";

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

const sides = { bids: new Map<number, bigint>(), asks: new Map<number, bigint>() };
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
  if (checksum() === update.checksum) bookChecks.value = { ...bookChecks.peek(), right: bookChecks.peek().right + 1 };
  else again(market);
}

function again(market: number): void {
  sequence = -1;
  bookChecks.value = { ...bookChecks.peek(), renewed: bookChecks.peek().renewed + 1 };
  renew("book", { market });
}

function apply(side: Map<number, bigint>, levels: readonly Level[]): void {
  for (const level of levels) {
    const size = BigInt(level.size);
    if (size) side.set(level.price, size);
    else side.delete(level.price);
  }
}

function sort(side: Map<number, bigint>, direction: number, most: number): [number, bigint][] {
  return [...side].sort((one, other) => direction * (one[0] - other[0])).slice(0, most);
}

function checksum(): number {
  const best = [...sort(sides.bids, -1, CHECKED), ...sort(sides.asks, 1, CHECKED)];
  return crc32(best.map(([price, size]) => `${price}:${size}`).join("|"));
}

function draw(market: number): void {
  if (market !== marketNumber.peek()) return;
  book.value = { market, bids: pile(sort(sides.bids, -1, SHOWN)), asks: pile(sort(sides.asks, 1, SHOWN)) };
}

function pile(levels: readonly [number, bigint][]): Row[] {
  let total = 0n;
  return levels.map(([price, size]) => ({ price, size, total: (total += size) }));
}
