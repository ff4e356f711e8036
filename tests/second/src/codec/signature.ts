// Compact signatures of EIP-2098 with the low-s rule (section 3), and the address that they recover to.
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { keccak } from "../hash/keccak.js";
import { concat, readUint, toHex, toUint, word } from "./bytes.js";

const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const PARITY = 1n << 255n;

const KEPT = 4096;
const known = new Map<string, bigint | null>();

/** The signer, or null where the signature is not valid. What is executed again is not recovered again. */
export function recover(digest: Uint8Array, signature: Uint8Array): bigint | null {
  const name = `${toHex(digest)} ${toHex(signature)}`;
  let signer = known.get(name);
  if (signer === undefined) {
    signer = recoverSigner(digest, signature);
    if (known.size >= KEPT) known.clear();
    known.set(name, signer);
  }
  return signer;
}

/** r + n is never tried: r is the x-coordinate itself. */
function recoverSigner(digest: Uint8Array, signature: Uint8Array): bigint | null {
  const r = readUint(signature, 0, 32);
  const packed = readUint(signature, 32, 32);
  const parity = packed >= PARITY ? 1 : 0;
  const s = packed & (PARITY - 1n);
  if (r === 0n || r >= N || s === 0n || s > (N - 1n) / 2n) return null;
  try {
    const recovered = secp256k1.Signature.fromBytes(concat(word(r), word(s)), "compact")
      .addRecoveryBit(parity)
      .recoverPublicKey(digest);
    const key = recovered.toBytes(false);
    return toUint(keccak(key.subarray(1)).subarray(12));
  } catch {
    return null; // no point has that x-coordinate, or the key would be the point at infinity
  }
}
