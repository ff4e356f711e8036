// A key of this browser, for development chains: it is kept as text where every page of this address may read it.
import { type Hex, keccak256 } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { tell } from "../api/http";
import { isSilent } from "../l1/node";
import { NotSent } from "./errors";
import { rpc, waitFor } from "./rpc";
import type { Call, TypedData, Wallet } from "./wallet";

const KEY = "setoff.development-key";
/** What nodes say of a transaction that they have. */
const KNOWN = /already known|known transaction|already imported/i;
const GAS_MARGIN = 5n;
const FAUCET = 10;
/** The unlocked account of the development chain that gives ether away. */
const ETHER_FOR_GAS = 10n ** 18n;

export function findKey(): Hex | undefined {
  const text = localStorage.getItem(KEY);
  return text && /^0x[0-9a-f]{64}$/i.test(text) ? (text as Hex) : undefined;
}

export function forgetKey(): void {
  localStorage.removeItem(KEY);
}

/** The wallet of a key, by default of the one that is kept here, or of a new one. */
export function openDevelopmentWallet(key: Hex = findKey() ?? generatePrivateKey()): Wallet {
  const account = privateKeyToAccount(key);
  localStorage.setItem(KEY, key);

  async function sign(call: Call): Promise<Hex> {
    const [nonce, price, chainId] = await Promise.all([
      rpc<Hex>("eth_getTransactionCount", account.address, "pending"),
      rpc<Hex>("eth_gasPrice"),
      rpc<Hex>("eth_chainId"),
    ]);
    const gas = BigInt(await rpc<Hex>("eth_estimateGas", { from: account.address, ...call }));
    return account.signTransaction({
      type: "eip1559",
      chainId: Number(chainId),
      nonce: Number(nonce),
      gas: gas + gas / GAS_MARGIN,
      maxFeePerGas: BigInt(price) * 2n,
      maxPriorityFeePerGas: 10n ** 9n < BigInt(price) ? 10n ** 9n : BigInt(price),
      ...call,
    });
  }

  async function send(call: Call, onSigned?: (hash: Hex) => void): Promise<Hex> {
    const raw = await sign(call).catch((error: unknown) => {
      throw new NotSent(tell(error));
    });
    const hash = keccak256(raw);
    onSigned?.(hash);
    await rpc<Hex>("eth_sendRawTransaction", raw).catch((error: unknown) => {
      if (isSilent(error)) throw error;
      if (!KNOWN.test(tell(error))) throw new NotSent(tell(error));
    });
    return hash;
  }

  return {
    kind: "development",
    address: account.address,
    name: "a development key of this browser",
    ask: undefined,
    signTyped: (data: TypedData) => account.signTypedData(data as Parameters<typeof account.signTypedData>[0]),
    send,
  };
}

/** Ether for gas, from an account that the development chain has unlocked. */
export async function giveEther(to: Hex): Promise<void> {
  const balance = BigInt(await rpc<Hex>("eth_getBalance", to, "latest"));
  if (balance >= ETHER_FOR_GAS / 2n) return;
  const accounts = await rpc<Hex[]>("eth_accounts");
  const from = accounts[FAUCET];
  if (!from) throw new Error("this chain has no account that gives ether away");
  await waitFor(await rpc<Hex>("eth_sendTransaction", { from, to, value: `0x${ETHER_FOR_GAS.toString(16)}` }));
}
