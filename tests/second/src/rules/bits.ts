// Trees of bitmap words, three deep (section 5, "Keys"): over the ticks of a side of the book, or over account ids.
import type { Word } from "../state/leaves.js";

/** Reads the word at a depth (0 the top) with an index; a leaf of the step. */
export type ReadWord = (depth: number, index: bigint) => Word;

const indexAt = (n: bigint, depth: number): bigint => n >> BigInt(24 - 8 * depth);
const bitAt = (n: bigint, depth: number): bigint => (n >> BigInt(16 - 8 * depth)) & 255n;

/** Sets the bit of a number at depth 2, 1 and 0. */
export function setBit(read: ReadWord, n: bigint): void {
  for (let depth = 2; depth >= 0; depth--) {
    const leaf = read(depth, indexAt(n, depth));
    leaf.word |= 1n << bitAt(n, depth);
  }
}

/** Clears it at depth 2, and above where the word below is zero now. All three words are touched in any case. */
export function clearBit(read: ReadWord, n: bigint): void {
  let belowIsZero = true;
  for (let depth = 2; depth >= 0; depth--) {
    const leaf = read(depth, indexAt(n, depth));
    if (belowIsZero) leaf.word &= ~(1n << bitAt(n, depth));
    belowIsZero = belowIsZero && leaf.word === 0n;
  }
}

export function lowestBit(word: bigint): bigint {
  if (word === 0n) throw new Error("no bit is set");
  let bit = 0n;
  let rest = word;
  while ((rest & 0xffffffffn) === 0n) {
    rest >>= 32n;
    bit += 32n;
  }
  while ((rest & 1n) === 0n) {
    rest >>= 1n;
    bit += 1n;
  }
  return bit;
}

function highestBit(word: bigint): bigint {
  return BigInt(word.toString(2).length - 1);
}

const bestBit = (word: bigint, highest: boolean): bigint => (highest ? highestBit(word) : lowestBit(word));

/** Follows the best bits down from a word at a depth; `index` is that of the word. */
function descend(read: ReadWord, depth: number, index: bigint, word: bigint, highest: boolean): bigint {
  let at = (index << 8n) | bestBit(word, highest);
  for (let d = depth + 1; d <= 2; d++) {
    const below = read(d, at).word;
    if (below === 0n) throw new Error("a bit above an empty word");
    at = (at << 8n) | bestBit(below, highest);
  }
  return at;
}

/** The best number of a tree, from the top down (SEEK); only the top word is touched if it is zero. */
export function best(read: ReadWord, highest: boolean): bigint | null {
  const top = read(0, 0n).word;
  return top === 0n ? null : descend(read, 0, 0n, top, highest);
}

/** The next worse number behind n (NEXT): up to the first word with a worse bit, then down. */
export function nextWorse(read: ReadWord, n: bigint, highest: boolean): bigint | null {
  for (let depth = 2; depth >= 0; depth--) {
    const index = indexAt(n, depth);
    const bit = bitAt(n, depth);
    const word = read(depth, index).word;
    const worse = highest ? word & ((1n << bit) - 1n) : (word >> (bit + 1n)) << (bit + 1n);
    if (worse !== 0n) return descend(read, depth, index, worse, highest);
  }
  return null;
}
