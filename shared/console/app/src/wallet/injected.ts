// Any wallet that speaks EIP-1193, as browser extensions do.
import { getAddress, type Hex } from "viem";
import { waitFor } from "./rpc";
import type { Call, TypedData, Wallet } from "./wallet";

interface Provider {
  request(request: { method: string; params?: readonly unknown[] }): Promise<unknown>;
}

declare global {
  interface Window {
    ethereum?: Provider;
  }
}

export function hasInjectedWallet(): boolean {
  return window.ethereum !== undefined;
}

/** Ask the wallet for an account, on the chain `chainId`. Throws with its words. */
export async function openInjectedWallet(chainId: number): Promise<Wallet> {
  const provider = window.ethereum;
  if (!provider) throw new Error("this browser has no wallet");
  const ask = async <T>(method: string, ...params: unknown[]): Promise<T> => {
    try {
      return (await provider.request({ method, params })) as T;
    } catch (error) {
      throw new Error((error as { message?: string }).message ?? "the wallet refused");
    }
  };
  const [first] = await ask<Hex[]>("eth_requestAccounts");
  if (!first) throw new Error("the wallet gave no account");
  const wanted = `0x${chainId.toString(16)}`;
  if ((await ask<Hex>("eth_chainId")) !== wanted) await ask("wallet_switchEthereumChain", { chainId: wanted });
  const address = getAddress(first);
  return {
    kind: "injected",
    address,
    signTyped: (data: TypedData) => ask<Hex>("eth_signTypedData_v4", address, JSON.stringify(plain(data))),
    send: async (call: Call) => waitFor(await ask<Hex>("eth_sendTransaction", { from: address, ...call }), ask),
  };
}

/** As wallets want it: the domain's type beside the others, numbers as decimal strings. */
function plain(data: TypedData): unknown {
  const domain = [
    { name: "name", type: "string" },
    { name: "version", type: "string" },
    { name: "chainId", type: "uint256" },
    { name: "verifyingContract", type: "address" },
  ];
  const message = Object.fromEntries(Object.entries(data.message).map(([name, value]) => [name, String(value)]));
  return { ...data, types: { EIP712Domain: domain, ...data.types }, message };
}
