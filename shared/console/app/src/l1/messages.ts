// Messages of the queue on L1, with their fields.
import { bytesToHex, type Hex, hexToBytes } from "viem";
import { BODIES } from "../second/codec/records.js";
import { FORCED, FORCED_BODY_AT, FORCED_SENDER_AT, MESSAGES } from "../second/codec/messages.js";
import { readUint } from "../second/codec/bytes.js";
import { findContracts, readEvents } from "./call";
import { QUEUE } from "./interfaces";

const ADDRESS_BYTES = 20;
const LONG = 2n ** 128n;

export interface Message {
  /** Of what is asked for: of a forced record the record's. */
  readonly kind: number;
  readonly fields: Readonly<Record<string, string>>;
  /** Who forced it; undefined for what a contract queued. */
  readonly sender: Hex | undefined;
  readonly at: number;
  readonly block: number;
  readonly transaction: Hex;
  readonly queueHash: Hex;
}

export async function readMessage(index: number): Promise<Message> {
  const { queue } = await findContracts();
  const [event] = await readEvents(queue, QUEUE, "MessageQueued", { index: BigInt(index) });
  if (!event) throw new Error(`there is no message ${index} in the queue`);
  const bytes = hexToBytes(event.args["body"] as Hex);
  const isForced = readUint(bytes, 0, 1) === FORCED;
  const body = isForced ? bytes.slice(FORCED_BODY_AT) : bytes;
  const type = readUint(body, 0, 1);
  const layout = (isForced ? BODIES : MESSAGES).get(type);
  const fields = layout ? Object.entries(layout.read(body, 1)).filter(([, value]) => value) : [];
  const sender = bytesToHex(bytes.slice(FORCED_SENDER_AT, FORCED_SENDER_AT + ADDRESS_BYTES));
  return {
    kind: Number(type),
    fields: Object.fromEntries(
      fields.map(([name, value]) => [
        name,
        name === "owner"
          ? `0x${value.toString(16).padStart(40, "0")}`
          : value >= LONG
            ? `0x${value.toString(16)}`
            : String(value),
      ]),
    ),
    sender: isForced && BigInt(sender) ? sender : undefined,
    at: Number(event.args["timestamp"]),
    block: event.block,
    transaction: event.transaction,
    queueHash: event.args["queue_hash"] as Hex,
  };
}
