// The latest trades of a market, newest first.
import { effect, signal } from "@preact/signals";
import { marketNumber } from "../api/exchange";
import { get } from "../api/http";
import { subscribe } from "../api/stream";
import type { Trade } from "../api/types";
import { nextFrame } from "../lib/frames";

const KEPT = 60;

export const trades = signal<readonly Trade[]>([]);

effect(() => {
  const market = marketNumber.value;
  let isOver = false;
  let all: Trade[] = [];
  const show = (): void => {
    if (!isOver) trades.value = all;
  };
  trades.value = [];
  const add = (found: readonly Trade[]): void => {
    const numbers = new Set(all.map((each) => each.fill));
    const fresh = found.filter((each) => !numbers.has(each.fill));
    all = [...fresh, ...all].sort((one, other) => other.fill - one.fill).slice(0, KEPT);
    nextFrame(show);
  };
  const end = subscribe<Trade>("trades", { market }, (trade) => add([trade]));
  get<{ trades: Trade[] }>(`/v1/history/trades/${market}?limit=${KEPT}`).then(
    (page) => add(page.trades),
    () => undefined,
  );
  return () => {
    isOver = true;
    end();
  };
});
