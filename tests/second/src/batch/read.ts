// A batch's records from what its module keeps of them (section 10, "Data"), or nothing where that is not of its header.
import { concat, equal, word } from "../codec/bytes.js";
import { RECORD_BYTES } from "../constants.js";
import { versionedHash } from "./blob.js";
import { BLOB_BYTES, commitTo, ELEMENT_BYTES, ELEMENTS, type Setup } from "./commitment.js";
import { dataRoot } from "./data-root.js";
import type { Header } from "./header.js";

const CALLDATA = 0n;
const BLOBS = 1n;
const ELEMENTS_PER_RECORD = 4;
const ZERO = new Uint8Array(32);

/** The records, or null if they cannot be read, or the data is not what the header commits to. */
export function readRecords(header: Header, data: Uint8Array, setup: Setup): Uint8Array[] | null {
  if (header.record_count > 1024n) return null;
  const count = Number(header.record_count);
  if (header.module !== CALLDATA && header.module !== BLOBS) return null;
  // A batch without records has data root 0 and no data, whatever its module.
  if (count === 0) return data.length === 0 && equal(word(header.data_root), ZERO) ? [] : null;
  const records = header.module === BLOBS ? fromBlob(data, count) : fromCalldata(data, count);
  if (records === null) return null;
  const root = header.module === BLOBS ? rootOfBlob(data, setup) : dataRoot(records);
  return root !== null && equal(root, word(header.data_root)) ? records : null;
}

function fromCalldata(data: Uint8Array, count: number): Uint8Array[] | null {
  if (data.length !== RECORD_BYTES * count) return null;
  return Array.from({ length: count }, (_, i) => data.slice(RECORD_BYTES * i, RECORD_BYTES * (i + 1)));
}

/** The low 31 bytes of four elements are a record. */
function fromBlob(blob: Uint8Array, count: number): Uint8Array[] | null {
  if (blob.length !== BLOB_BYTES || count * ELEMENTS_PER_RECORD > ELEMENTS) return null;
  return Array.from({ length: count }, (_, i) =>
    concat(...Array.from({ length: ELEMENTS_PER_RECORD }, (_, k) => {
      const at = ELEMENT_BYTES * (ELEMENTS_PER_RECORD * i + k);
      return blob.slice(at + 1, at + ELEMENT_BYTES);
    })),
  );
}

function rootOfBlob(blob: Uint8Array, setup: Setup): Uint8Array | null {
  const commitment = commitTo(blob, setup);
  return commitment && versionedHash(commitment);
}
