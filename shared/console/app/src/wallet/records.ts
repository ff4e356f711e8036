// Records of an account: made of the type strings that the exchange shows, signed, submitted.
import { type Hex } from "viem";
import { info } from "../api/exchange";
import { post, Refused } from "../api/http";
import type { Result } from "../api/types";
import { account, loadAccount } from "./account";
import { type Field, type TypedData, wallet } from "./wallet";

export type Values = Record<string, bigint | number | string>;

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

/** Sign a record with the account's next nonce and submit it. Throws what the exchange says. */
export async function submit(name: string, values: Values): Promise<Result> {
  const signer = wallet.value;
  const own = account.value;
  if (!signer || !own) throw new Error("connect a wallet that has an account here first");
  const known = BigInt(own.next_nonce);
  const nonce = next > known ? next : known;
  next = nonce + 1n;
  try {
    const data = makeTypedData(name, { account: own.account, nonce, ...values });
    const signature = await signer.signTyped(data);
    const message = Object.fromEntries(
      Object.entries(data.message).map(([field, value]) => [
        field,
        typeof value === "bigint" ? value.toString() : value,
      ]),
    );
    return await post<Result>("/v1/records", { typed: { type: name, message }, signature });
  } catch (error) {
    if (next === nonce + 1n) next = nonce;
    if (error instanceof Refused && ASK_AGAIN.has(error.reason)) {
      next = 0n;
      await loadAccount();
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
