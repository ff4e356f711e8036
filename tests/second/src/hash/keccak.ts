// Keccak-256 as the EVM computes it (section 2, "Hash"). Everything that is committed to goes through this file.
import { keccak_256 } from "@noble/hashes/sha3.js";
import { makePermutation } from "./permutation.js";

const RATE = 136;
const fast = makePermutation();

export function keccak(data: Uint8Array): Uint8Array {
  if (fast === null) return keccak_256(data);
  const { state, permute } = fast;
  state.fill(0);
  let at = 0;
  for (; at + RATE <= data.length; at += RATE) {
    for (let i = 0; i < RATE; i++) state[i] = (state[i] ?? 0) ^ (data[at + i] ?? 0);
    permute();
  }
  const rest = data.length - at;
  for (let i = 0; i < rest; i++) state[i] = (state[i] ?? 0) ^ (data[at + i] ?? 0);
  state[rest] = (state[rest] ?? 0) ^ 0x01;
  state[RATE - 1] = (state[RATE - 1] ?? 0) ^ 0x80;
  permute();
  return state.slice(0, 32);
}

/** `node(l, r) = keccak(l ‖ r)` (section 2). */
export function node(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (fast === null) {
    const pair = new Uint8Array(64);
    pair.set(left, 0);
    pair.set(right, 32);
    return keccak_256(pair);
  }
  const { state, permute } = fast;
  state.fill(0, 64);
  state.set(left, 0);
  state.set(right, 32);
  state[64] = 0x01;
  state[RATE - 1] = 0x80;
  permute();
  return state.slice(0, 32);
}
