// Records of an account: made of the type strings that the exchange shows, signed, submitted, and kept until answered.
import { type Hex } from "viem";
import { info } from "../api/exchange";
import { Refused } from "../api/http";
import type { Account, Result } from "../api/types";
import { account, loadAccount } from "./account";
import { deliver } from "./delivery";
import { Pending } from "./errors";
import { findOpen, forget, keep, leave, type Sent, sent } from "./journal";
import { type Field, type TypedData, wallet } from "./wallet";

export type Values = Record<string, bigint | number | string>;

/** A record that moves money or begins a trade, and what it is for people. */
export interface Kept {
  readonly name: "Order" | "Withdraw";
  readonly text: string;
}

const ASK_AGAIN = new Set(["nonce_used", "nonce_too_old", "nonce_too_far", "bad_signature"]);

let next = 0n;

/** What a wallet signs for a record; fields that are not named are zero. */
export function makeTypedData(name: string, values: Values): TypedData {
  const terms = info.value;
  if (!terms) throw new Error("the exchange has not told its terms yet");
  const fields = findFields(name, terms.types);
  const message: Record<string, bigint | Hex> = {};
  for (const field of fields) message[field.name] = read(field, values[field.name] ?? 0);
  return {
    domain: {
      name: terms.name,
      version: terms.version,
      chainId: terms.chain_id,
      verifyingContract: terms.vault as Hex,
    },
    types: { [name]: fields },
    primaryType: name,
    message,
  };
}

/** Sign a record with the account's next nonce and submit it. Throws what the exchange says, or Pending. */
export async function submit(name: string, values: Values): Promise<Result> {
  const own = need();
  const nonce = takeNonce(own);
  try {
    return await send(name, values, own, nonce);
  } catch (error) {
    if (!(error instanceof Pending) && next === nonce + 1n) next = nonce;
    throw error;
  }
}

/** The same with a record that nobody must be led into sending twice: while it is not known what became of one, the next
 * of its kind has the same nonce, so that at most one of the two is ever taken. */
export async function submitOnce({ name, text }: Kept, values: Values): Promise<Result> {
  const own = need();
  const earlier = findOpen(name);
  const nonce = earlier?.nonce === undefined ? takeNonce(own) : BigInt(earlier.nonce);
  let kept: Sent | undefined;
  const finish = (): void => forget(kept?.id ?? "", earlier?.id ?? "");
  try {
    const result = await send(name, values, own, nonce, () => {
      const both = earlier ? `${earlier.text}, or in its place ${text},` : text;
      kept = keep({ kind: name, text: both, nonce: String(nonce) });
    });
    finish();
    return result;
  } catch (error) {
    if (error instanceof Pending) {
      if (earlier) forget(earlier.id);
      throw error;
    }
    if (kept) forget(kept.id);
    if (earlier && error instanceof Refused && error.reason === "nonce_used") {
      finish();
      const detail =
        `${earlier.text} was taken, or another record of yours in its place: nothing was sent now. ` +
        "Look at your orders, fills and withdrawals first";
      throw new Refused({ reason: error.reason, detail }, error.status);
    }
    if (!earlier && next === nonce + 1n) next = nonce;
    throw error;
  } finally {
    if (kept) leave(kept.id);
  }
}

function need(): Account {
  if (!wallet.value || !account.value) throw new Error("connect a wallet that has an account here first");
  return account.value;
}

/** Above all that the exchange has shown, this page has used, or nobody has answered yet. */
function takeNonce(own: Account): bigint {
  const open = sent.peek().map((each) => BigInt(each.nonce ?? -1) + 1n);
  const nonce = [BigInt(own.next_nonce), ...open].reduce((most, each) => (each > most ? each : most), next);
  next = nonce + 1n;
  return nonce;
}

async function send(
  name: string,
  values: Values,
  own: Account,
  nonce: bigint,
  onSigned: () => void = () => undefined,
): Promise<Result> {
  const signer = wallet.value;
  if (!signer) throw new Error("connect a wallet first");
  const data = makeTypedData(name, { account: own.account, nonce, ...values });
  const signature = await signer.signTyped(data);
  const message = Object.fromEntries(
    Object.entries(data.message).map(([field, value]) => [field, typeof value === "bigint" ? value.toString() : value]),
  );
  onSigned();
  try {
    return await deliver({ typed: { type: name, message }, signature });
  } catch (error) {
    if (error instanceof Refused && ASK_AGAIN.has(error.reason)) {
      next = 0n;
      await loadAccount().catch(() => undefined);
    }
    throw error;
  }
}

function findFields(name: string, types: readonly string[]): Field[] {
  const text = types.find((each) => each.startsWith(`${name}(`));
  if (!text) throw new Error(`the exchange takes no ${name}`);
  return text
    .slice(name.length + 1, -1)
    .split(",")
    .map((field) => {
      const [type = "", fieldName = ""] = field.split(" ");
      return { name: fieldName, type };
    });
}

function read(field: Field, value: bigint | number | string): bigint | Hex {
  if (field.type.startsWith("uint")) return BigInt(value);
  const size = field.type === "address" ? 40 : 2 * Number(field.type.replace("bytes", ""));
  return typeof value === "string" ? (value as Hex) : `0x${value.toString(16).padStart(size, "0")}`;
}
