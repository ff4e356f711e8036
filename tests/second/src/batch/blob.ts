// Records in blobs (section 10, "Blobs"): four field elements a record, each shown by a KZG proof of EIP-4844.
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, equal, fromHex, readUint } from "../codec/bytes.js";
import { ELEMENTS, P, reversed } from "./commitment.js";

/** [τ]₂ of the ceremony of EIP-4844; the document says only "the point evaluation precompile". */
const TAU_G2 =
  "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72" +
  "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2";

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % P;
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}

const OMEGA = power(7n, (P - 1n) / BigInt(ELEMENTS));

/** Where the polynomial has the value of element j. */
function pointOf(j: number): bigint {
  return power(OMEGA, BigInt(reversed(j)));
}

/** 0x01 ‖ sha256(KZG commitment)[1:]. */
export function versionedHash(commitment: Uint8Array): Uint8Array {
  const hash = sha256(commitment);
  hash[0] = 1;
  return hash;
}

/** What the precompile at 0x0A checks: e(C − [y]G, G₂) = e(proof, [τ − z]G₂). */
function evaluates(commitment: Uint8Array, z: bigint, y: bigint, proof: Uint8Array): boolean {
  const { G1, G2, pairing, fields } = bls12_381Parts();
  const c = G1.fromBytes(commitment);
  const pi = G1.fromBytes(proof);
  c.assertValidity();
  pi.assertValidity();
  const tau = G2.fromBytes(fromHex(`0x${TAU_G2}`));
  const left = y === 0n ? c : c.subtract(G1.BASE.multiply(y));
  const right = z === 0n ? tau : tau.subtract(G2.BASE.multiply(z));
  const one = fields.Fp12.ONE;
  const isZeroLeft = left.equals(G1.ZERO);
  const isZeroProof = pi.equals(G1.ZERO);
  const a = isZeroLeft ? one : pairing(left, G2.BASE);
  const b = isZeroProof ? one : pairing(pi, right);
  return fields.Fp12.eql(a, b);
}

function bls12_381Parts() {
  return {
    G1: bls12_381.G1.Point, G2: bls12_381.G2.Point, pairing: bls12_381.pairing, fields: bls12_381.fields,
  };
}

const PROOF_PAGE_BYTES = 48 + 4 * (32 + 48);

/** The record that a record page of 368 bytes shows under a versioned hash, or null. */
export function checkBlobRecord(
  dataRoot: Uint8Array, recordCount: number, index: number, page: Uint8Array,
): Uint8Array | null {
  if (index >= recordCount || page.length !== PROOF_PAGE_BYTES) return null;
  const commitment = page.subarray(0, 48);
  if (!equal(versionedHash(commitment), dataRoot)) return null;
  const parts: Uint8Array[] = [];
  for (let i = 0; i < 4; i++) {
    const at = 48 + 80 * i;
    const value = readUint(page, at, 32);
    if (value >= P) return null; // canonical values only
    try {
      if (!evaluates(commitment, pointOf(4 * index + i), value, page.subarray(at + 32, at + 80))) return null;
    } catch {
      return null; // no point of the curve
    }
    parts.push(page.slice(at + 1, at + 32));
  }
  return concat(...parts);
}
