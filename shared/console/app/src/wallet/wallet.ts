// Who signs: a key of this browser on development chains, or any wallet that speaks EIP-1193.
import { signal } from "@preact/signals";
import type { Hex } from "viem";

export interface Field {
  readonly name: string;
  readonly type: string;
}

export interface TypedData {
  readonly domain: { name: string; version: string; chainId: number; verifyingContract: Hex };
  readonly types: Record<string, readonly Field[]>;
  readonly primaryType: string;
  readonly message: Record<string, bigint | Hex>;
}

export interface Call {
  readonly to: Hex;
  readonly data: Hex;
}

export interface Wallet {
  readonly kind: "development" | "injected";
  readonly address: Hex;
  /** The name that the wallet gives itself. */
  readonly name: string;
  /** Of the L1 node that the wallet brings, if it brings one. */
  readonly ask: (<T>(method: string, ...params: readonly unknown[]) => Promise<T>) | undefined;
  signTyped(data: TypedData): Promise<Hex>;
  /** Send a transaction to L1; its hash, which `onSigned` is told before it is sent, where the wallet says it that
   * early. Throws NotSent with the reason where it certainly was not sent; after any other error it may have been. */
  send(call: Call, onSigned?: (hash: Hex) => void): Promise<Hex>;
}

export const wallet = signal<Wallet | undefined>(undefined);

export function needWallet(): Wallet {
  if (!wallet.value) throw new Error("connect a wallet first");
  return wallet.value;
}
