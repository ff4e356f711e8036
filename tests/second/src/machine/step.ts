// What one step has in its hands: the registers, and the leaves it touches, in the order of first use, which is the
// order of its witness (section 8, first paragraph).
import { equal } from "../codec/bytes.js";
import { MAX_LEAVES, WORK_LIMIT } from "../constants.js";
import { Revert } from "../errors.js";
import { type Reason, reasonNumber } from "../reasons.js";
import * as keys from "../state/keys.js";
import * as leaves from "../state/leaves.js";
import type { Registers } from "../state/registers.js";
import * as phase from "./phases.js";

interface LeafSource {
  /** The value at a key; empty where the leaf is absent. Called once a key and step, in the order of use. */
  read(key: number): Uint8Array;
}

export interface Touched {
  readonly key: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

interface Open {
  readonly key: number;
  readonly before: Uint8Array;
  readonly value: unknown;
  readonly encode: () => Uint8Array;
}

export class Leaves {
  readonly #source: LeafSource;
  readonly #open = new Map<number, Open>();

  constructor(source: LeafSource) {
    this.#source = source;
  }

  #get<T>(key: number, codec: leaves.Codec<T>): T {
    const known = this.#open.get(key);
    if (known !== undefined) return known.value as T; // a key has one codec, so the type is the one of its first use
    if (this.#open.size >= MAX_LEAVES) throw new Revert("witness_leaves", "a step touches ten leaves at most");
    const before = this.#source.read(key);
    const value = codec.decode(before);
    this.#open.set(key, { key, before, value, encode: () => codec.encode(value) });
    return value;
  }

  account(id: bigint): leaves.Account { return this.#get(keys.accountKey(id), leaves.ACCOUNT); }
  order(handle: bigint): leaves.Order { return this.#get(keys.orderKey(handle), leaves.ORDER); }
  level(market: bigint, side: bigint, tick: bigint): leaves.Level {
    return this.#get(keys.levelKey(market, side, tick), leaves.LEVEL);
  }
  bitmap(market: bigint, side: bigint, depth: number, index: bigint): leaves.Word {
    return this.#get(keys.bitmapKey(market, side, depth, index), leaves.WORD);
  }
  holders(market: bigint, depth: number, index: bigint): leaves.Word {
    return this.#get(keys.holdersKey(market, depth, index), leaves.WORD);
  }
  market(market: bigint): leaves.Market { return this.#get(keys.marketKey(market), leaves.MARKET); }
  oracle(market: bigint): leaves.Oracle { return this.#get(keys.oracleKey(market), leaves.ORACLE); }
  signers(): leaves.Signers { return this.#get(keys.SIGNERS_KEY, leaves.SIGNERS); }
  withdrawal(index: bigint): leaves.Withdrawal { return this.#get(keys.withdrawalKey(index), leaves.WITHDRAWAL); }
  agent(master: bigint, agent: bigint): leaves.Agent { return this.#get(keys.agentKey(master, agent), leaves.AGENT); }
  parked(index: bigint): leaves.Parked { return this.#get(keys.parkedKey(index), leaves.PARKED); }
  request(account: bigint): leaves.Request { return this.#get(keys.requestKey(account), leaves.REQUEST); }
  terms(): leaves.Terms { return this.#get(keys.TERMS_KEY, leaves.TERMS); }
  activity(master: bigint): leaves.Activity { return this.#get(keys.activityKey(master), leaves.ACTIVITY); }

  /** What the step has touched, with the values that it leaves behind. */
  close(): Touched[] {
    const touched: Touched[] = [];
    for (const { key, before, encode } of this.#open.values()) {
      const after = encode();
      touched.push({ key, before, after: equal(before, after) ? before : after });
    }
    return touched;
  }
}

export interface Step {
  readonly r: Registers;
  readonly leaves: Leaves;
}

/** The time *as of* which the input is (8.FETCH.132): of one of the queue its stamp, of a record of the batch `time`. */
export function asOf({ r }: Step): bigint {
  return r.stamp === 0n ? r.time : r.stamp;
}

// ── Ends of a step (section 8, first list) ──

/** *Finish*. */
export function finish({ r }: Step): void {
  r.phase = r.return_phase;
}

/** *Refuse* x: only an ordinary record's own work has an outcome. */
export function refuse(step: Step, reason: Reason): void {
  setOutcome(step, reason);
  finish(step);
}

/** *Drop* x, or without x: what is left of the order is released in DROP. */
export function drop(step: Step, reason?: Reason): void {
  if (reason !== undefined) setOutcome(step, reason);
  step.r.phase = phase.DROP;
}

function setOutcome({ r }: Step, reason: Reason): void {
  if (r.return_phase === phase.IDLE) r.outcome = reasonNumber(reason);
}

/** *Out of steps*. */
export function outOfSteps({ r }: Step): boolean {
  return r.steps - r.started >= WORK_LIMIT;
}

/** To *pause*, going on with a phase. */
export function pause({ r }: Step, goOn: bigint): void {
  r.has_work = 1n;
  r.next_phase = goOn;
  r.phase = phase.IDLE;
}
