// The body of a withdrawal that is forced through L1, and the message that the queue makes of it.
import { concat, encodePacked, type Hex, padHex } from "viem";
import { account } from "./account";

/** A record's type and size (section 4). */
const WITHDRAW = 4;
const BODY_BYTES = 60;
/** The protocol's type of a forced message: behind it stand its sender and the body. */
const FORCED = "0x85";

export function makeForcedBody(nonce: bigint, amount: bigint): Hex {
  const number = account.peek()?.account;
  if (number === undefined) throw new Error("this wallet has no account here");
  const packed = encodePacked(["uint8", "uint32", "uint64", "uint128"], [WITHDRAW, number, nonce, amount]);
  return padHex(packed, { dir: "right", size: BODY_BYTES });
}

/** How the queue's message begins, in lower case as logs have it. */
export function makeForced(sender: Hex, nonce: bigint, amount: bigint): Hex {
  return concat([FORCED, sender.toLowerCase() as Hex, makeForcedBody(nonce, amount)]);
}
