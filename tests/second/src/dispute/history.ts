// Histories (section 11): the binary Merkle tree of depth 35 over the machine hash after each position of an epoch.
// It is kept as the positions at which the hash changes; a subtree with equal leaves has one node a height.
import { equal, toHex } from "../codec/bytes.js";
import { node } from "../hash/keccak.js";

export const DEPTH = 35;
export const LEVELS = 7;

export interface Change {
  /** The first position after which the machine hash is this. */
  readonly position: number;
  readonly hash: Uint8Array;
}

export class History {
  readonly #changes: readonly Change[];
  readonly #uniform = new Map<string, Uint8Array[]>();
  readonly #nodes = new Map<string, Uint8Array>();

  /** Changes in the order of positions, the first at position 0. */
  constructor(changes: readonly Change[]) {
    if (changes[0]?.position !== 0) throw new Error("a history begins at position 0");
    this.#changes = changes;
  }

  /** The last change at or before a position. */
  #indexAt(position: number): number {
    let low = 0;
    let high = this.#changes.length - 1;
    while (low < high) {
      const mid = Math.ceil((low + high) / 2);
      if ((this.#changes[mid]?.position ?? 0) <= position) low = mid;
      else high = mid - 1;
    }
    return low;
  }

  /** Leaf j: the machine hash after position j. */
  leaf(position: number): Uint8Array {
    const change = this.#changes[this.#indexAt(position)];
    if (change === undefined) throw new RangeError("no such position");
    return change.hash;
  }

  #repeat(hash: Uint8Array, height: number): Uint8Array {
    const name = toHex(hash);
    const list = this.#uniform.get(name) ?? [hash];
    this.#uniform.set(name, list);
    for (let h = list.length; h <= height; h++) {
      const below = list[h - 1] ?? hash;
      list.push(node(below, below));
    }
    return list[height] ?? hash;
  }

  /** The node of a binary height that covers the leaves number · 2^height onward. */
  node(height: number, number: number): Uint8Array {
    const width = 2 ** height;
    const first = number * width;
    const at = this.#indexAt(first);
    const following = this.#changes[at + 1];
    if (following === undefined || following.position >= first + width) return this.#repeat(this.leaf(first), height);
    const name = `${height}:${number}`;
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const hash = node(this.node(height - 1, 2 * number), this.node(height - 1, 2 * number + 1));
    this.#nodes.set(name, hash);
    return hash;
  }

  root(): Uint8Array {
    return this.node(DEPTH, 0);
  }

  end(): Uint8Array {
    return this.leaf(2 ** DEPTH - 1);
  }

  /** The siblings of a leaf, from the leaf upward. */
  path(position: number): Uint8Array[] {
    const siblings: Uint8Array[] = [];
    let number = position;
    for (let height = 0; height < DEPTH; height++) {
      siblings.push(this.node(height, number % 2 === 0 ? number + 1 : number - 1));
      number = Math.floor(number / 2);
    }
    return siblings;
  }

  /** The opening of the node of a level (0 the root) with a prefix: the 32 nodes five binary levels below. */
  opening(level: number, prefix: number): Uint8Array[] {
    const height = DEPTH - 5 * (level + 1);
    return Array.from({ length: 32 }, (_, i) => this.node(height, 32 * prefix + i));
  }
}

/** Folds a leaf and its siblings up: bit h of the number decides the side. */
export function foldUp(leaf: Uint8Array, number: number, siblings: readonly Uint8Array[]): Uint8Array {
  let hash = leaf;
  let at = number;
  for (const sibling of siblings) {
    hash = at % 2 === 1 ? node(sibling, hash) : node(hash, sibling);
    at = Math.floor(at / 2);
  }
  return hash;
}

/** The node above an opening of 32. */
export function foldOpening(children: readonly Uint8Array[]): Uint8Array {
  let level = [...children];
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i + 1 < level.length; i += 2) {
      const [left, right] = [level[i], level[i + 1]];
      if (left !== undefined && right !== undefined) above.push(node(left, right));
    }
    level = above;
  }
  const top = level[0];
  if (top === undefined) throw new Error("an opening has 32 nodes");
  return top;
}

/** To join: the opening, the end and 30 left siblings lead to the root, which is returned (section 11). */
export function rootOfJoin(
  children: readonly Uint8Array[], end: Uint8Array, path: readonly Uint8Array[],
): Uint8Array | null {
  if (children.length !== 32 || path.length !== 30) return null;
  const last = children[31];
  // All siblings are left ones: the last leaf has every bit set.
  const folded = foldUp(end, 2 ** 30 - 1, path);
  return last !== undefined && equal(folded, last) ? foldOpening(children) : null;
}
