// The KZG commitment to a blob (section 10, "Blobs"), by the points of the trusted set-up of EIP-4844.
import { bls12_381 } from "@noble/curves/bls12-381.js";
import { fromHex, readUint } from "../codec/bytes.js";

const Point = bls12_381.G1.Point;
type Point = InstanceType<typeof Point>;

/** The order of the scalars of BLS12-381: canonical values are below it. */
export const P = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;
export const ELEMENTS = 4096;
export const ELEMENT_BYTES = 32;
export const BLOB_BYTES = ELEMENTS * ELEMENT_BYTES;

/** The twelve bits of an element's number in reverse. */
export function reversed(j: number): number {
  let result = 0;
  for (let bit = 0; bit < 12; bit++) result = (result << 1) | ((j >> bit) & 1);
  return result;
}

/** The set-up: for each ωᵏ the point [Lₖ(τ)]₁, of which those that are asked for are decoded, once. */
export class Setup {
  readonly #lines: readonly string[];
  readonly #points = new Map<number, Point>();

  /** The text of the file: the numbers 4096 and 65, then 4096 points of G1 in the Lagrange basis, each in hex. */
  constructor(text: string) {
    const [first, second, ...points] = text.split(/\s+/);
    if (Number(first) !== ELEMENTS || Number(second) !== 65) throw new Error("no set-up of EIP-4844");
    this.#lines = points;
  }

  pointOf(element: number): Point {
    const k = reversed(element);
    let point = this.#points.get(k);
    if (point === undefined) {
      point = Point.fromBytes(fromHex(`0x${this.#lines[k] ?? ""}`));
      this.#points.set(k, point);
    }
    return point;
  }
}

/** The commitment, 48 bytes; null if it is no blob, or an element of it is not canonical. */
export function commitTo(blob: Uint8Array, setup: Setup): Uint8Array | null {
  if (blob.length !== BLOB_BYTES) return null;
  let sum = Point.ZERO;
  for (let j = 0; j < ELEMENTS; j++) {
    const value = readUint(blob, ELEMENT_BYTES * j, ELEMENT_BYTES);
    if (value >= P) return null;
    if (value !== 0n) sum = sum.add(setup.pointOf(j).multiplyUnsafe(value));
  }
  return sum.toBytes(true);
}
