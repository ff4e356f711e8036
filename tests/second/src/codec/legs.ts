// Leg pages (section 4, "Leg pages"): eight legs of 11 bytes, and the hash of the page that follows.
import { LEG_BYTES, LEGS_PER_PAGE, RECORD_BYTES } from "../constants.js";
import { keccak } from "../hash/keccak.js";
import { readUint, writeUint } from "./bytes.js";
import { type Fields, layout } from "./layout.js";
import { LEG_PAGE } from "./records.js";

export const LEG = layout([["flags", 1], ["market", 1], ["order_slot", 1], ["price", 3], ["size", 5]]);
export type Leg = Fields<typeof LEG.fields>;

/** Two legs are a register `legs0`…`legs3`: 22 bytes, the first in the higher bits (section 6). */
export const LEG_BITS = BigInt(8 * LEG_BYTES);
const LEGS_AT = 1;
export const FOLLOWING_AT = LEGS_AT + LEGS_PER_PAGE * LEG_BYTES;

export function legFromBits(bits: bigint): Leg {
  const bytes = new Uint8Array(LEG_BYTES);
  writeUint(bytes, 0, LEG_BYTES, bits);
  return LEG.read(bytes);
}

export function encodeLegPage(legs: readonly Leg[], following: Uint8Array): Uint8Array {
  const page = new Uint8Array(RECORD_BYTES);
  writeUint(page, 0, 1, LEG_PAGE);
  legs.forEach((leg, i) => LEG.write(leg, page, LEGS_AT + i * LEG_BYTES));
  page.set(following, FOLLOWING_AT);
  return page;
}

/** The hash by which a page is named: of all 124 bytes. */
export function legPageHash(page: Uint8Array): Uint8Array {
  return keccak(page);
}

/** The register `legs`i of a page: the bytes 1 + 22·i onward. */
export function legsWord(page: Uint8Array, i: number): bigint {
  return readUint(page, LEGS_AT + 2 * LEG_BYTES * i, 2 * LEG_BYTES);
}
