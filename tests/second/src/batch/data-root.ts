// The data root of module 0, and proofs of records under it (section 10, "Data root").
import { concat, equal } from "../codec/bytes.js";
import { RECORD_BYTES, RECORD_PAGE_BYTES, RECORDS_PER_PAGE } from "../constants.js";
import { keccak, node } from "../hash/keccak.js";

const ZERO = new Uint8Array(32);

/** The record pages of 8, the last as short as what is left. */
function recordPages(records: readonly Uint8Array[]): Uint8Array[] {
  const pages: Uint8Array[] = [];
  for (let i = 0; i < records.length; i += RECORDS_PER_PAGE) {
    pages.push(concat(...records.slice(i, i + RECORDS_PER_PAGE)));
  }
  return pages;
}

/** The levels of the binary tree over the pages' hashes, padded with zero words to a power of two. */
function levelsOver(pages: readonly Uint8Array[]): Uint8Array[][] {
  let level = pages.map(keccak);
  while ((level.length & (level.length - 1)) !== 0) level.push(ZERO);
  const levels = [level];
  while (level.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) above.push(node(level[i] ?? ZERO, level[i + 1] ?? ZERO));
    levels.push(above);
    level = above;
  }
  return levels;
}

export function dataRoot(records: readonly Uint8Array[]): Uint8Array {
  if (records.length === 0) return ZERO;
  return levelsOver(recordPages(records)).at(-1)?.[0] ?? ZERO;
}

interface RecordProof {
  readonly recordPage: Uint8Array;
  readonly siblings: readonly Uint8Array[];
}

export function proveRecord(records: readonly Uint8Array[], index: number): RecordProof {
  const pages = recordPages(records);
  const levels = levelsOver(pages);
  let at = Math.floor(index / RECORDS_PER_PAGE);
  const recordPage = pages[at] ?? new Uint8Array(0);
  const siblings: Uint8Array[] = [];
  for (const level of levels.slice(0, -1)) {
    siblings.push(level[at ^ 1] ?? ZERO);
    at >>= 1;
  }
  return { recordPage, siblings };
}

/** The record that a proof shows at an index (counted among the records), or null where it shows none. */
export function checkRecord(
  root: Uint8Array, recordCount: number, index: number, { recordPage, siblings }: RecordProof,
): Uint8Array | null {
  if (index >= recordCount) return null;
  const pageCount = Math.ceil(recordCount / RECORDS_PER_PAGE);
  const pageIndex = Math.floor(index / RECORDS_PER_PAGE);
  const last = pageIndex === pageCount - 1;
  const expected = last ? (recordCount - pageIndex * RECORDS_PER_PAGE) * RECORD_BYTES : RECORD_PAGE_BYTES;
  if (recordPage.length !== expected) return null;
  if (siblings.length !== Math.ceil(Math.log2(pageCount))) return null;
  let hash = keccak(recordPage);
  let at = pageIndex;
  for (const sibling of siblings) {
    hash = at % 2 === 1 ? node(sibling, hash) : node(hash, sibling);
    at >>= 1;
  }
  if (!equal(hash, root)) return null;
  const offset = (index % RECORDS_PER_PAGE) * RECORD_BYTES;
  return recordPage.slice(offset, offset + RECORD_BYTES);
}
