// The ABI encoding of a one-step proof (section 12): (bytes32, uint256[95], input, witness[]), as arguments.
import { concat, readUint, word } from "../codec/bytes.js";
import { decodeHeader, encodeHeader, type Header } from "../batch/header.js";
import type { WitnessLeaf } from "../machine/state.js";
import { encodeRegisters, REGISTERS, type RegisterName, type Registers } from "../state/registers.js";

export interface ProofInput {
  readonly header: Header;
  readonly message: Uint8Array;
  readonly recordPage: Uint8Array;
  readonly siblings: readonly Uint8Array[];
  readonly queueHash: Uint8Array;
}

export interface Proof {
  readonly stateRoot: Uint8Array;
  readonly registers: Registers;
  readonly input: ProofInput;
  readonly witness: readonly WitnessLeaf[];
}

const number = (value: number): Uint8Array => word(BigInt(value));

function dynamicBytes(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil(bytes.length / 32) * 32);
  padded.set(bytes);
  return concat(number(bytes.length), padded);
}

const words = (list: readonly Uint8Array[]): Uint8Array => concat(number(list.length), ...list);

/** A tuple of static parts (bytes) and dynamic parts (an offset, and the content behind all heads). */
function tuple(parts: readonly (Uint8Array | { readonly dynamic: Uint8Array })[]): Uint8Array {
  let offset = 0;
  for (const part of parts) offset += "dynamic" in part ? 32 : part.length;
  const heads: Uint8Array[] = [];
  const tails: Uint8Array[] = [];
  for (const part of parts) {
    if ("dynamic" in part) {
      heads.push(number(offset));
      tails.push(part.dynamic);
      offset += part.dynamic.length;
    } else {
      heads.push(part);
    }
  }
  return concat(...heads, ...tails);
}

export function encodeProof({ stateRoot, registers, input, witness }: Proof): Uint8Array {
  const encodedInput = tuple([
    encodeHeader(input.header), { dynamic: dynamicBytes(input.message) }, { dynamic: dynamicBytes(input.recordPage) },
    { dynamic: words(input.siblings) }, input.queueHash,
  ]);
  const leaves = witness.map(({ key, value, path }) =>
    tuple([number(key), { dynamic: dynamicBytes(value) }, word(path.bitmap), { dynamic: words(path.siblings) }]),
  );
  const encodedWitness = concat(number(leaves.length), tuple(leaves.map((dynamic) => ({ dynamic }))));
  return tuple([stateRoot, encodeRegisters(registers), { dynamic: encodedInput }, { dynamic: encodedWitness }]);
}

// ── Decoding ──

const at = (bytes: Uint8Array, offset: number): number => Number(readUint(bytes, offset, 32));

function readBytes(bytes: Uint8Array, offset: number): Uint8Array {
  return bytes.slice(offset + 32, offset + 32 + at(bytes, offset));
}

function readWords(bytes: Uint8Array, offset: number): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let i = 0; i < at(bytes, offset); i++) list.push(bytes.slice(offset + 32 * (1 + i), offset + 32 * (2 + i)));
  return list;
}

export function decodeProof(bytes: Uint8Array): Proof {
  const registers = Object.fromEntries(
    REGISTERS.map((name: RegisterName, i) => [name, readUint(bytes, 32 * (1 + i), 32)]),
  ) as Registers;
  const heads = 32 * (1 + REGISTERS.length);
  const input = at(bytes, heads);
  const witness = at(bytes, heads + 32);
  const leaves: WitnessLeaf[] = [];
  for (let i = 0; i < at(bytes, witness); i++) {
    const leaf = witness + 32 + at(bytes, witness + 32 * (1 + i));
    leaves.push({
      key: at(bytes, leaf),
      value: readBytes(bytes, leaf + at(bytes, leaf + 32)),
      path: { bitmap: readUint(bytes, leaf + 64, 32), siblings: readWords(bytes, leaf + at(bytes, leaf + 96)) },
    });
  }
  return {
    stateRoot: bytes.slice(0, 32),
    registers,
    input: {
      header: decodeHeader(bytes.subarray(input)),
      message: readBytes(bytes, input + at(bytes, input + 320)),
      recordPage: readBytes(bytes, input + at(bytes, input + 352)),
      siblings: readWords(bytes, input + at(bytes, input + 384)),
      queueHash: bytes.slice(input + 416, input + 448),
    },
    witness: leaves,
  };
}
