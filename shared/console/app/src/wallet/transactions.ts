// Transactions that move money: kept from before the wallet is asked until L1 and the exchange have them.
import { signal } from "@preact/signals";
import { decodeEventLog, type Hex, type Log as EventLog } from "viem";
import { status } from "../api/exchange";
import { findContracts, readEvents } from "../l1/call";
import { QUEUE, VAULT } from "../l1/interfaces";
import { tell } from "../api/http";
import { NotSent, Pending } from "./errors";
import { change, forget, keep, type Kind, leave, type Sent, sent } from "./journal";
import { makeForced } from "./forced";
import { type Receipt, rpc, waitFor } from "./rpc";
import { type Call, needWallet } from "./wallet";

/** How far one is. */
export type Stage =
  | { readonly name: "handed" | "sent" | "reverted" | "replaced" }
  | { readonly name: "queued" | "taken"; readonly message: number; readonly block: number };

/** How far those are that were sent, by their id. */
export const stages = signal<ReadonlyMap<string, Stage>>(new Map());

/** One of a kind that L1 does not have yet, as far as anybody knows: another would perhaps be a second one. */
export function findUnsettled(kind: Kind): Sent | undefined {
  return sent.value.find(
    (each) => each.kind === kind && !each.isGivenUp && stages.value.get(each.id)?.name !== "queued",
  );
}

/** Send a transaction that moves nothing of value, and wait until a block has it; its hash. */
export async function transact(call: Call): Promise<Hex> {
  return waitFor(await needWallet().send(call), needWallet().ask);
}

/** Send one that moves money, and keep it; returns when it has been sent. Throws Pending if that is not certain. */
export async function sendKept(
  kind: Kind,
  text: string,
  call: Call,
  rest: Pick<Sent, "nonce" | "amount">,
): Promise<void> {
  const open = findUnsettled(kind);
  if (open) throw new Pending(`${open.text} is on its way already: what became of it is not known yet`);
  const block = Number(await rpc<Hex>("eth_blockNumber"));
  const entry = keep({ kind, text, block, ...rest });
  try {
    const hash = await needWallet().send(call, (signed) => change(entry.id, { hash: signed }));
    change(entry.id, { hash });
    forget(...sent.peek().filter((each) => each.kind === kind && each.isGivenUp).map((each) => each.id));
  } catch (error) {
    if (!(error instanceof NotSent)) throw new Pending(`${tell(error)}; whether ${text} was sent is not known yet`);
    forget(entry.id);
    throw error;
  } finally {
    leave(entry.id);
  }
}

type FullReceipt = Receipt & { readonly logs: readonly EventLog[] };

/** What L1 and the exchange have of one. Throws where they cannot be asked. */
export async function look(entry: Sent): Promise<Stage> {
  const receipt = entry.hash && (await rpc<FullReceipt | null>("eth_getTransactionReceipt", entry.hash));
  if (receipt && receipt.status !== "0x1") return { name: "reverted" };
  const found = receipt ? await findIn(receipt.logs) : await findAmongEvents(entry);
  if (found) {
    const isTaken = (status.peek()?.messages ?? 0) > found.message;
    return { name: isTaken ? "taken" : "queued", ...found };
  }
  if (!entry.hash) return { name: "handed" };
  return { name: (await isReplaced(entry, entry.hash)) ? "replaced" : "sent" };
}

interface Found {
  readonly message: number;
  readonly block: number;
}

/** The message that a receipt tells of. */
async function findIn(logs: readonly EventLog[]): Promise<Found | undefined> {
  const { queue } = await findContracts();
  for (const log of logs) {
    if (log.address.toLowerCase() !== queue.toLowerCase()) continue;
    const event = decodeEventLog({ abi: QUEUE, data: log.data, topics: log.topics });
    if (event.eventName === "MessageQueued")
      return { message: Number(event.args.index), block: Number(log.blockNumber) };
  }
  return undefined;
}

/** The same without its hash, or under another one: wallets send again with more gas. */
async function findAmongEvents({ kind, block = 0, amount, nonce = "0" }: Sent): Promise<Found | undefined> {
  const { vault, queue } = await findContracts();
  const owner = needWallet().address;
  if (kind === "deposit") {
    const all = await readEvents(vault, VAULT, "Deposited", { owner });
    const found = all.find((each) => each.block > block && String(each.args["amount"]) === amount);
    return found && { message: Number(found.args["message"]), block: found.block };
  }
  const wanted = makeForced(owner, BigInt(nonce), BigInt(amount ?? 0));
  const all = await readEvents(queue, QUEUE, "MessageQueued");
  const found = all.find((each) => each.block > block && String(each.args["body"]).startsWith(wanted));
  return found && { message: Number(found.args["index"]), block: found.block };
}

/** Whether another transaction has its place, so that it never comes. */
async function isReplaced(entry: Sent, hash: Hex): Promise<boolean> {
  const shown = await rpc<{ nonce: Hex } | null>("eth_getTransactionByHash", hash);
  if (shown) {
    if (entry.senderNonce === undefined) change(entry.id, { senderNonce: Number(shown.nonce) });
    return false;
  }
  if (entry.senderNonce === undefined) return false;
  return Number(await rpc<Hex>("eth_getTransactionCount", needWallet().address, "latest")) > entry.senderNonce;
}
