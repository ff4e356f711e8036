// The registers and the machine hash (section 6).
import { concat, writeUint } from "../codec/bytes.js";
import { keccak } from "../hash/keccak.js";

export const REGISTERS = [
  "domain", "backstop_delay", "time", "batch", "input_index", "phase", "outcome", "steps", "sequence", "accounts",
  "markets", "withdrawals", "owed", "limited_since", "draw_hour", "drawn", "winding_since", "last_gap_end", "stamp",
  "started", "has_work", "parked_first", "parked_end", "sweeping", "sweep_end", "sweep_word", "skip_account",
  "trigger_market", "mark_before", "sweep_time", "unwind", "settling", "first_request", "last_request",
  "deleveraging", "ranking", "rank_end", "rank_word", "rank_market", "rank_side", "ranked0", "ranked1", "ranked2",
  "ranked3", "ranked4", "ranked5", "ranked6", "ranked7", "bulk", "bulk_account", "bulk_pages", "bulk_scope",
  "bulk_until", "legs0", "legs1", "legs2", "legs3", "kind", "account", "signer", "agent", "scope", "nonce", "market",
  "side", "flags", "order_slot", "price", "size", "expiry", "trigger", "client", "peer", "amount", "cursor", "lots",
  "shares", "enrol", "enrol_next", "enrol_phase", "level_market", "tick", "level_side", "matches", "scanning",
  "fok_lots", "bid", "bid_tick", "ask", "ask_tick", "surplus", "clearing", "ceiling", "next_phase", "return_phase",
] as const;

export type RegisterName = (typeof REGISTERS)[number];
export type Registers = Record<RegisterName, bigint>;

export const RANKING = [
  "ranked0", "ranked1", "ranked2", "ranked3", "ranked4", "ranked5", "ranked6", "ranked7",
] as const satisfies readonly RegisterName[];

export function zeroRegisters(): Registers {
  return Object.fromEntries(REGISTERS.map((name) => [name, 0n])) as Registers;
}

/** Genesis: all zero but the domain and the backstop's delay (section 6). */
export function genesisRegisters(domain: bigint, backstopDelay: bigint): Registers {
  return { ...zeroRegisters(), domain, backstop_delay: backstopDelay };
}

const KIND_AT = REGISTERS.indexOf("kind");

/** "Clear the registers from `kind` on" (section 6, last paragraph). */
export function clearFromKind(registers: Registers): void {
  for (let i = KIND_AT; i < REGISTERS.length; i++) {
    const name = REGISTERS[i];
    if (name !== undefined) registers[name] = 0n;
  }
}

// From step to step most registers stay as they are: what was encoded last, and its bytes.
const last: bigint[] = REGISTERS.map(() => 0n);
const encoded = new Uint8Array(32 * REGISTERS.length);

export function encodeRegisters(registers: Registers): Uint8Array {
  for (let i = 0; i < REGISTERS.length; i++) {
    const name = REGISTERS[i];
    if (name === undefined) continue;
    const value = registers[name];
    if (value === last[i]) continue;
    writeUint(encoded, 32 * i, 32, value);
    last[i] = value;
  }
  return encoded.slice();
}

export function registersHash(registers: Registers): Uint8Array {
  return keccak(encodeRegisters(registers));
}

/** machine hash = keccak(state root ‖ registers hash). */
export function machineHash(stateRoot: Uint8Array, registers: Registers): Uint8Array {
  return keccak(concat(stateRoot, registersHash(registers)));
}
