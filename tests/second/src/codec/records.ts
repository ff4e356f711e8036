// Bodies of records (section 4, first table): 60 bytes, type first.
import { BODY_BYTES } from "../constants.js";
import { isZero, readUint, writeUint } from "./bytes.js";
import { type Field, type Layout, layout } from "./layout.js";

export const ORDER = 1n, CANCEL = 2n, TRANSFER = 3n, WITHDRAW = 4n, REPORT = 5n, CANCEL_ALL = 6n, AMEND = 7n,
  SCHEDULE_CANCEL = 8n, SET_AGENT = 9n, CRANK = 10n, BULK = 11n, LEG_PAGE = 12n, BACKSTOP_DEPOSIT = 13n,
  BACKSTOP_WITHDRAW = 14n;

/** The kind of the machine's own orders; no input has it (section 4). */
export const LIQUIDATION = 0x7fn;

const HEAD = [["account", 4], ["nonce", 8]] as const;

export const ORDER_BODY = layout([
  ...HEAD, ["market", 2], ["side", 1], ["flags", 1], ["order_slot", 2], ["price", 4], ["size", 8], ["expiry", 4],
  ["trigger", 4], ["client", 8], ["partner", 2], ["agent", 1],
]);
export const CANCEL_BODY = layout([...HEAD, ["order_slot", 2], ["client", 8], ["agent", 1]]);
export const TRANSFER_BODY = layout([...HEAD, ["peer", 4], ["amount", 16]]);
export const WITHDRAW_BODY = layout([...HEAD, ["amount", 16]]);
export const REPORT_BODY = layout([["signer", 4], ["time", 8], ["market", 2], ["price", 4]]);
export const CANCEL_ALL_BODY = layout([...HEAD, ["agent", 1]]);
export const AMEND_BODY = layout([...HEAD, ["order_slot", 2], ["price", 4], ["size", 8], ["agent", 1]]);
export const SCHEDULE_CANCEL_BODY = layout([...HEAD, ["deadline", 8], ["agent", 1]]);
export const SET_AGENT_BODY = layout([
  ...HEAD, ["agent", 1], ["key", 20], ["expiry", 8], ["session", 4], ["subs", 2], ["kinds", 2], ["markets", 8],
  ["limits", 2],
]);
export const CRANK_BODY = layout([...HEAD, ["market", 2]]);
export const BULK_BODY = layout([...HEAD, ["leg_pages", 32], ["agent", 1]]);
export const BACKSTOP_DEPOSIT_BODY = layout([...HEAD, ["amount", 16]]);
export const BACKSTOP_WITHDRAW_BODY = layout([...HEAD, ["shares", 16]]);

/** Every layout by type; a LEG_PAGE has none, its bytes are legs. */
export const BODIES: ReadonlyMap<bigint, Layout<readonly Field[]>> = new Map<bigint, Layout<readonly Field[]>>([
  [ORDER, ORDER_BODY], [CANCEL, CANCEL_BODY], [TRANSFER, TRANSFER_BODY], [WITHDRAW, WITHDRAW_BODY],
  [REPORT, REPORT_BODY], [CANCEL_ALL, CANCEL_ALL_BODY], [AMEND, AMEND_BODY], [SCHEDULE_CANCEL, SCHEDULE_CANCEL_BODY],
  [SET_AGENT, SET_AGENT_BODY], [CRANK, CRANK_BODY], [BULK, BULK_BODY], [BACKSTOP_DEPOSIT, BACKSTOP_DEPOSIT_BODY],
  [BACKSTOP_WITHDRAW, BACKSTOP_WITHDRAW_BODY],
] as [bigint, Layout<readonly Field[]>][]);

export function encodeBody(type: bigint, fields: Record<string, bigint>): Uint8Array {
  const body = new Uint8Array(BODY_BYTES);
  const fieldsLayout = BODIES.get(type);
  if (fieldsLayout === undefined) throw new Error(`no body of type ${type}`);
  writeUint(body, 0, 1, type);
  fieldsLayout.write(fields, body, 1);
  return body;
}

/** A record's body is canonical iff its type is known and what is behind the used bytes is zero (section 4). */
export function isCanonicalBody(body: Uint8Array): boolean {
  const type = readUint(body, 0, 1);
  const fieldsLayout = BODIES.get(type);
  return fieldsLayout !== undefined && isZero(body.subarray(1 + fieldsLayout.size, BODY_BYTES));
}

/** What may be inside a FORCED: what an owner or an agent signs, but a BULK (section 4, "Forced inclusion"). */
export function isForceable(body: Uint8Array): boolean {
  const type = readUint(body, 0, 1);
  if (type === REPORT || type === CRANK || type === BULK || type === LEG_PAGE) return false;
  return isCanonicalBody(body);
}
