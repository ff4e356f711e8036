// Calldata and event logs by the Solidity ABI: from the name and types of a function or event, and its values.
import { concat, word } from "../codec/bytes.js";
import { keccak } from "../hash/keccak.js";

/** Numbers, bytes in the width that their type says, text, and lists: also of the fields of a tuple, in order. */
export type Value = bigint | boolean | string | Uint8Array | readonly Value[];

interface Type {
  readonly kind: "number" | "bytes" | "string" | "fixed bytes" | "list" | "tuple";
  /** Entries of a list (none: any number of them), or fields of a tuple. */
  readonly inner: readonly Type[];
  readonly count?: number;
}

const utf8 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** The types between the outermost parentheses of "name(types)". */
export function typesOf(signature: string): string[] {
  return split(signature.slice(signature.indexOf("(") + 1, -1));
}

function split(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "(") depth++;
    if (text[at] === ")") depth--;
    if (text[at] === "," && depth === 0) {
      parts.push(text.slice(from, at));
      from = at + 1;
    }
  }
  return text === "" ? [] : [...parts, text.slice(from)];
}

function parse(name: string): Type {
  const list = /^(.*)\[(\d*)\]$/.exec(name);
  if (list !== null) {
    const [, inner, count] = list;
    const type: Type = { kind: "list", inner: [parse(inner ?? "")] };
    return count === "" ? type : { ...type, count: Number(count) };
  }
  if (name.startsWith("(")) return { kind: "tuple", inner: split(name.slice(1, -1)).map(parse) };
  if (name === "bytes" || name === "string") return { kind: name, inner: [] };
  if (/^bytes\d+$/.test(name)) return { kind: "fixed bytes", inner: [] };
  if (/^(u?int\d+|address|bool)$/.test(name)) return { kind: "number", inner: [] };
  throw new Error(`no type ${name}`);
}

function isDynamic({ kind, inner, count }: Type): boolean {
  if (kind === "bytes" || kind === "string" || (kind === "list" && count === undefined)) return true;
  return inner.some(isDynamic);
}

function padded(bytes: Uint8Array): Uint8Array {
  const result = new Uint8Array(Math.ceil(bytes.length / 32) * 32);
  result.set(bytes);
  return result;
}

function encodeOne(type: Type, value: Value): Uint8Array {
  if (type.kind === "number") {
    if (value instanceof Uint8Array) return word(BigInt(`0x${[...value].map((b) => b.toString(16).padStart(2, "0")).join("")}`));
    const number = BigInt(value as bigint | boolean);
    return word(number < 0n ? number + 2n ** 256n : number);
  }
  if (type.kind === "fixed bytes") return padded(value as Uint8Array);
  if (type.kind === "bytes" || type.kind === "string") {
    const bytes = typeof value === "string" ? utf8(value) : (value as Uint8Array);
    return concat(word(BigInt(bytes.length)), padded(bytes));
  }
  const values = value as readonly Value[];
  if (type.kind === "tuple") return encodeAll(type.inner, values);
  const [inner] = type.inner;
  if (inner === undefined || (type.count ?? values.length) !== values.length) throw new Error("a list of another length");
  const entries = encodeAll(values.map(() => inner), values);
  return type.count === undefined ? concat(word(BigInt(values.length)), entries) : entries;
}

/** Heads, and behind them what is of no fixed size. */
function encodeAll(types: readonly Type[], values: readonly Value[]): Uint8Array {
  if (types.length !== values.length) throw new Error(`${values.length} values for ${types.length} types`);
  const parts = types.map((type, i) => ({ dynamic: isDynamic(type), bytes: encodeOne(type, values[i] ?? 0n) }));
  let offset = parts.reduce((sum, part) => sum + (part.dynamic ? 32 : part.bytes.length), 0);
  const heads: Uint8Array[] = [];
  const tails: Uint8Array[] = [];
  for (const { dynamic, bytes } of parts) {
    heads.push(dynamic ? word(BigInt(offset)) : bytes);
    if (dynamic) {
      tails.push(bytes);
      offset += bytes.length;
    }
  }
  return concat(...heads, ...tails);
}

export function encodeValues(types: readonly string[], values: readonly Value[]): Uint8Array {
  return encodeAll(types.map(parse), values);
}

/** The calldata of a function, "name(types)". */
export function encodeCall(signature: string, values: readonly Value[]): Uint8Array {
  return concat(keccak(utf8(signature)).slice(0, 4), encodeValues(typesOf(signature), values));
}

/** Topics and data of an event, "name(types)": each field, and whether it is a topic. */
export function encodeLog(
  signature: string, fields: readonly { value: Value; indexed: boolean }[],
): { topics: Uint8Array[]; data: Uint8Array } {
  const types = typesOf(signature);
  const of = (indexed: boolean) => fields.flatMap((field, i) => (field.indexed === indexed ? [{ ...field, type: types[i] ?? "" }] : []));
  const topics = of(true).map(({ type, value }) => encodeValues([type], [value]));
  const rest = of(false);
  return {
    topics: [keccak(utf8(signature)), ...topics],
    data: encodeValues(rest.map(({ type }) => type), rest.map(({ value }) => value)),
  };
}
