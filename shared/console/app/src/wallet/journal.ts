// What was handed over and may still take effect: kept by this browser until it is known what became of it, so that
// neither a lost answer nor a page that is loaded anew has anybody pay or order twice.
import { effect, signal } from "@preact/signals";
import type { Hex } from "viem";
import { info } from "../api/exchange";
import { wallet } from "./wallet";

/** Two are records that the exchange is sent, two are transactions on L1. */
export type Kind = "Order" | "Withdraw" | "deposit" | "force";

export interface Sent {
  readonly id: string;
  readonly kind: Kind;
  /** What it is, for people, as "the deposit of 200.00 tUSD". */
  readonly text: string;
  /** Unix milliseconds. */
  readonly at: number;
  /** The browser's tab that sent it. */
  readonly tab: string;
  /** The account's nonce that it uses up, a decimal; undefined for a deposit. */
  readonly nonce?: string;
  /** Of a transaction: token units. */
  readonly amount?: string;
  /** Of a transaction: L1's latest block before it. */
  readonly block?: number;
  /** Of a transaction, as soon as it is known: a wallet tells it behind its last question. */
  readonly hash?: Hex;
  /** Of a transaction, once a node has shown it: the sender's nonce on L1. */
  readonly senderNonce?: number;
  /** Its owner says that it was never sent. If it takes a nonce, what is sent in its place takes the same. */
  readonly isGivenUp?: boolean;
}

/** How long another tab of this browser may wait for an answer of its own. */
const TAB_MS = 30_000;
const TAB = "setoff.tab";

/** Of the connected wallet, oldest first. */
export const sent = signal<readonly Sent[]>([]);
/** Those that a function of this page waits for itself. */
const attended = signal<ReadonlySet<string>>(new Set());

const tab = sessionStorage.getItem(TAB) ?? crypto.randomUUID();
sessionStorage.setItem(TAB, tab);

let place = "";

function read(): Sent[] {
  try {
    return JSON.parse(localStorage.getItem(place) ?? "[]") as Sent[];
  } catch {
    return [];
  }
}

function write(all: readonly Sent[]): void {
  if (all.length) localStorage.setItem(place, JSON.stringify(all));
  else localStorage.removeItem(place);
  sent.value = all;
}

effect(() => {
  const owner = wallet.value?.address;
  const exchange = info.value?.block_hash;
  place = owner && exchange ? `setoff.sent.${exchange}.${owner.toLowerCase()}` : "";
  sent.value = place ? read() : [];
});

window.addEventListener("storage", (event) => {
  if (place && event.key === place) sent.value = read();
});

export function keep(entry: Omit<Sent, "id" | "at" | "tab">): Sent {
  const kept = { ...entry, id: crypto.randomUUID(), at: Date.now(), tab };
  attended.value = new Set([...attended.peek(), kept.id]);
  write([...read(), kept]);
  return kept;
}

export function change(id: string, what: Partial<Sent>): void {
  write(read().map((each) => (each.id === id ? { ...each, ...what } : each)));
}

export function forget(...ids: string[]): void {
  write(read().filter((each) => !ids.includes(each.id)));
}

/** The function that has sent it waits no longer. */
export function leave(id: string): void {
  attended.value = new Set([...attended.peek()].filter((each) => each !== id));
}

/** Whether somebody waits for its answer still, here or in another tab. */
export function isAttended(entry: Sent): boolean {
  return attended.value.has(entry.id) || (entry.tab !== tab && Date.now() - entry.at < TAB_MS);
}

/** The first of a kind of which nobody knows what became, and for which nobody waits. */
export function findOpen(kind: Kind): Sent | undefined {
  return sent.peek().find((each) => each.kind === kind && !isAttended(each));
}

/** Whether one of a kind was sent and nobody knows yet that it will not come, or has it. */
export function isOnTheWay(kind: Kind): boolean {
  return sent.value.some((each) => each.kind === kind && !each.isGivenUp);
}
