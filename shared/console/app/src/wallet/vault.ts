// Money between L1 and the exchange: deposits, withdrawals, and the way past the operator.
import { encodeFunctionData, encodePacked, type Hex, padHex } from "viem";
import { info } from "../api/exchange";
import { find } from "../api/http";
import type { Result, Withdrawal } from "../api/types";
import { view } from "../l1/call";
import { QUEUE, TOKEN, VAULT } from "../l1/interfaces";
import { account } from "./account";
import { submit } from "./records";
import { wallet } from "./wallet";

/** A record's type and size (section 4). */
const WITHDRAW = 4;
const BODY_BYTES = 60;
/** Nonces left free above those that the operator has shown: it may have taken records that nobody sees yet. */
const NONCE_GAP = 32n;

function terms(): { token: Hex; vault: Hex } {
  const found = info.value;
  if (!found) throw new Error("the exchange has not told its terms yet");
  return { token: found.token as Hex, vault: found.vault as Hex };
}

/** Token units that an address holds on L1. */
export async function readBalance(owner: Hex): Promise<bigint> {
  return view(terms().token, TOKEN, "balanceOf", owner);
}

export async function mint(amount: bigint): Promise<void> {
  const signer = need();
  const data = encodeFunctionData({ abi: TOKEN, functionName: "mint", args: [signer.address, amount] });
  await signer.send({ to: terms().token, data });
}

export async function deposit(amount: bigint): Promise<void> {
  const signer = need();
  const { token, vault } = terms();
  const allowed = encodeFunctionData({ abi: TOKEN, functionName: "approve", args: [vault, amount] });
  await signer.send({ to: token, data: allowed });
  await signer.send({ to: vault, data: encodeFunctionData({ abi: VAULT, functionName: "deposit", args: [amount] }) });
}

export async function withdraw(amount: bigint): Promise<Result> {
  return submit("Withdraw", { amount });
}

/** The same through the queue on L1, in the sender's name: the operator can neither refuse it nor leave it out for long. */
export async function forceWithdraw(amount: bigint): Promise<Hex> {
  const own = account.value;
  const queue = info.value?.queue as Hex | undefined;
  if (!own || !queue) throw new Error("this wallet has no account here");
  const nonce = BigInt(own.next_nonce) + NONCE_GAP;
  const packed = encodePacked(["uint8", "uint32", "uint64", "uint128"], [WITHDRAW, own.account, nonce, amount]);
  const body = padHex(packed, { dir: "right", size: BODY_BYTES });
  return need().send({ to: queue, data: encodeFunctionData({ abi: QUEUE, functionName: "force_as", args: [body] }) });
}

/** The proof of a withdrawal, undefined until its epoch is complete. */
export async function findProof(index: number): Promise<Withdrawal | undefined> {
  return find<Withdrawal>(`/v1/withdrawals/${index}`);
}

export async function isPaid(index: number): Promise<boolean> {
  return view(terms().vault, VAULT, "paid", BigInt(index));
}

/** Have the vault pay a withdrawal; it refuses before L1 has confirmed its epoch. */
export async function claim(proof: Withdrawal): Promise<Hex> {
  const data = encodeFunctionData({
    abi: VAULT,
    functionName: "withdraw",
    args: [
      BigInt(proof.epoch),
      proof.registers_hash as Hex,
      proof.state_root as Hex,
      BigInt(proof.index),
      BigInt(proof.account),
      proof.owner as Hex,
      BigInt(proof.amount),
      BigInt(proof.bitmap),
      proof.siblings as Hex[],
    ],
  });
  return need().send({ to: terms().vault, data });
}

function need(): NonNullable<typeof wallet.value> {
  if (!wallet.value) throw new Error("connect a wallet first");
  return wallet.value;
}
