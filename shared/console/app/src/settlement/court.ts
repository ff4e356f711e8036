// When a claimed batch can be confirmed, by the court's clock.
import type { Hex } from "viem";
import type { PastBatch } from "../api/types";
import { rpc } from "../wallet/rpc";
import type { Terms } from "../watch/types";

const times = new Map<number, number>();

/** Seconds until a claimed batch can be confirmed, if nobody disputes it; undefined before its claim, or not known yet. */
export function timeLeft(terms: Terms, batch: PastBatch, now: number): number | undefined {
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
  return Number.isNaN(claimed) ? undefined : claimed + terms.challenge_period - now / 1000;
}
