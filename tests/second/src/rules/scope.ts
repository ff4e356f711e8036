// Scopes of agents (section 8, *Keys*), in the packed form of the register `scope`:
// limits · 2^80 + subs · 2^64 + markets, 0 for everything.
import { CANCEL_TAKER } from "../constants.js";
import { isReduceOnly, selfTradeRule } from "./positions.js";

export const packScope = (limits: bigint, subs: bigint, markets: bigint): bigint =>
  (limits << 80n) | (subs << 64n) | markets;

const marketsOf = (scope: bigint): bigint => scope & 0xffffffffffffffffn;
const subsOf = (scope: bigint): bigint => (scope >> 64n) & 0xffffn;
const limitsOf = (scope: bigint): bigint => scope >> 80n;

/** Markets = 0, or the market is one of the eight bytes. */
export function allowsMarket(scope: bigint, market: bigint): boolean {
  const markets = marketsOf(scope);
  if (markets === 0n) return true;
  for (let i = 0n; i < 8n; i++) if (((markets >> (8n * i)) & 255n) === market) return true;
  return false;
}

export const allowsAllMarkets = (scope: bigint): boolean => marketsOf(scope) === 0n;

/** Whether an agent *may send* an order. */
export function maySend(scope: bigint, market: bigint, flags: bigint, size: bigint): boolean {
  if (!allowsMarket(scope, market)) return false;
  if (subsOf(scope) !== 0n && selfTradeRule(flags) !== CANCEL_TAKER) return false;
  const limits = limitsOf(scope);
  if ((limits >> 15n) & 1n && !isReduceOnly(flags)) return false;
  const largest = (limits & 1023n) << ((limits >> 10n) & 31n);
  return largest === 0n || size <= largest;
}
