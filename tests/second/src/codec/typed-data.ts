// EIP-712 (section 3): the domain, the struct hash of a record's body, and the digest that is signed.
import { keccak } from "../hash/keccak.js";
import { concat, readUint, toHex, word } from "./bytes.js";
import * as records from "./records.js";
import { recover } from "./signature.js";

const utf8 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

const TYPES: ReadonlyMap<bigint, string> = new Map([
  [records.ORDER, "Order(uint32 account,uint64 nonce,uint16 market,uint8 side,uint8 flags,uint16 order_slot,uint32 price,uint64 size,uint32 expiry,uint32 trigger,uint64 client,uint16 partner,uint8 agent)"],
  [records.CANCEL, "Cancel(uint32 account,uint64 nonce,uint16 order_slot,uint64 client,uint8 agent)"],
  [records.TRANSFER, "Transfer(uint32 account,uint64 nonce,uint32 peer,uint128 amount)"],
  [records.WITHDRAW, "Withdraw(uint32 account,uint64 nonce,uint128 amount)"],
  [records.REPORT, "Report(uint32 signer,uint64 time,uint16 market,uint32 price)"],
  [records.CANCEL_ALL, "CancelAll(uint32 account,uint64 nonce,uint8 agent)"],
  [records.AMEND, "Amend(uint32 account,uint64 nonce,uint16 order_slot,uint32 price,uint64 size,uint8 agent)"],
  [records.SCHEDULE_CANCEL, "ScheduleCancel(uint32 account,uint64 nonce,uint64 deadline,uint8 agent)"],
  [records.SET_AGENT, "SetAgent(uint32 account,uint64 nonce,uint8 agent,address key,uint64 expiry,uint32 session,uint16 subs,uint16 kinds,bytes8 markets,uint16 limits)"],
  [records.BULK, "Bulk(uint32 account,uint64 nonce,bytes32 leg_pages,uint8 agent)"],
  [records.BACKSTOP_DEPOSIT, "BackstopDeposit(uint32 account,uint64 nonce,uint128 amount)"],
  [records.BACKSTOP_WITHDRAW, "BackstopWithdraw(uint32 account,uint64 nonce,uint128 shares)"],
]);

const TYPE_HASHES = new Map([...TYPES].map(([type, text]) => [type, keccak(utf8(text))]));
const RECEIPT_TYPE = keccak(utf8("Receipt(uint64 sequence,bytes32 record,bytes32 running,uint64 deadline)"));
const DOMAIN_TYPE = keccak(
  utf8("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
);

export function domainSeparator(chainId: bigint, vault: bigint): Uint8Array {
  return keccak(concat(DOMAIN_TYPE, keccak(utf8("Setoff")), keccak(utf8("1")), word(chainId), word(vault)));
}

/** `hashStruct` of a body: a word a field, in the body's order. `bytes8` fills its word from the left (EIP-712). */
export function structHash(body: Uint8Array): Uint8Array {
  const type = readUint(body, 0, 1);
  const fieldsLayout = records.BODIES.get(type);
  const typeHash = TYPE_HASHES.get(type);
  if (fieldsLayout === undefined || typeHash === undefined) throw new Error(`type ${type} is not signed`);
  const words: Uint8Array[] = [typeHash];
  let at = 1;
  for (const [name, length] of fieldsLayout.fields) {
    const value = readUint(body, at, length);
    const left = type === records.SET_AGENT && name === "markets";
    words.push(word(left ? value << 192n : value));
    at += length;
  }
  return keccak(concat(...words));
}

function typedDigest(domain: Uint8Array, hash: Uint8Array): Uint8Array {
  return keccak(concat(Uint8Array.of(0x19, 0x01), domain, hash));
}

export function recordDigest(domain: Uint8Array, body: Uint8Array): Uint8Array {
  return typedDigest(domain, structHash(body));
}

const SIGNATURE = 64;
const MAX_PATH = 10;

interface Receipt {
  readonly sequence: bigint;
  readonly record: Uint8Array;
  readonly running: Uint8Array;
  readonly deadline: bigint;
}

/** The digest of an operator's receipt, in the records' domain (section 16). */
export function receiptDigest(domain: Uint8Array, receipt: Receipt): Uint8Array {
  return typedDigest(domain, receiptHash(receipt));
}

/** Who signed the root of the receipt's group, to which the hashes behind the signature lead (section 16). */
export function receiptSigner(domain: Uint8Array, receipt: Receipt, signature: Uint8Array): bigint | null {
  const length = signature.length;
  if (length < SIGNATURE || length > SIGNATURE + 32 * MAX_PATH || length % 32 !== 0) return null;
  let node = receiptHash(receipt);
  for (let at = SIGNATURE; at < length; at += 32) {
    const sibling = signature.subarray(at, at + 32);
    node = keccak(toHex(node) < toHex(sibling) ? concat(node, sibling) : concat(sibling, node));
  }
  return recover(typedDigest(domain, node), signature.subarray(0, SIGNATURE));
}

function receiptHash({ sequence, record, running, deadline }: Receipt): Uint8Array {
  return keccak(concat(RECEIPT_TYPE, word(sequence), record, running, word(deadline)));
}
