// Headers and their hashes (section 10, "Header").
import { concat, readUint, word } from "../codec/bytes.js";
import { keccak } from "../hash/keccak.js";

export const HEADER_FIELDS = [
  "parent", "number", "timestamp", "first_message", "message_count", "first_record", "record_count", "module",
  "data_root", "queue_hash",
] as const;

/** Ten words, as numbers: `parent`, `data_root` and `queue_hash` are hashes. */
export type Header = Record<(typeof HEADER_FIELDS)[number], bigint>;

export function encodeHeader(header: Header): Uint8Array {
  return concat(...HEADER_FIELDS.map((name) => word(header[name])));
}

export function decodeHeader(bytes: Uint8Array): Header {
  return Object.fromEntries(HEADER_FIELDS.map((name, i) => [name, readUint(bytes, 32 * i, 32)])) as Header;
}

export function batchHash(header: Header): Uint8Array {
  return keccak(encodeHeader(header));
}

/** `queue_hash(i + 1) = keccak(queue_hash(i) ‖ keccak(body i ‖ stamp i))` (section 10, "Queue"). */
export function nextQueueHash(before: Uint8Array, stampedMessage: Uint8Array): Uint8Array {
  return keccak(concat(before, keccak(stampedMessage)));
}

/** Epoch hash = keccak(e ‖ n ‖ hash of its last batch), three words (section 11). */
export function epochHash(epoch: bigint, batches: bigint, last: Uint8Array): Uint8Array {
  return keccak(concat(word(epoch), word(batches), last));
}

export const headerInputs = (header: Header): bigint => header.message_count + header.record_count;

/** The running hash of receipts: over all records up to one (section 16). */
export function runningHash(before: Uint8Array, record: Uint8Array): Uint8Array {
  return keccak(concat(before, keccak(record)));
}
