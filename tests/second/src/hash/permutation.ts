// Keccak-f[1600] as a WebAssembly module that is put together here, instruction by instruction: 64-bit lanes are native
// there, and a step is about a hundred permutations, so this decides how many steps a second a watcher can trace.
// Where there is no WebAssembly `makePermutation` gives null, and keccak.ts uses the library's.

interface Permutation {
  /** The 200 bytes of the state, lanes little-endian. */
  readonly state: Uint8Array;
  readonly permute: () => void;
}

interface WasmHost {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: Record<string, unknown> };
}

const ROTATIONS = [
  0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14,
] as const;

/** The 24 round constants, by the linear feedback shift register of the standard. */
function roundConstants(): bigint[] {
  const constants: bigint[] = [];
  let lfsr = 1;
  for (let round = 0; round < 24; round++) {
    let constant = 0n;
    for (let j = 0; j < 7; j++) {
      if (lfsr & 1) constant |= 1n << BigInt((1 << j) - 1);
      lfsr = lfsr & 0x80 ? ((lfsr << 1) ^ 0x171) & 0xff : lfsr << 1;
    }
    constants.push(constant);
  }
  return constants;
}

// ── A few instructions ──

function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 127;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 128);
  } while (rest !== 0);
  return bytes;
}

/** A signed constant needs its sign bit clear in the last byte. */
function sleb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const low = rest & 127;
    rest >>= 7;
    if ((rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0)) return [...bytes, low];
    bytes.push(low | 128);
  }
}

const get = (local: number): number[] => [0x20, ...leb(local)];
const set = (local: number): number[] => [0x21, ...leb(local)];
const i32 = (value: number): number[] => [0x41, ...sleb(value)];
const rotl = (by: number): number[] => [0x42, ...sleb(by), 0x89];
const load = (offset: number): number[] => [0x29, 3, ...leb(offset)];
const store = (offset: number): number[] => [0x37, 3, ...leb(offset)];
const XOR = 0x85;
const AND = 0x83;
const NOT = [0x42, 0x7f, XOR];

// Locals: A the lanes, B the lanes after rho and pi, C and D of theta; the i32 counter is behind them.
const A = 0, B = 25, C = 50, D = 55, COUNTER = 60;
const CONSTANTS_AT = 256;

function roundCode(): number[] {
  const code: number[] = [];
  for (let x = 0; x < 5; x++) {
    code.push(...get(A + x));
    for (let y = 1; y < 5; y++) code.push(...get(A + x + 5 * y), XOR);
    code.push(...set(C + x));
  }
  for (let x = 0; x < 5; x++) {
    code.push(...get(C + ((x + 4) % 5)), ...get(C + ((x + 1) % 5)), ...rotl(1), XOR, ...set(D + x));
  }
  for (let x = 0; x < 5; x++) {
    for (let y = 0; y < 5; y++) {
      const to = y + 5 * ((2 * x + 3 * y) % 5);
      code.push(...get(A + x + 5 * y), ...get(D + x), XOR, ...rotl(ROTATIONS[x + 5 * y] ?? 0), ...set(B + to));
    }
  }
  for (let y = 0; y < 5; y++) {
    for (let x = 0; x < 5; x++) {
      const row = B + 5 * y;
      code.push(...get(row + ((x + 1) % 5)), ...NOT, ...get(row + ((x + 2) % 5)), AND, ...get(row + x), XOR);
      code.push(...set(A + x + 5 * y));
    }
  }
  return [...code, ...get(A), ...get(COUNTER), ...load(CONSTANTS_AT), XOR, ...set(A)];
}

function functionBody(): number[] {
  const code: number[] = [];
  for (let lane = 0; lane < 25; lane++) code.push(...i32(0), ...load(8 * lane), ...set(A + lane));
  code.push(0x03, 0x40, ...roundCode()); // loop
  code.push(...get(COUNTER), ...i32(8), 0x6a, 0x22, ...leb(COUNTER), ...i32(192), 0x49, 0x0d, 0, 0x0b); // next round
  for (let lane = 0; lane < 25; lane++) code.push(...i32(0), ...get(A + lane), ...store(8 * lane));
  return [2, ...leb(60), 0x7e, 1, 0x7f, ...code, 0x0b]; // 60 locals of 64 bits, one of 32
}

const section = (id: number, content: number[]): number[] => [id, ...leb(content.length), ...content];
const name = (text: string): number[] => [text.length, ...Array.from(text, (c) => c.charCodeAt(0))];

function moduleBytes(): Uint8Array {
  const body = functionBody();
  return Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, 0x60, 0, 0]), // a function without parameters and results
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]), // one page of memory
    ...section(7, [2, ...name("memory"), 2, 0, ...name("permute"), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}

export function makePermutation(): Permutation | null {
  const host = (globalThis as { readonly WebAssembly?: WasmHost }).WebAssembly;
  if (host === undefined) return null;
  try {
    const { exports } = new host.Instance(new host.Module(moduleBytes()));
    const memory = (exports["memory"] as { readonly buffer: ArrayBuffer }).buffer;
    const view = new DataView(memory);
    roundConstants().forEach((constant, i) => view.setBigUint64(CONSTANTS_AT + 8 * i, constant, true));
    return { state: new Uint8Array(memory, 0, 200), permute: exports["permute"] as () => void };
  } catch {
    return null; // a page that does not allow it
  }
}
