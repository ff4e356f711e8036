// batches.json: headers, data roots and record proofs of module 0 and of blobs, batches read back from their data, the
// queue hash, epoch hashes.
import { checkBlobRecord } from "../batch/blob.js";
import { checkRecord, dataRoot, proveRecord } from "../batch/data-root.js";
import type { Setup } from "../batch/commitment.js";
import { batchHash, epochHash, HEADER_FIELDS, type Header, nextQueueHash } from "../batch/header.js";
import { readRecords } from "../batch/read.js";
import { RECORDS_PER_PAGE } from "../constants.js";
import { toHex, word } from "../codec/bytes.js";
import { bytes, hashes, integer, type Json, type JsonObject, list, object, small, text } from "./json.js";
import { check, differs, newReport, type Report } from "./report.js";

export function readHeader(value: Json | undefined): Header {
  const fields = object(value);
  return Object.fromEntries(HEADER_FIELDS.map((name) => [name, integer(fields[name])])) as Header;
}

/** What a module keeps of a batch: zeros, but for the parts. */
export function readData(c: JsonObject): Uint8Array {
  const data = new Uint8Array(small(c["size"]));
  for (const [first, part] of list(c["parts"]).map(list)) data.set(bytes(part), small(first));
  return data;
}

export function runBatches(file: JsonObject, setup: Setup): Report {
  const report = newReport();
  const records = hashes(file["records"]);
  list(file["headers"]).forEach((entry, i) => {
    const c = object(entry);
    check(report, "headers", `${i}`, () => differs({ hash: [toHex(batchHash(readHeader(entry))), c["hash"]] }));
  });
  list(file["data_roots"]).forEach((entry, i) => {
    const c = object(entry);
    const some = records.slice(0, small(c["record_count"]));
    check(report, "data_roots", `${i}`, () => differs({ root: [toHex(dataRoot(some)), c["data_root"]] }));
    list(c["proofs"]).forEach((proofEntry, k) => {
      const p = object(proofEntry);
      check(report, "proofs", `${i}.${k}`, () => {
        const index = small(p["index"]);
        const own = proveRecord(some, index);
        const given = { recordPage: bytes(p["record_page"]), siblings: hashes(p["siblings"]) };
        const record = checkRecord(bytes(c["data_root"]), some.length, index, given);
        return differs({
          record_page_number: [Math.floor(index / RECORDS_PER_PAGE), p["record_page_number"]],
          record_page: [toHex(own.recordPage), p["record_page"]], siblings: [own.siblings.map(toHex), p["siblings"]],
          record: [record && toHex(record), toHex(some[index] ?? new Uint8Array(0))],
        });
      });
    });
  });
  list(file["blobs"]).forEach((entry, i) => {
    const c = object(entry);
    list(c["proofs"]).forEach((proofEntry, k) => {
      const p = object(proofEntry);
      check(report, "blobs", `${i}.${k}`, () => {
        const index = small(p["index"]);
        const root = bytes(c["data_root"]);
        const page = bytes(p["record_page"]);
        const record = checkBlobRecord(root, small(c["record_count"]), index, page);
        const spoiled = page.slice();
        spoiled[79] = (spoiled[79] ?? 0) ^ 1; // the last bit of the first element
        return differs({
          record: [record && toHex(record), toHex(records[index] ?? new Uint8Array(0))],
          spoiled: [checkBlobRecord(root, small(c["record_count"]), index, spoiled), null],
        });
      });
    });
  });
  for (const c of list(file["read"]).map(object)) {
    check(report, "read", text(c["name"]), () => {
      const header = readHeader(c["header"]);
      const records = readRecords(header, readData(c), setup);
      return differs({ records: [records?.map(toHex), c["records"]], queue_hash: [`${header.queue_hash}`, "0"] });
    });
    for (const p of list(c["proofs"]).map(object)) {
      check(report, "read proofs", text(c["name"]), () => {
        const [header, index, records] = [readHeader(c["header"]), small(p["index"]), hashes(c["records"])];
        const [root, page, siblings] = [word(header.data_root), bytes(p["record_page"]), hashes(p["siblings"])];
        const record =
          header.module === 0n
            ? checkRecord(root, records.length, index, { recordPage: page, siblings })
            : checkBlobRecord(root, records.length, index, page);
        const own = header.module === 0n ? proveRecord(records, index) : { recordPage: page, siblings: [] };
        return differs({
          record: [record && toHex(record), toHex(records[index] ?? new Uint8Array(0))],
          record_page: [toHex(own.recordPage), p["record_page"]], siblings: [own.siblings.map(toHex), p["siblings"]],
        });
      });
    }
  }
  let queue: Uint8Array = new Uint8Array(32);
  list(file["queue"]).forEach((entry, i) => {
    const c = object(entry);
    check(report, "queue", `${i}`, () => {
      queue = nextQueueHash(queue, bytes(c["message"]));
      return differs({ queue_hash: [toHex(queue), c["queue_hash"]] });
    });
  });
  list(file["epochs"]).forEach((entry, i) => {
    const c = object(entry);
    check(report, "epochs", `${i}`, () =>
      differs({ hash: [toHex(epochHash(integer(c["epoch"]), integer(c["batches"]), bytes(c["last"]))), c["hash"]] }),
    );
  });
  return report;
}
