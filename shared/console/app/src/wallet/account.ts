// The wallet's account at the exchange, as it is now: from the stream, with its fills.
import { effect, signal } from "@preact/signals";
import { find, get } from "../api/http";
import { subscribe } from "../api/stream";
import type { Account, AccountFill, Fill } from "../api/types";
import { nextFrame } from "../lib/frames";
import { wallet } from "./wallet";

export interface OwnFill extends Fill {
  readonly fee?: string;
}

export const account = signal<Account | undefined>(undefined);
export const fills = signal<readonly OwnFill[]>([]);
/** Whether it has been asked whether the wallet has an account. */
export const isAccountKnown = signal(false);

const KEPT = 100;
const LOOK_MS = 1_000;

export async function loadAccount(): Promise<Account | undefined> {
  const owner = wallet.value?.address;
  if (!owner) return undefined;
  const found = await find<Account>(`/v1/accounts/${owner}`);
  if (wallet.value?.address === owner) {
    account.value = found;
    isAccountKnown.value = true;
  }
  return found;
}

effect(() => {
  const owner = wallet.value?.address;
  account.value = undefined;
  fills.value = [];
  isAccountKnown.value = false;
  if (!owner) return undefined;
  const ends: (() => void)[] = [];
  let isOver = false;
  void (async () => {
    while (!isOver) {
      const found = await loadAccount().catch(() => undefined);
      if (found && !isOver) {
        ends.push(...(await follow(found.account)));
        if (isOver) for (const end of ends) end();
        return;
      }
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  })();
  return () => {
    isOver = true;
    for (const end of ends) end();
  };
});

async function follow(number: number): Promise<(() => void)[]> {
  const past = await get<{ fills: AccountFill[] }>(`/v1/history/fills/${number}?limit=${KEPT}`).catch(() => ({
    fills: [],
  }));
  fills.value = past.fills;
  return [
    subscribe<Account>("account", { account: number }, (data) => nextFrame(() => (account.value = data))),
    subscribe<Fill>("account_fills", { account: number }, (data) => {
      if (fills.peek().some((each) => each.fill === data.fill)) return;
      fills.value = [data, ...fills.peek()].slice(0, KEPT);
    }),
  ];
}
