// Rounding (section 2, "Rounding"). BigInt's `/` truncates, so it is used as it is only where that is meant.
export function down(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a < 0n ? quotient - 1n : quotient;
}

export function up(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b !== 0n && a > 0n ? quotient + 1n : quotient;
}

export const trunc = (a: bigint, b: bigint): bigint => a / b;
export const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
export const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
export const abs = (a: bigint): bigint => (a < 0n ? -a : a);
export const clamp = (low: bigint, x: bigint, high: bigint): bigint => max(low, min(x, high));
/** The middle one of three. */
export const middle = (a: bigint, b: bigint, c: bigint): bigint => max(min(a, b), min(max(a, b), c));
