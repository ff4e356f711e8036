// Bytes and numbers. Integers are big-endian wherever they are bytes (section 2, "Integers").
export const EMPTY_BYTES = new Uint8Array(0);

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const result = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

const DIGITS = "0123456789abcdef";

export function toHex(bytes: Uint8Array): string {
  let text = "0x";
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    text += (DIGITS[byte >> 4] ?? "") + (DIGITS[byte & 15] ?? "");
  }
  return text;
}

const NO_DIGIT = 255;
/** The digit that a character code stands for. */
const DIGIT_OF = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = DIGITS.indexOf(String.fromCharCode(code).toLowerCase());
  return digit < 0 ? NO_DIGIT : digit;
});

export function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, (text.length >> 1) - 1));
  let wrong = text.length % 2 !== 0 || !text.startsWith("0x");
  for (let i = 0; i < bytes.length; i++) {
    const high = DIGIT_OF[text.charCodeAt(2 * i + 2)] ?? NO_DIGIT;
    const low = DIGIT_OF[text.charCodeAt(2 * i + 3)] ?? NO_DIGIT;
    wrong ||= high === NO_DIGIT || low === NO_DIGIT;
    bytes[i] = (high << 4) | low;
  }
  if (wrong) throw new Error(`not a hex string: ${text.slice(0, 20)}`);
  return bytes;
}

/** The unsigned number in `length` bytes from `at` on. */
export function readUint(bytes: Uint8Array, at: number, length: number): bigint {
  if (length <= 6) {
    let small = 0;
    for (let i = 0; i < length; i++) small = small * 256 + (bytes[at + i] ?? 0);
    return BigInt(small);
  }
  let value = 0n;
  let i = 0;
  for (; i + 6 <= length; i += 6) {
    let limb = 0;
    for (let j = 0; j < 6; j++) limb = limb * 256 + (bytes[at + i + j] ?? 0);
    value = limb === 0 && value === 0n ? value : (value << 48n) | BigInt(limb);
  }
  let rest = 0;
  for (let j = i; j < length; j++) rest = rest * 256 + (bytes[at + j] ?? 0);
  return i < length ? (value << BigInt(8 * (length - i))) | BigInt(rest) : value;
}

/** Writes an unsigned number; a number that does not fit is a fault of the caller (section 9, "Numbers"). */
export function writeUint(bytes: Uint8Array, at: number, length: number, value: bigint): void {
  if (value === 0n) {
    bytes.fill(0, at, at + length);
    return;
  }
  if (value < 0n || value >> BigInt(8 * length) !== 0n) throw new RangeError(`${value} does not fit ${length} bytes`);
  let rest = value;
  let i = at + length;
  while (i > at) {
    if (rest === 0n) {
      bytes[--i] = 0;
      continue;
    }
    let limb = Number(rest & 0xffffffffffffn);
    rest >>= 48n;
    for (let j = 0; j < 6 && i > at; j++) {
      bytes[--i] = limb % 256;
      limb = Math.floor(limb / 256);
    }
  }
}

/** Two's complement (section 2, `i64`). */
export function toSigned(value: bigint, length: number): bigint {
  return BigInt.asIntN(8 * length, value);
}

export function fromSigned(value: bigint, length: number): bigint {
  if (BigInt.asIntN(8 * length, value) !== value) throw new RangeError(`${value} does not fit ${length} bytes`);
  return BigInt.asUintN(8 * length, value);
}

/** A word: 32 bytes, right-aligned. */
export function word(value: bigint): Uint8Array {
  const bytes = new Uint8Array(32);
  writeUint(bytes, 0, 32, value);
  return bytes;
}

export function toUint(bytes: Uint8Array): bigint {
  return readUint(bytes, 0, bytes.length);
}
