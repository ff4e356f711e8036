// The JSON of the vectors (section 20): bytes are hex strings with 0x, integers decimal numbers, decimal strings
// beyond ±2^53. Read strictly: a field that is missing or of another type is an error of the file.
import { fromHex, toHex, word } from "../codec/bytes.js";
import { REGISTERS, type Registers, zeroRegisters } from "../state/registers.js";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export function object(value: Json | undefined): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("an object is missing");
  return value as JsonObject;
}

export function list(value: Json | undefined): readonly Json[] {
  if (!Array.isArray(value)) throw new Error("a list is missing");
  return value as readonly Json[];
}

export function text(value: Json | undefined): string {
  if (typeof value !== "string") throw new Error("a string is missing");
  return value;
}

/** A number, also one that is written in hex. */
export function integer(value: Json | undefined): bigint {
  if (typeof value === "number" && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === "string" && /^(-?\d+|0x[0-9a-fA-F]+)$/.test(value)) return BigInt(value);
  throw new Error(`a number is missing: ${JSON.stringify(value)}`);
}

export const small = (value: Json | undefined): number => Number(integer(value));
export const bytes = (value: Json | undefined): Uint8Array => fromHex(text(value));
export const hashes = (value: Json | undefined): Uint8Array[] => list(value).map(bytes);

/** Named numbers; lists and the like are left out. */
export function integers(value: JsonObject): Record<string, bigint> {
  const result: Record<string, bigint> = {};
  for (const [name, entry] of Object.entries(value)) {
    if (typeof entry === "number" || typeof entry === "string") result[name] = integer(entry);
  }
  return result;
}

const MAX_EXACT = 2n ** 53n;

export const toJson = (value: bigint): number | string =>
  value > MAX_EXACT || value < -MAX_EXACT ? value.toString() : Number(value);

const hexWord = (value: bigint): string => toHex(word(value));
export const hexAddress = (value: bigint): string => toHex(word(value).subarray(12));

export function readRegisters(value: Json | undefined): Registers {
  const registers = zeroRegisters();
  const given = integers(object(value));
  for (const name of REGISTERS) registers[name] = given[name] ?? 0n;
  for (const name of Object.keys(given)) if (!(name in registers)) throw new Error(`no register ${name}`);
  return registers;
}

/** Registers that are zero are left out. */
export function writeRegisters(registers: Registers): Record<string, number | string> {
  const result: Record<string, number | string> = {};
  for (const name of REGISTERS) {
    const value = registers[name];
    if (value === 0n) continue;
    if (name === "domain" || name === "bulk") result[name] = hexWord(value);
    else if (name === "signer") result[name] = hexAddress(value);
    else result[name] = toJson(value);
  }
  return result;
}

/** Deep equality; of numbers whatever way they are written. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => same(left[name], right[name]));
}
