// Any wallet that speaks EIP-1193, as browser extensions do: found by EIP-6963, under which each tells its name, or the
// one that put itself into the page.
import { signal } from "@preact/signals";
import { getAddress, type Hex } from "viem";
import { NotSent } from "./errors";
import { type Call, type TypedData, type Wallet, wallet } from "./wallet";

interface Provider {
  request(request: { method: string; params?: readonly unknown[] }): Promise<unknown>;
  on?(event: string, listener: (value: unknown) => void): void;
}

declare global {
  interface Window {
    ethereum?: Provider;
  }
}

export interface Found {
  readonly id: string;
  readonly name: string;
  readonly provider: Provider;
}

/** Of EIP-1193 and EIP-1474: refused by the user, not allowed, no such method, a request that is none, one that is open
 * already, a call that reverts. */
const FINAL = new Set([4001, 4100, 4200, -32600, -32601, -32602, -32002, 3]);

class WalletError extends Error {
  /** Whether nothing was sent for certain. Any other error may come behind the sending, as a node's that is slow. */
  readonly isFinal: boolean;
  constructor(message: string, code: number | undefined) {
    super(message.replace(/^execution reverted: /, ""));
    this.isFinal = (code !== undefined && FINAL.has(code)) || /execution reverted|insufficient funds/.test(message);
  }
}

/** Wallets of this browser; more may announce themselves at any time. */
export const wallets = signal<readonly Found[]>([]);

window.addEventListener("eip6963:announceProvider", (event) => {
  const { info, provider } = (event as CustomEvent<{ info: { uuid: string; name: string }; provider: Provider }>)
    .detail;
  if (wallets.peek().some((each) => each.id === info.uuid)) return;
  const others = wallets.peek().filter((each) => each.provider !== provider);
  wallets.value = [...others, { id: info.uuid, name: info.name.slice(0, 40), provider }];
});
window.dispatchEvent(new Event("eip6963:requestProvider"));
if (window.ethereum && !wallets.peek().length)
  wallets.value = [{ id: "", name: "Wallet of this browser", provider: window.ethereum }];

/** Ask the wallet for an account, on the chain `chainId`. Throws with its words. */
export async function openInjectedWallet({ name, provider }: Found, chainId: number): Promise<Wallet> {
  const ask = async <T>(method: string, ...params: readonly unknown[]): Promise<T> => {
    try {
      return (await provider.request({ method, params })) as T;
    } catch (error) {
      const { message = "the wallet refused", code } = error as { message?: string; code?: number };
      throw new WalletError(message, code);
    }
  };
  const [first] = await ask<Hex[]>("eth_requestAccounts");
  if (!first) throw new Error("the wallet gave no account");
  const wanted = `0x${chainId.toString(16)}`;
  if ((await ask<Hex>("eth_chainId")) !== wanted) await ask("wallet_switchEthereumChain", { chainId: wanted });
  const address = getAddress(first);
  const opened: Wallet = {
    kind: "injected",
    name,
    address,
    ask,
    signTyped: (data: TypedData) => ask<Hex>("eth_signTypedData_v4", address, JSON.stringify(plain(data))),
    send: (call: Call) =>
      ask<Hex>("eth_sendTransaction", { from: address, ...call }).catch((error: unknown) => {
        throw error instanceof WalletError && error.isFinal ? new NotSent(error.message) : error;
      }),
  };
  // Another account or chain is another wallet: what is shown here would no longer be what it signs with.
  for (const change of ["accountsChanged", "chainChanged", "disconnect"])
    provider.on?.(change, () => {
      if (wallet.peek() === opened) wallet.value = undefined;
    });
  return opened;
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
