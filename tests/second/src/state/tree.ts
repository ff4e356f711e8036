// The sparse Merkle tree of depth 40 (section 5, "The tree"), kept as an immutable trie: an update makes a new root and
// shares the rest, so that a machine can be copied by copying a reference. A subtree with a single leaf is that leaf;
// its hash is folded up through empty siblings only when somebody asks for it.
import { EMPTY_BYTES } from "../codec/bytes.js";
import { KEY_BITS } from "../constants.js";
import { keccak, node } from "../hash/keccak.js";

const EMPTY_LIST: Uint8Array[] = [keccak(EMPTY_BYTES)];
for (let h = 0; h < KEY_BITS; h++) {
  const below = EMPTY_LIST[h] ?? EMPTY_BYTES;
  EMPTY_LIST.push(node(below, below));
}

/** `EMPTY[h]`, the hash of an empty subtree of height h. */
export function emptyHash(height: number): Uint8Array {
  const hash = EMPTY_LIST[height];
  if (hash === undefined) throw new RangeError(`no empty tree of height ${height}`);
  return hash;
}

/** Bit h of a key: which way the path goes at height h. */
function keyBit(key: number, height: number): 0 | 1 {
  const half = height < 32 ? key % 4294967296 : Math.floor(key / 4294967296);
  return ((half >>> 0) >>> (height % 32)) & 1 ? 1 : 0;
}

interface Leaf {
  readonly leaf: true;
  readonly key: number;
  readonly value: Uint8Array;
  /** The hash of the subtree of height `height` in which this is the only leaf. */
  hash: Uint8Array | null;
  height: number;
}

interface Branch {
  readonly leaf: false;
  readonly left: Node;
  readonly right: Node;
  hash: Uint8Array | null;
}

type Node = Leaf | Branch | null;

export type Tree = Node;
export const EMPTY_TREE: Tree = null;

const makeLeaf = (key: number, value: Uint8Array): Leaf => ({ leaf: true, key, value, hash: null, height: 0 });
const makeBranch = (left: Node, right: Node): Branch => ({ leaf: false, left, right, hash: null });

/** Folds a value's leaf hash up to a height, every sibling being empty. */
function foldAlone(key: number, value: Uint8Array, height: number): Uint8Array {
  let hash = keccak(value);
  for (let h = 0; h < height; h++) hash = keyBit(key, h) === 1 ? node(emptyHash(h), hash) : node(hash, emptyHash(h));
  return hash;
}

function hashOf(tree: Node, height: number): Uint8Array {
  if (tree === null) return emptyHash(height);
  if (tree.leaf) {
    if (tree.hash === null || tree.height !== height) {
      tree.hash = foldAlone(tree.key, tree.value, height);
      tree.height = height;
    }
    return tree.hash;
  }
  tree.hash ??= node(hashOf(tree.left, height - 1), hashOf(tree.right, height - 1));
  return tree.hash;
}

export function rootOf(tree: Tree): Uint8Array {
  return hashOf(tree, KEY_BITS);
}

export function get(tree: Tree, key: number): Uint8Array {
  let at = tree;
  let height = KEY_BITS;
  while (at !== null && !at.leaf) at = keyBit(key, --height) === 1 ? at.right : at.left;
  return at !== null && at.key === key ? at.value : EMPTY_BYTES;
}

function setAt(tree: Node, height: number, key: number, value: Uint8Array): Node {
  if (tree === null) return value.length === 0 ? null : makeLeaf(key, value);
  if (tree.leaf) {
    if (tree.key === key) return value.length === 0 ? null : makeLeaf(key, value);
    if (value.length === 0) return tree;
    // Two leaves: branch here, and again below for as long as their bits agree.
    const down = keyBit(tree.key, height - 1) === 1 ? makeBranch(null, tree) : makeBranch(tree, null);
    return setAt(down, height, key, value);
  }
  const right = keyBit(key, height - 1) === 1;
  const old = right ? tree.right : tree.left;
  const fresh = setAt(old, height - 1, key, value);
  if (fresh === old) return tree;
  const other = right ? tree.left : tree.right;
  if (fresh === null && (other === null || other.leaf)) return other; // a single leaf is left
  if (other === null && fresh !== null && fresh.leaf) return fresh;
  return right ? makeBranch(tree.left, fresh) : makeBranch(fresh, tree.right);
}

export function set(tree: Tree, key: number, value: Uint8Array): Tree {
  return setAt(tree, KEY_BITS, key, value);
}

/** A path: bit h of the bitmap is set iff the sibling at height h is listed; else it is `EMPTY[h]`. */
export interface Path {
  readonly bitmap: bigint;
  readonly siblings: readonly Uint8Array[];
}

export function pathOf(tree: Tree, key: number): Path {
  const down: (Uint8Array | null)[] = [];
  let at: Node = tree;
  for (let height = KEY_BITS; height > 0; height--) {
    let sibling: Node = null;
    if (at === null) {
      sibling = null;
    } else if (at.leaf) {
      if (keyBit(at.key, height - 1) !== keyBit(key, height - 1)) {
        sibling = at;
        at = null;
      }
    } else {
      const right: boolean = keyBit(key, height - 1) === 1;
      sibling = right ? at.left : at.right;
      at = right ? at.right : at.left;
    }
    down.push(sibling === null ? null : hashOf(sibling, height - 1));
  }
  let bitmap = 0n;
  const siblings: Uint8Array[] = [];
  for (let h = 0; h < KEY_BITS; h++) {
    const sibling = down[KEY_BITS - 1 - h];
    if (sibling === null || sibling === undefined) continue;
    bitmap |= 1n << BigInt(h);
    siblings.push(sibling); // from the leaf upward (section 2)
  }
  return { bitmap, siblings };
}

/** The root that a value and a path lead to, or null where the path has a wrong shape. */
export function fold(key: number, value: Uint8Array, path: Path): Uint8Array | null {
  if (path.bitmap >> BigInt(KEY_BITS) !== 0n) return null;
  let hash = keccak(value);
  let next = 0;
  for (let h = 0; h < KEY_BITS; h++) {
    let sibling: Uint8Array | undefined = emptyHash(h);
    if ((path.bitmap >> BigInt(h)) & 1n) sibling = path.siblings[next++];
    if (sibling === undefined) return null;
    hash = keyBit(key, h) === 1 ? node(sibling, hash) : node(hash, sibling);
  }
  return next === path.siblings.length ? hash : null;
}
