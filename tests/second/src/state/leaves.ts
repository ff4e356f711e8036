// Values of leaves (section 5, "Leaves"): a codec for each kind. An absent leaf is the empty string, and reads as zeros.
import { isZero, EMPTY_BYTES, readUint, writeUint } from "../codec/bytes.js";
import { type Fields, type Layout, type Field, layout } from "../codec/layout.js";
import { MAX_POSITIONS, MAX_SIGNERS } from "../constants.js";
import { KIND } from "./keys.js";

export interface Codec<T> {
  readonly size: number;
  decode(bytes: Uint8Array): T;
  /** The leaf's bytes, empty where all its words are zero. */
  encode(value: T): Uint8Array;
}

const absentIfZero = (bytes: Uint8Array): Uint8Array => (isZero(bytes) ? EMPTY_BYTES : bytes);

function flat<const F extends readonly Field[]>(fields: Layout<F>): Codec<Fields<F>> {
  return {
    size: fields.size,
    decode: (bytes) => (bytes.length === 0 ? fields.zero() : fields.read(bytes)),
    encode: (value) => {
      const bytes = new Uint8Array(fields.size);
      fields.write(value, bytes);
      return absentIfZero(bytes);
    },
  };
}

// ── Account ──

const ACCOUNT_HEAD = layout([
  ["deadline", 8], ["session", 4], ["owner", 20],
  ["collateral", 32, "i"],
  ["generation", 4], ["paused_until", 4], ["shares", 16], ["nonce_top", 8],
  ["nonce_bitmap", 32],
  ["orders", 32],
  ["exit_since", 8], ["taken", 24],
]);
const POSITION = layout([
  ["market", 2], ["orders", 2], ["waited", 2], ["_", 2], ["size", 8, "i"], ["bids", 8], ["asks", 8],
  ["cost", 16, "i"], ["funding", 16, "i"],
]);

export type Position = Fields<typeof POSITION.fields>;
export type Account = Fields<typeof ACCOUNT_HEAD.fields> & { positions: Position[] };

export const ACCOUNT: Codec<Account> = {
  size: ACCOUNT_HEAD.size + MAX_POSITIONS * POSITION.size,
  decode(bytes) {
    const head = bytes.length === 0 ? ACCOUNT_HEAD.zero() : ACCOUNT_HEAD.read(bytes);
    const positions: Position[] = [];
    for (let i = 0; i < MAX_POSITIONS; i++) {
      const at = ACCOUNT_HEAD.size + i * POSITION.size;
      const free = bytes.length === 0 || isZero(bytes.subarray(at, at + POSITION.size));
      positions.push(free ? POSITION.zero() : POSITION.read(bytes, at));
    }
    return { ...head, positions };
  },
  encode(account) {
    const bytes = new Uint8Array(ACCOUNT.size);
    ACCOUNT_HEAD.write(account, bytes);
    account.positions.forEach((position, i) => POSITION.write(position, bytes, ACCOUNT_HEAD.size + i * POSITION.size));
    return absentIfZero(bytes);
  },
};

// ── The book ──

const ORDER_LEAF = layout([
  ["market", 2], ["side", 1], ["flags", 1], ["price", 4], ["size", 8], ["prev", 8], ["next", 8],
  ["expiry", 4], ["client", 8], ["sequence", 8], ["trigger", 4], ["partner", 2], ["_", 6],
]);
export type Order = Fields<typeof ORDER_LEAF.fields>;
export const ORDER = flat(ORDER_LEAF);

const LEVEL_LEAF = layout([["head", 8], ["tail", 8], ["size", 8], ["count", 8]]);
export type Level = Fields<typeof LEVEL_LEAF.fields>;
export const LEVEL = flat(LEVEL_LEAF);

const WORD_LEAF = layout([["word", 32]]);
export type Word = Fields<typeof WORD_LEAF.fields>;
export const WORD = flat(WORD_LEAF);

// ── Markets and prices ──

const MARKET_LEAF = layout([
  ["unit", 8], ["initial_margin", 4], ["maintenance_margin", 4], ["taker_fee", 4], ["maker_fee", 4, "i"], ["band", 4],
  ["max_age", 4],
  ["best_bid", 4], ["best_ask", 4], ["mark", 4], ["index", 4], ["index_time", 8], ["open_interest", 8],
  ["insurance", 16, "i"], ["revenue", 16, "i"],
  ["pool", 32, "i"],
  ["funding", 16, "i"], ["premium", 8, "i"], ["sampled", 8],
  ["step_band", 4], ["funding_cap", 4], ["close_out", 4], ["call_minutes", 1], ["scale", 1],
  ["index_flags", 1], ["settled", 1],
  ["max_open_interest", 8], ["max_position", 8],
  ["impact", 8], ["halted_until", 8], ["expiry", 8], ["stop_above", 4], ["stop_below", 4],
  ["tier1_size", 8], ["tier1_initial", 4], ["tier1_maintenance", 4], ["tier2_size", 8], ["tier2_initial", 4],
  ["tier2_maintenance", 4],
  ["twap_sum", 8], ["twap_time", 4], ["anchor", 4], ["anchor_time", 8], ["order_margin", 8],
  ["held_since", 8], ["backstop_cap", 4], ["mark_anchor", 4], ["basis0", 4, "i"], ["basis1", 4, "i"],
  ["basis2", 4, "i"], ["excess", 4, "i"],
]);
export type Market = Fields<typeof MARKET_LEAF.fields>;
export const MARKET = flat(MARKET_LEAF);

export interface Oracle {
  prices: bigint[];
  times: bigint[];
}
const ORACLE_ENTRY = layout([["price", 4], ["time", 8], ["_", 4]]);
export const ORACLE: Codec<Oracle> = {
  size: 128,
  decode(bytes) {
    const oracle: Oracle = { prices: [], times: [] };
    for (let i = 0; i < MAX_SIGNERS; i++) {
      const entry = bytes.length === 0 ? ORACLE_ENTRY.zero() : ORACLE_ENTRY.read(bytes, 16 * i);
      oracle.prices.push(entry.price);
      oracle.times.push(entry.time);
    }
    return oracle;
  },
  encode(oracle) {
    const bytes = new Uint8Array(128);
    oracle.prices.forEach((price, i) => ORACLE_ENTRY.write({ price, time: oracle.times[i] ?? 0n }, bytes, 16 * i));
    return absentIfZero(bytes);
  },
};

export interface Signers {
  count: bigint;
  quorum: bigint;
  max_age: bigint;
  owners: bigint[];
}
const SIGNERS_HEAD = layout([["count", 2], ["quorum", 2], ["max_age", 4], ["_", 24]]);
export const SIGNERS: Codec<Signers> = {
  size: 32 * (1 + MAX_SIGNERS),
  decode(bytes) {
    const head = bytes.length === 0 ? SIGNERS_HEAD.zero() : SIGNERS_HEAD.read(bytes);
    const owners: bigint[] = [];
    for (let i = 0; i < MAX_SIGNERS; i++) owners.push(bytes.length === 0 ? 0n : readUint(bytes, 32 * (1 + i), 32));
    return { ...head, owners };
  },
  encode(signers) {
    const bytes = new Uint8Array(SIGNERS.size);
    SIGNERS_HEAD.write(signers, bytes);
    signers.owners.forEach((owner, i) => writeUint(bytes, 32 * (1 + i), 32, owner));
    return absentIfZero(bytes);
  },
};

// ── Others ──

const WITHDRAWAL_LEAF = layout([["account", 32], ["owner", 32], ["amount", 32]]);
export type Withdrawal = Fields<typeof WITHDRAWAL_LEAF.fields>;
export const WITHDRAWAL = flat(WITHDRAWAL_LEAF);

const AGENT_LEAF = layout([
  ["expiry", 8], ["_", 4], ["address", 20],
  ["markets", 8], ["subs", 2], ["kinds", 2], ["limits", 2], ["_", 10], ["nonce_top", 8],
  ["nonce_bitmap", 32],
]);
export type Agent = Fields<typeof AGENT_LEAF.fields>;
export const AGENT = flat(AGENT_LEAF);

export interface Parked {
  /** The 124 bytes of the message; all zero where nothing is parked. */
  message: Uint8Array;
  stamp: bigint;
}
export const PARKED: Codec<Parked> = {
  size: 160,
  decode: (bytes) => ({
    message: bytes.length === 0 ? new Uint8Array(124) : bytes.slice(0, 124),
    stamp: bytes.length === 0 ? 0n : readUint(bytes, 124, 8),
  }),
  encode(parked) {
    const bytes = new Uint8Array(160);
    bytes.set(parked.message, 0);
    writeUint(bytes, 124, 8, parked.stamp);
    return absentIfZero(bytes);
  },
};

const REQUEST_LEAF = layout([["amount", 16], ["due", 8], ["generation", 8], ["kind", 1], ["next", 4], ["_", 27]]);
export type Request = Fields<typeof REQUEST_LEAF.fields>;
export const REQUEST = flat(REQUEST_LEAF);

// ── Fees ──

const TERMS_LEAF = layout([
  ["low", 16], ["high", 16],
  ["taker_saving", 4], ["maker_saving", 4], ["most_rebate", 4], ["backstop_share", 4], ["treasury_share", 4],
  ["insurance_floor", 4], ["treasury", 4], ["scale_from", 2], ["scale_most", 2],
]);
export type Terms = Fields<typeof TERMS_LEAF.fields>;
export const TERMS = flat(TERMS_LEAF);

const ACTIVITY_LEAF = layout([["amount", 16], ["day", 8], ["_", 8]]);
export type Activity = Fields<typeof ACTIVITY_LEAF.fields>;
export const ACTIVITY = flat(ACTIVITY_LEAF);

/** The length that a leaf of this key must have where it is not absent (section 12, `witness_value`). */
const SIZES: ReadonlyMap<number, number> = new Map([
  [KIND.ACCOUNT, ACCOUNT.size], [KIND.ORDER, ORDER.size], [KIND.LEVEL, LEVEL.size], [KIND.BITMAP, WORD.size],
  [KIND.MARKET, MARKET.size], [KIND.ORACLE, ORACLE.size], [KIND.SIGNERS, SIGNERS.size],
  [KIND.WITHDRAWAL, WITHDRAWAL.size], [KIND.AGENT, AGENT.size], [KIND.PARKED, PARKED.size],
  [KIND.HOLDERS, WORD.size], [KIND.REQUEST, REQUEST.size], [KIND.TERMS, TERMS.size],
  [KIND.ACTIVITY, ACTIVITY.size],
]);

export function leafSize(key: number): number {
  return SIZES.get(Math.floor(key / 2 ** 36)) ?? 0;
}
