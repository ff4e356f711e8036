// Looks again and again at what was sent, until it is known what became of it; and says so.
import { signal } from "@preact/signals";
import { every } from "../api/exchange";
import { find } from "../api/http";
import type { PastRecord } from "../api/types";
import { account, loadAccount } from "./account";
import { forget, isAttended, type Kind, type Sent, sent } from "./journal";
import { look, stages } from "./transactions";
import { wallet } from "./wallet";

export interface News {
  readonly kind: Kind;
  readonly text: string;
  readonly isBad: boolean;
  /** The L1 message that tells more. */
  readonly message?: number;
}

/** What became of what is on its way no longer, until something else is sent. */
export const news = signal<readonly News[]>([]);

const LOOK_MS = 1_000;
/** The protocol's numbers of the records that are kept (section 4). */
const TYPES: Partial<Record<Kind, number>> = { Order: 1, Withdraw: 4 };

wallet.subscribe(() => {
  news.value = [];
});

every(LOOK_MS, async () => {
  for (const entry of sent.peek())
    await (entry.kind === "Order" || entry.kind === "Withdraw" ? settleRecord(entry) : settleTransaction(entry)).catch(
      () => undefined,
    );
});

export function clearNews(kind: Kind): void {
  news.value = news.peek().filter((each) => each.kind !== kind);
}

function end(entry: Sent, rest: Omit<News, "kind">): void {
  forget(entry.id);
  const others = news.peek().filter((each) => each.kind !== entry.kind);
  if (!entry.isGivenUp) news.value = [...others, { kind: entry.kind, ...rest }];
}

async function settleRecord(entry: Sent): Promise<void> {
  if (isAttended(entry)) return;
  const found = await findRecord(entry);
  if (!found) return;
  const outcome = found.outcome.replaceAll("_", " ");
  if (found.type === TYPES[entry.kind])
    end(entry, {
      text: `${entry.text} was taken as record ${found.sequence}: ${outcome}`,
      isBad: found.outcome !== "accepted",
    });
  else {
    const text = `${entry.text} was not taken, and cannot be any more: record ${found.sequence} has its nonce`;
    end(entry, { text, isBad: true });
  }
  await loadAccount();
}

/** What the exchange has under the nonce of a record; undefined for nothing yet. */
async function findRecord({ nonce }: Sent): Promise<PastRecord | undefined> {
  const number = account.peek()?.account;
  if (number === undefined) return undefined;
  const found = await find<{ records: PastRecord[] }>(`/v1/lookup/${number}?nonce=${nonce}`);
  return found?.records.find((each) => each.agent === 0);
}

async function settleTransaction(entry: Sent): Promise<void> {
  const stage = await look(entry);
  stages.value = new Map([...stages.peek(), [entry.id, stage]]);
  if (stage.name === "reverted") end(entry, { text: `L1 refused ${entry.text}: nothing was moved`, isBad: true });
  else if (stage.name === "replaced")
    end(entry, {
      text: `another transaction of your wallet took the place of ${entry.text}: nothing was moved`,
      isBad: true,
    });
  else if (stage.name === "taken") {
    const verb = entry.kind === "deposit" ? "taken" : "run";
    end(entry, { text: `the exchange has ${verb} ${entry.text}`, isBad: false, message: stage.message });
    await loadAccount();
  }
}
