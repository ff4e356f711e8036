// The accounts that have a position in a market, for the ladder and for the ranking.
import { status } from "../api/exchange";
import { find, get } from "../api/http";
import type { Account, Position } from "../api/types";

/** Accounts that are looked at, the first ones. */
export const MOST = 100;

export interface Holder {
  readonly account: Account;
  readonly position: Position;
}

export interface Holders {
  readonly holders: readonly Holder[];
  /** Accounts that were looked at. */
  readonly looked: number;
}

export async function readHolders(market: number): Promise<Holders> {
  const holders: Holder[] = [];
  const looked = Math.min(status.value?.accounts ?? (await get<{ accounts: number }>("/v1/status")).accounts, MOST);
  for (let number = 1; number <= looked; number++) {
    const account = await find<Account>(`/v1/accounts/${number}`);
    const position = account?.positions.find((each) => each.market === market && each.size !== "0");
    if (account && position) holders.push({ account, position });
  }
  return { holders, looked };
}
