// codec.json: records, messages, leg pages, canonical or not, EIP-712, signatures, receipts.
import { concat, fromHex, toHex } from "../codec/bytes.js";
import { encodeLegPage, type Leg, LEG, legPageHash } from "../codec/legs.js";
import { encodeForced, encodeMessage, FORCED, isCanonical, MESSAGES } from "../codec/messages.js";
import { BODIES, encodeBody } from "../codec/records.js";
import { recover } from "../codec/signature.js";
import { domainSeparator, receiptDigest, receiptSigner, recordDigest, structHash } from "../codec/typed-data.js";
import { runningHash } from "../batch/header.js";
import { keccak } from "../hash/keccak.js";
import { bytes, hexAddress, integer, integers, type Json, type JsonObject, list, object, text } from "./json.js";
import { check, differs, newReport, type Report } from "./report.js";

const signerText = (signer: bigint | null): string | null => (signer === null ? null : hexAddress(signer));

export function runCodec(file: JsonObject): Report {
  const report = newReport();
  const domain = object(file["domain"]);
  const separator = bytes(domain["separator"]);
  check(report, "domain", "separator", () =>
    differs({ separator: [toHex(domainSeparator(integer(domain["chain_id"]), integer(domain["vault"]))), domain["separator"]] }),
  );
  each(file, "records", (c, name) => check(report, "records", name, () => recordCase(c, separator)));
  each(file, "cranks", (c, name) =>
    check(report, "cranks", name, () => {
      const record = concat(encodeBody(integer(c["type"]), integers(object(c["fields"]))), new Uint8Array(64));
      return differs({ record: [toHex(record), c["record"]] });
    }),
  );
  each(file, "leg_pages", (c, name) => check(report, "leg_pages", name, () => legPageCase(c)));
  each(file, "messages", (c, name) => check(report, "messages", name, () => messageCase(c)));
  each(file, "canonical", (c, name) =>
    check(report, "canonical", `${name} ${text(c["input"]).slice(0, 8)}`, () =>
      differs({ canonical: [isCanonical(bytes(c["input"])), c["canonical"]] }),
    ),
  );
  each(file, "signatures", (c, name) =>
    check(report, "signatures", name, () =>
      differs({ signer: [signerText(recover(bytes(c["digest"]), bytes(c["signature"]))), c["signer"]] }),
    ),
  );
  let running: Uint8Array = new Uint8Array(32);
  each(file, "receipts", (c, name) =>
    check(report, "receipts", name, () => {
      const body = bytes(c["body"]);
      running = runningHash(running, body);
      const receipt = {
        sequence: integer(c["sequence"]), record: keccak(body), running, deadline: integer(c["deadline"]),
      };
      const digest = receiptDigest(separator, receipt);
      return differs({
        record: [toHex(receipt.record), c["record"]], running: [toHex(running), c["running"]],
        digest: [toHex(digest), c["digest"]],
        signer: [signerText(receiptSigner(separator, receipt, bytes(c["signature"]))), c["signer"]],
      });
    }),
  );
  each(file, "receipt_signatures", (c, name) =>
    check(report, "receipt_signatures", name, () => {
      const receipt = {
        sequence: integer(c["sequence"]), record: bytes(c["record"]), running: bytes(c["running"]),
        deadline: integer(c["deadline"]),
      };
      return differs({ signer: [signerText(receiptSigner(separator, receipt, bytes(c["signature"]))), c["signer"]] });
    }),
  );
  return report;
}

function each(file: JsonObject, family: string, run: (c: JsonObject, name: string) => void): void {
  list(file[family]).forEach((c: Json, i) => run(object(c), `${i}`));
}

function recordCase(c: JsonObject, separator: Uint8Array): string | null {
  const type = integer(c["type"]);
  const fields = integers(object(c["fields"]));
  const body = encodeBody(type, fields);
  const digest = recordDigest(separator, body);
  const back = BODIES.get(type)?.read(fromHex(text(c["body"])), 1) ?? {};
  return differs({
    body: [toHex(body), c["body"]],
    fields: [sorted(back), sorted(fields)],
    struct_hash: [toHex(structHash(body)), c["struct_hash"]],
    digest: [toHex(digest), c["digest"]],
    signer: [signerText(recover(digest, bytes(c["signature"]))), c["signer"]],
  });
}

const sorted = (fields: Record<string, bigint>): string =>
  Object.keys(fields).sort().map((name) => `${name}=${fields[name]}`).join(" ");

function legPageCase(c: JsonObject): string | null {
  const legs = list(c["legs"]).map((leg) => integers(object(leg)) as Leg);
  const page = encodeLegPage(legs, bytes(c["following"]));
  const back = legs.map((_, i) => LEG.read(bytes(c["leg_page"]), 1 + LEG.size * i));
  return differs({
    leg_page: [toHex(page), c["leg_page"]], hash: [toHex(legPageHash(page)), c["hash"]],
    legs: [back.map(sorted), legs.map(sorted)],
  });
}

function messageCase(c: JsonObject): string | null {
  const type = integer(c["type"]);
  const fields = object(c["fields"]);
  if (type === FORCED) {
    return differs({ message: [toHex(encodeForced(bytes(fields["sender"]), bytes(fields["body"]))), c["message"]] });
  }
  const numbers = integers(fields);
  const back = MESSAGES.get(type)?.read(bytes(c["message"]), 1) ?? {};
  return differs({
    message: [toHex(encodeMessage(type, numbers)), c["message"]], fields: [sorted(back), sorted(numbers)],
  });
}
