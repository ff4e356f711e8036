// Agents of the account: keys that may trade for it, and cannot take money out.
import type { Hex } from "viem";
import type { Result } from "../api/types";
import { account, loadAccount } from "./account";
import { submit } from "./records";

const NOBODY: Hex = `0x${"00".repeat(20)}`;
/** The protocol's bit of an agent's limits for reduce-only orders alone (section 4). */
const CLOSES_ONLY = 2 ** 15;
/** Sessions that are left out when a right is taken away: a record on its way may name one. */
const GAP = 32;
const MARKETS_BYTES = 8;

export interface NewAgent {
  readonly number: number;
  readonly key: Hex;
  /** Unix seconds. */
  readonly expiry: number;
  /** 0: all. */
  readonly market: number;
  readonly closesOnly: boolean;
}

export async function nameAgent({ number, key, expiry, market, closesOnly }: NewAgent): Promise<Result> {
  const result = await submit("SetAgent", {
    agent: number,
    key: key.toLowerCase(),
    expiry,
    session: (account.value?.session ?? 0) + 1,
    markets: `0x${(market ? market.toString(16).padStart(2, "0") : "").padEnd(2 * MARKETS_BYTES, "0")}`,
    limits: closesOnly ? CLOSES_ONLY : 0,
  });
  return settle(result);
}

/** Take away the right of whoever has this number; its orders stay. */
export async function removeAgent(number: number): Promise<Result> {
  const session = (account.value?.session ?? 0) + GAP;
  return settle(await submit("SetAgent", { agent: number, key: NOBODY, session }));
}

async function settle(result: Result): Promise<Result> {
  await loadAccount();
  if (result.outcome !== "accepted") throw new Error(`the exchange answers: ${result.outcome.replaceAll("_", " ")}`);
  return result;
}
