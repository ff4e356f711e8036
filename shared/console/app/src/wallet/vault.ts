// Money between L1 and the exchange: deposits, withdrawals, and the way past the operator.
import { encodeFunctionData, type Hex } from "viem";
import { info } from "../api/exchange";
import { find } from "../api/http";
import type { Result, Withdrawal } from "../api/types";
import { view } from "../l1/call";
import { QUEUE, TOKEN, VAULT } from "../l1/interfaces";
import { account } from "./account";
import { Pending } from "./errors";
import { makeForcedBody } from "./forced";
import { findOpen, sent } from "./journal";
import { submitOnce } from "./records";
import { sendKept, transact } from "./transactions";
import { needWallet } from "./wallet";

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
  const data = encodeFunctionData({ abi: TOKEN, functionName: "mint", args: [needWallet().address, amount] });
  await transact({ to: terms().token, data });
}

/** Send a deposit; `text`: what it is, for people. Throws before anything is sent, or Pending (`sendKept`). */
export async function deposit(amount: bigint, text: string): Promise<void> {
  const { token, vault } = terms();
  const allowed = await view(token, TOKEN, "allowance", needWallet().address, vault);
  if (allowed < amount) {
    const data = encodeFunctionData({ abi: TOKEN, functionName: "approve", args: [vault, amount] });
    await transact({ to: token, data }).catch((error: unknown) => {
      throw error instanceof Pending ? new Error(`nothing is deposited yet: ${error.message}`) : error;
    });
  }
  const data = encodeFunctionData({ abi: VAULT, functionName: "deposit", args: [amount] });
  await sendKept("deposit", text, { to: vault, data }, { amount: String(amount) });
}

export async function withdraw(amount: bigint, text: string): Promise<Result> {
  return submitOnce({ name: "Withdraw", text }, { amount });
}

/** The same through the queue on L1, in the sender's name: the operator can neither refuse it nor leave it out for
 * long. Where a withdrawal was sent before of which nobody knows what became, it has that one's nonce: only one of them
 * can be taken. */
export async function forceWithdraw(amount: bigint, text: string): Promise<void> {
  const own = account.value;
  const queue = info.value?.queue as Hex | undefined;
  if (!own || !queue) throw new Error("this wallet has no account here");
  const forced = sent.peek().filter((each) => each.kind === "force");
  const before = findOpen("Withdraw")?.nonce ?? forced.find((each) => each.isGivenUp)?.nonce;
  const free = forced.reduce(
    (most, each) => (BigInt(each.nonce ?? 0) >= most ? BigInt(each.nonce ?? 0) + 1n : most),
    BigInt(own.next_nonce) + NONCE_GAP,
  );
  const nonce = before === undefined ? free : BigInt(before);
  const data = encodeFunctionData({ abi: QUEUE, functionName: "force_as", args: [makeForcedBody(nonce, amount)] });
  await sendKept("force", text, { to: queue, data }, { amount: String(amount), nonce: String(nonce) });
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
  return transact({ to: terms().vault, data });
}
