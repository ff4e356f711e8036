// L1, as far as this page may ask: the node that the operator names, on development chains mostly, or else the one that
// the connected wallet brings.
import type { Hex } from "viem";
import { config } from "../api/exchange";
import { wallet } from "./wallet";

const POLL_MS = 300;
const PATIENCE_MS = 120_000;

export interface Receipt {
  readonly status: Hex;
  readonly blockNumber: Hex;
  readonly transactionHash: Hex;
}

export function canAskL1(): boolean {
  return config.value.rpc_url !== "" || wallet.value?.ask !== undefined;
}

export async function rpc<T>(method: string, ...params: readonly unknown[]): Promise<T> {
  const url = config.value.rpc_url;
  if (!url && wallet.value?.ask) return wallet.value.ask<T>(method, ...params);
  if (!url) throw new Error("this page was told of no L1 node: connect a wallet that brings one");
  let response: Response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
  } catch {
    throw new Error("the L1 node does not answer");
  }
  const answer = (await response.json()) as { result?: T; error?: { message: string } };
  if (answer.error) throw new Error(answer.error.message.replace(/^execution reverted: /, ""));
  return answer.result as T;
}

/** Wait until a block has a transaction. Throws if it reverted. */
export async function waitFor(
  hash: Hex,
  ask: <T>(method: string, ...params: unknown[]) => Promise<T> = rpc,
): Promise<Hex> {
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const receipt = await ask<Receipt | null>("eth_getTransactionReceipt", hash);
    if (receipt) {
      if (receipt.status !== "0x1") throw new Error("the transaction reverted");
      return hash;
    }
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
  throw new Error("no block has the transaction yet: look at it again later");
}
