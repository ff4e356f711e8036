// All batches of an exchange as L1 has them: headers and messages from events, records from the posting transactions or
// from the blobs that these carried.
import {
  type Abi,
  decodeEventLog,
  decodeFunctionData,
  decodeFunctionResult,
  encodeEventTopics,
  encodeFunctionData,
  type Hex,
  hexToBytes,
  numberToHex,
} from "viem";
import { COURT, INBOX, QUEUE, VAULT } from "../l1/interfaces";
import { type Log, LogReader, type Origin } from "../l1/logs";
import type { Node } from "../l1/node";
import type { GameEvent } from "../watch/types";

const RECORD_BYTES = 124;
const STAMP_BYTES = 8;
const CALLDATA = 0n;
const BLOBS = 1n;
const ZERO = `0x${"0".repeat(64)}`;

type Header = Record<string, bigint>;

export interface PostedBatch {
  readonly hash: Hex;
  readonly header: Header;
  readonly messages: Uint8Array[];
  /** As its module keeps it: the records one after the other, or the blob. */
  readonly data: Uint8Array;
  readonly isBlob: boolean;
}

export interface Ends {
  readonly key: Hex;
  readonly claimed: Hex | undefined;
  readonly confirmed: Hex | undefined;
}

export class Chain {
  #queue: Hex = "0x";
  #inbox: Hex = "0x";
  #court: Hex = "0x";
  readonly #reader: LogReader;
  epochBatches = 1;

  /** `blobs`: where a watcher serves blobs by their hash, "" for nowhere. */
  constructor(
    readonly node: Node,
    origin: Origin,
    readonly vault: Hex,
    readonly blobs: string,
  ) {
    this.#reader = new LogReader(node, origin);
  }

  async open(): Promise<void> {
    this.#queue = await this.#view(this.vault, VAULT, "QUEUE");
    this.#court = await this.#view(this.vault, VAULT, "COURT");
    this.#inbox = await this.#view(this.#queue, QUEUE, "INBOX");
    this.epochBatches = Number(await this.#view<bigint>(this.#inbox, INBOX, "EPOCH_BATCHES"));
  }

  async chainId(): Promise<number> {
    return Number(await this.node.ask<Hex>("eth_chainId"));
  }

  genesis(): Promise<Hex> {
    return this.#view(this.#court, COURT, "start_of", 0n);
  }

  /** What L1 says of an epoch that starts so: what was claimed, and what is confirmed; undefined for nothing. */
  async endOf(epoch: number, start: Hex): Promise<Ends> {
    const key = await this.#view<Hex>(this.#court, COURT, "key_of", BigInt(epoch), start);
    const claim = await this.#view<{ state: bigint; end: Hex }>(this.#court, COURT, "claim_of", key);
    const confirmed = await this.#view<Hex>(this.#court, COURT, "confirmed", BigInt(epoch));
    return {
      key,
      claimed: claim.end === ZERO ? undefined : claim.end,
      confirmed: confirmed === ZERO ? undefined : confirmed,
    };
  }

  /** The moves of the dispute about a claim, as far as L1 has narrowed it down. */
  async movesOf(key: Hex): Promise<GameEvent[]> {
    const topics = encodeEventTopics({ abi: COURT, eventName: "Moved", args: { key } });
    return (await this.#reader.read(this.#court, topics)).map((log) => {
      const { args } = decodeEventLog({ abi: COURT, eventName: "Moved", data: log.data, topics: log.topics });
      const { mover, opponent, mover_child, opponent_child } = args;
      const [level, index] = [Number(args.level), Number(args.index)];
      return { kind: "Moved", block: 0, at: 0, mover, opponent, level, index, mover_child, opponent_child };
    });
  }

  /** Every batch that was posted, oldest first. Throws where the data of one cannot be had. */
  async *batches(): AsyncGenerator<PostedBatch> {
    const messages = await this.#readMessages();
    for (const log of await this.#readAll(this.#inbox, INBOX, "BatchPosted")) {
      const { args } = decodeEventLog({ abi: INBOX, eventName: "BatchPosted", data: log.data, topics: log.topics });
      const { batch_hash: hash, ...rest } = args;
      const header = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, BigInt(value)]));
      const first = Number(args.first_message);
      yield {
        hash,
        header,
        messages: messages.slice(first, first + Number(args.message_count)),
        data: args.record_count === 0n ? new Uint8Array(0) : await this.#readData(log.transactionHash, args),
        isBlob: args.module === BLOBS,
      };
    }
  }

  async #readData(
    transaction: Hex,
    { number, module, data_root }: { number: bigint; module: bigint; data_root: Hex },
  ): Promise<Uint8Array> {
    if (module === BLOBS) return this.#readBlob(number, data_root);
    if (module !== CALLDATA) throw new Error(`batch ${number} is in a module of data that this page does not know`);
    const { input } = await this.node.ask<{ input: Hex }>("eth_getTransactionByHash", transaction);
    const call = decodeFunctionData({ abi: INBOX, data: input });
    if (call.functionName !== "post") throw new Error(`batch ${number} was posted in another way`);
    return hexToBytes(call.args[4]);
  }

  /** From a development node, which keeps blobs itself, or from the watcher that this page was told of. */
  async #readBlob(number: bigint, hash: Hex): Promise<Uint8Array> {
    const found = await this.node.ask<Hex | null>("anvil_getBlobByHash", hash).catch(() => null);
    if (found) return hexToBytes(found);
    const response = this.blobs ? await fetch(`${this.blobs}/v1/blobs/${hash}`).catch(() => undefined) : undefined;
    if (response?.ok) return new Uint8Array(await response.arrayBuffer());
    throw new Error(
      `The records of batch ${number} are in a blob, which L1's nodes keep for some weeks and this page's node does not ` +
        `serve. ${this.blobs ? `The watcher at ${this.blobs} does not have it either` : "This page was told of no watcher that serves blobs"}, ` +
        "so the batches before it are verified, and it and those after it are not. A watcher or `setoff verify` reads them.",
    );
  }

  async #readMessages(): Promise<Uint8Array[]> {
    const found: Uint8Array[] = [];
    for (const log of await this.#readAll(this.#queue, QUEUE, "MessageQueued")) {
      const { args } = decodeEventLog({ abi: QUEUE, eventName: "MessageQueued", data: log.data, topics: log.topics });
      found[Number(args.index)] = hexToBytes(stamp(args.body, args.timestamp));
    }
    return found;
  }

  /** All that a contract has logged of one event. It counts them itself: a node that leaves some out, as one does that
   * forgets, or that was asked from a block on that is too late, is found out. */
  async #readAll(address: Hex, abi: Abi, eventName: string): Promise<Log[]> {
    const count = Number(await this.#view<bigint>(address, abi, "count"));
    const topics = encodeEventTopics({ abi, eventName } as Parameters<typeof encodeEventTopics>[0]);
    const found = await this.#reader.read(address, topics);
    if (found.length < count)
      throw new Error(
        `L1 counts ${count} of ${eventName}, and this node shows ${found.length} of them from block ` +
          `${this.#reader.origin.block} on: another node may have them all.`,
      );
    return found;
  }

  async #view<T>(to: Hex, abi: Abi, functionName: string, ...args: readonly unknown[]): Promise<T> {
    const call = { abi, functionName, args };
    const data = await this.node.ask<Hex>("eth_call", { to, data: encodeFunctionData(call) }, "latest");
    return decodeFunctionResult({ ...call, data }) as T;
  }
}

/** Calldata as records. */
export function cut(records: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < records.length; at += RECORD_BYTES) found.push(records.slice(at, at + RECORD_BYTES));
  return found;
}

/** A message as batches have it: its body, and behind it when it was queued. */
function stamp(body: Hex, timestamp: bigint): Hex {
  return `${body}${numberToHex(timestamp, { size: STAMP_BYTES }).slice(2)}`;
}
