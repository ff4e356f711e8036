// The court's terms and clocks, from L1 itself.
import { decodeFunctionResult, encodeFunctionData, type Hex, parseAbi } from "viem";
import { info } from "../api/exchange";
import type { PastBatch } from "../api/types";
import { rpc } from "../wallet/rpc";

const VAULT = parseAbi(["function COURT() view returns (address)"]);
const COURT = parseAbi([
  "struct Terms { uint256 epoch_batches; uint256 challenge_period; uint256 claim_interval; uint256 bond; uint256 bond_burn; uint256 stake; uint256 stake_claims; uint256 stake_reward; uint256 gas_price_cap; }",
  "function get_terms() view returns (Terms)",
]);

export interface Court {
  readonly address: Hex;
  /** Seconds. */
  readonly challengePeriod: number;
  /** Wei. */
  readonly bond: bigint;
}

const times = new Map<number, number>();

export async function readCourt(): Promise<Court> {
  const vault = info.value?.vault as Hex;
  const answer = await rpc<Hex>("eth_call", { to: vault, data: encodeFunctionData({ abi: VAULT }) }, "latest");
  const address = decodeFunctionResult({ abi: VAULT, data: answer });
  const data = await rpc<Hex>("eth_call", { to: address, data: encodeFunctionData({ abi: COURT }) }, "latest");
  const terms = decodeFunctionResult({ abi: COURT, data });
  return { address, challengePeriod: Number(terms.challenge_period), bond: terms.bond };
}

/** Seconds until a claimed batch can be confirmed, if nobody disputes it; undefined before its claim, or not known yet. */
export function timeLeft(court: Court, batch: PastBatch, now: number): number | undefined {
  if (!batch.claimed) return undefined;
  const { block } = batch.claimed;
  const claimed = times.get(block);
  if (claimed === undefined) {
    times.set(block, Number.NaN);
    rpc<{ timestamp: Hex }>("eth_getBlockByNumber", `0x${block.toString(16)}`, false).then(
      (found) => times.set(block, Number(found.timestamp)),
      () => times.delete(block),
    );
    return undefined;
  }
  return Number.isNaN(claimed) ? undefined : claimed + court.challengePeriod - now / 1000;
}
