// All that a contract has logged, from the block in which the exchange was made: read by ranges that nodes accept, each
// block once.
import type { Hex } from "viem";
import { keep, recall } from "./kept";
import type { Node } from "./node";

export interface Log {
  readonly data: Hex;
  readonly topics: [Hex, ...Hex[]];
  readonly transactionHash: Hex;
  readonly blockNumber: Hex;
  readonly blockTimestamp?: Hex;
}

/** Where the exchange begins on L1, as its operator says; what is left out by a false one is noticed by counting. */
export interface Origin {
  readonly block: number;
  /** Of that block: another chain has another. */
  readonly hash: string;
}

/** Blocks behind the latest that may still be replaced by others: two epochs of Ethereum's, after which it is final,
 * and as many again. */
const UNSETTLED = 128;
/** Blocks that a node which refuses all of them at once is asked for next. */
const WIDE = 10_000;
const NARROW = 8;
const PAUSE_MS = 200;
/** Answers after which more is asked for at once: what was too much once may have been so by chance. */
const TAKEN = 16;

interface Kept {
  /** The first block that was not read for good. */
  next: number;
  logs: Log[];
}

export class LogReader {
  readonly #books = new Map<Hex, Promise<Kept>>();
  #width = Number.POSITIVE_INFINITY;
  #taken = 0;

  constructor(
    readonly node: Node,
    readonly origin: Origin,
  ) {}

  /** Those that have `topics`, oldest first: null and what is left out stand for any, a list for one of it. */
  async read(address: Hex, topics: readonly unknown[]): Promise<Log[]> {
    return (await this.#readAll(address)).filter((log) => topics.every((topic, at) => fits(log.topics[at], topic)));
  }

  /** One reading of a contract at a time: the next finds what this one has read. */
  async #readAll(address: Hex): Promise<Log[]> {
    const key = [this.node.name, this.origin.hash, this.origin.block, address].join(" ");
    const before = this.#books.get(address) ?? recall<Kept>(key);
    let tail: Log[] = [];
    const turn = Promise.resolve(before)
      .catch(() => undefined)
      .then(async (found) => {
        const kept = found ?? { next: this.origin.block, logs: [] };
        tail = await this.#follow(address, key, kept);
        return kept;
      });
    this.#books.set(address, turn);
    try {
      return [...(await turn).logs, ...tail];
    } catch (error) {
      if (this.#books.get(address) === turn) this.#books.delete(address);
      throw error;
    }
  }

  /** Read on; returns what may still change. */
  async #follow(address: Hex, key: string, kept: Kept): Promise<Log[]> {
    const latest = Number(await this.node.ask<Hex>("eth_blockNumber"));
    const settled = latest - UNSETTLED;
    const begun = kept.next;
    try {
      while (kept.next <= settled) {
        const last = Math.min(settled, kept.next + this.#width - 1);
        const found = await this.#ask(address, kept.next, last);
        if (!found) continue;
        kept.logs.push(...found);
        kept.next = last + 1;
      }
    } finally {
      if (kept.next > begun) await keep(key, kept); // what a node has said before it fell silent, too
    }
    const tail: Log[] = [];
    for (let first = kept.next; first <= latest; ) {
      const last = Math.min(latest, first + this.#width - 1);
      const found = await this.#ask(address, first, last);
      if (!found) continue;
      tail.push(...found);
      first = last + 1;
    }
    return tail;
  }

  /** Undefined where the node wants to be asked for fewer. */
  async #ask(address: Hex, first: number, last: number): Promise<Log[] | undefined> {
    try {
      const range = { fromBlock: toHex(first), toBlock: toHex(last) };
      const found = await this.node.ask<Log[]>("eth_getLogs", { address, ...range });
      if (++this.#taken % TAKEN === 0) this.#width *= 2;
      return found;
    } catch (error) {
      const asked = last - first + 1;
      if (asked <= NARROW) throw error;
      this.#taken = 0;
      this.#width = asked > WIDE ? WIDE : Math.max(NARROW, Math.floor(asked / 2));
      await new Promise((done) => setTimeout(done, PAUSE_MS));
      return undefined;
    }
  }
}

function fits(topic: Hex | undefined, wanted: unknown): boolean {
  if (wanted === null || wanted === undefined) return true;
  return Array.isArray(wanted) ? wanted.includes(topic) : topic === wanted;
}

const toHex = (block: number): Hex => `0x${block.toString(16)}`;
