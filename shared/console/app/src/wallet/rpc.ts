// L1, as far as this page may ask: the node that the operator names, on development chains mostly, or else the one that
// the connected wallet brings.
import { computed } from "@preact/signals";
import type { Hex } from "viem";
import { config } from "../api/exchange";
import { type Node, nodeAt } from "../l1/node";
import { shorten } from "../lib/format";
import { Pending } from "./errors";
import { wallet } from "./wallet";

const POLL_MS = 300;
const PATIENCE_MS = 120_000;

export interface Receipt {
  readonly status: Hex;
  readonly blockNumber: Hex;
  readonly transactionHash: Hex;
}

/** The node that the operator names; undefined where it names none. */
export const operatorsNode = computed<Node | undefined>(() =>
  config.value.rpc_url ? nodeAt(config.value.rpc_url) : undefined,
);

/** The node that the connected wallet brings. */
export const walletsNode = computed<Node | undefined>(() => {
  const { ask, name } = wallet.value ?? {};
  return ask && { name: `the node of your wallet (${name})`, ask };
});

const node = computed(() => operatorsNode.value ?? walletsNode.value);

export function canAskL1(): boolean {
  return node.value !== undefined;
}

/** Which node this page asks. */
export function findNode(): Node {
  if (!node.value) throw new Error("this page was told of no L1 node: connect a wallet that brings one");
  return node.value;
}

export async function rpc<T>(method: string, ...params: readonly unknown[]): Promise<T> {
  return findNode().ask<T>(method, ...params);
}

/** Wait until a block has a transaction. Throws if it reverted; Pending if no block has it in time. */
export async function waitFor(
  hash: Hex,
  ask: <T>(method: string, ...params: readonly unknown[]) => Promise<T> = rpc,
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
  const which = `transaction ${shorten(hash)}`;
  throw new Pending(`no block has ${which} yet, and it may still come: look before it is sent again`);
}
