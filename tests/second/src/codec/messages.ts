// Messages (section 4, second table): 124 bytes, type first, from 0x80 on.
import { RECORD_BYTES } from "../constants.js";
import { isZero, readUint, writeUint } from "./bytes.js";
import { type Field, type Layout, layout } from "./layout.js";
import { isCanonicalBody, LEG_PAGE } from "./records.js";

export const DEPOSIT = 0x81n, LIST_MARKET = 0x82n, SET_SIGNER = 0x83n, SET_MARKET = 0x84n, FORCED = 0x85n,
  WIND_DOWN = 0x86n, SET_TERMS = 0x87n;

export const DEPOSIT_BODY = layout([["account", 4], ["owner", 20], ["amount", 16]]);
export const MARKET_BODY = layout([
  ["market", 2], ["unit", 8], ["initial_margin", 4], ["maintenance_margin", 4], ["taker_fee", 4],
  ["maker_fee", 4, "i"], ["band", 4], ["max_age", 4], ["step_band", 4], ["funding_cap", 4], ["close_out", 4],
  ["max_open_interest", 8], ["max_position", 8], ["impact", 8], ["expiry", 8], ["tier1_size", 8],
  ["tier1_initial", 4], ["tier1_maintenance", 4], ["tier2_size", 8], ["tier2_initial", 4], ["tier2_maintenance", 4],
  ["order_margin", 8], ["backstop_cap", 4], ["call_minutes", 1],
]);
export const SET_SIGNER_BODY = layout([["number", 2], ["owner", 20], ["quorum", 2], ["max_age", 4]]);
const WIND_DOWN_BODY = layout([]);
export const SET_TERMS_BODY = layout([
  ["low", 16], ["high", 16], ["taker_saving", 4], ["maker_saving", 4], ["most_rebate", 4], ["backstop_share", 4],
  ["treasury_share", 4], ["insurance_floor", 4], ["treasury", 4], ["scale_from", 2],
  ["scale_most", 2],
]);

/** A FORCED's parts: byte 1 the sender, byte 21 the body. */
export const FORCED_SENDER_AT = 1;
export const FORCED_BODY_AT = 21;
const FORCED_USED = 81;

export const MESSAGES: ReadonlyMap<bigint, Layout<readonly Field[]>> = new Map<bigint, Layout<readonly Field[]>>([
  [DEPOSIT, DEPOSIT_BODY], [LIST_MARKET, MARKET_BODY], [SET_SIGNER, SET_SIGNER_BODY], [SET_MARKET, MARKET_BODY],
  [WIND_DOWN, WIND_DOWN_BODY], [SET_TERMS, SET_TERMS_BODY],
] as [bigint, Layout<readonly Field[]>][]);

export function encodeMessage(type: bigint, fields: Record<string, bigint>): Uint8Array {
  const message = new Uint8Array(RECORD_BYTES);
  const fieldsLayout = MESSAGES.get(type);
  if (fieldsLayout === undefined) throw new Error(`no message of type ${type}`);
  writeUint(message, 0, 1, type);
  fieldsLayout.write(fields, message, 1);
  return message;
}

export function encodeForced(sender: Uint8Array, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(RECORD_BYTES);
  writeUint(message, 0, 1, FORCED);
  message.set(sender, FORCED_SENDER_AT);
  message.set(body, FORCED_BODY_AT);
  return message;
}

/** Whether an input is canonical (section 4). What a FORCED holds is judged apart (`isForceable`). */
export function isCanonical(input: Uint8Array): boolean {
  if (input.length !== RECORD_BYTES) return false;
  const type = readUint(input, 0, 1);
  if (type < 0x80n) return type === LEG_PAGE || isCanonicalBody(input);
  if (type === FORCED) return isZero(input.subarray(FORCED_USED));
  const fieldsLayout = MESSAGES.get(type);
  return fieldsLayout !== undefined && isZero(input.subarray(1 + fieldsLayout.size));
}
