// All batches of an exchange as L1 has them: headers and messages from events, records from the posting transactions.
import {
  decodeEventLog,
  decodeFunctionData,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  hexToBytes,
  bytesToHex,
  numberToHex,
  parseAbi,
  toEventSelector,
} from "viem";

const RECORD_BYTES = 124;
const STAMP_BYTES = 8;
const CALLDATA = 0;

const VAULT = parseAbi(["function QUEUE() view returns (address)", "function COURT() view returns (address)"]);
const QUEUE = parseAbi([
  "function INBOX() view returns (address)",
  "event MessageQueued(uint256 indexed index, bytes body, bytes32 queue_hash, uint256 timestamp)",
]);
const INBOX = parseAbi([
  "event BatchPosted(uint256 indexed number, bytes32 indexed batch_hash, bytes32 parent, uint256 timestamp, uint256 first_message, uint256 message_count, uint256 first_record, uint256 record_count, uint256 module, bytes32 data_root, bytes32 queue_hash)",
  "function post(uint256 number, uint256 timestamp, uint256 message_count, bytes32 expected, bytes records)",
  "function EPOCH_BATCHES() view returns (uint256)",
]);
const COURT = parseAbi([
  "function start_of(uint256 epoch) view returns (bytes32)",
  "function key_of(uint256 epoch, bytes32 start) view returns (bytes32)",
  "struct Claim { uint256 state; uint256 epoch; bytes32 start; bytes32 end; uint256 stake; uint256 claimed_at; uint256 disputed_at; uint256 joined; uint256 standing; uint256 ends; bytes32 result; bytes32 winner; }",
  "function claim_of(bytes32 key) view returns (Claim)",
  "function confirmed(uint256 epoch) view returns (bytes32)",
]);

const ZERO = `0x${"0".repeat(64)}`;

interface Log {
  data: Hex;
  topics: [Hex, ...Hex[]];
  transactionHash: Hex;
}

export interface PostedBatch {
  readonly hash: Hex;
  /** As the second verifier reads it. */
  readonly request: { header: Record<string, number | string>; messages: Hex[]; records: Hex[] };
}

export class Chain {
  #queue: Hex = "0x";
  #inbox: Hex = "0x";
  #court: Hex = "0x";
  epochBatches = 1;

  constructor(
    readonly url: string,
    readonly vault: Hex,
  ) {}

  async open(): Promise<void> {
    this.#queue = await this.#view(this.vault, VAULT, "QUEUE");
    this.#court = await this.#view(this.vault, VAULT, "COURT");
    this.#inbox = await this.#view(this.#queue, QUEUE, "INBOX");
    this.epochBatches = Number(await this.#view<bigint>(this.#inbox, INBOX, "EPOCH_BATCHES"));
  }

  async chainId(): Promise<number> {
    return Number(await this.#ask<Hex>("eth_chainId"));
  }

  genesis(): Promise<Hex> {
    return this.#view(this.#court, COURT, "start_of", 0n);
  }

  /** What L1 says of an epoch that starts so: what is claimed, and what is confirmed; undefined for nothing. */
  async endOf(epoch: number, start: Hex): Promise<{ claimed: Hex | undefined; confirmed: Hex | undefined }> {
    const key = await this.#view<Hex>(this.#court, COURT, "key_of", BigInt(epoch), start);
    const claim = await this.#view<{ state: bigint; end: Hex }>(this.#court, COURT, "claim_of", key);
    const confirmed = await this.#view<Hex>(this.#court, COURT, "confirmed", BigInt(epoch));
    return {
      claimed: claim.end === ZERO ? undefined : claim.end,
      confirmed: confirmed === ZERO ? undefined : confirmed,
    };
  }

  /** Every batch that was posted, oldest first. Throws where one is not in calldata: browsers read no blobs. */
  async *batches(): AsyncGenerator<PostedBatch> {
    const messages = await this.#readMessages();
    const topic = toEventSelector(INBOX[0]);
    for (const log of await this.#logs(this.#inbox, topic)) {
      const { args } = decodeEventLog({ abi: INBOX, data: log.data, topics: log.topics });
      const { batch_hash: hash, ...rest } = args;
      if (Number(args.module) !== CALLDATA)
        throw new Error(`batch ${args.number} is not in calldata: this page reads no blobs`);
      const { input } = await this.#ask<{ input: Hex }>("eth_getTransactionByHash", log.transactionHash);
      const call = decodeFunctionData({ abi: INBOX, data: input });
      if (call.functionName !== "post") throw new Error(`batch ${args.number} was posted in another way`);
      const header = Object.fromEntries(
        Object.entries(rest).map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : value]),
      );
      const first = Number(args.first_message);
      yield {
        hash,
        request: {
          header,
          messages: messages.slice(first, first + Number(args.message_count)),
          records: cut(call.args[4]),
        },
      };
    }
  }

  async #readMessages(): Promise<Hex[]> {
    const found: Hex[] = [];
    for (const log of await this.#logs(this.#queue, toEventSelector(QUEUE[1]))) {
      const { args } = decodeEventLog({ abi: QUEUE, data: log.data, topics: log.topics });
      found[Number(args.index)] = stamp(args.body, args.timestamp);
    }
    return found;
  }

  #logs(address: Hex, topic: Hex): Promise<Log[]> {
    return this.#ask<Log[]>("eth_getLogs", { address, topics: [topic], fromBlock: "earliest", toBlock: "latest" });
  }

  async #view<T>(to: Hex, abi: readonly unknown[], functionName: string, ...args: readonly unknown[]): Promise<T> {
    const call = { abi, functionName, args } as Parameters<typeof encodeFunctionData>[0];
    const data = await this.#ask<Hex>("eth_call", { to, data: encodeFunctionData(call) }, "latest");
    return decodeFunctionResult({ ...call, data } as Parameters<typeof decodeFunctionResult>[0]) as T;
  }

  async #ask<T>(method: string, ...params: readonly unknown[]): Promise<T> {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const response = await fetch(this.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const answer = (await response.json()) as { result?: T; error?: { message: string } };
    if (answer.error) throw new Error(`L1: ${answer.error.message}`);
    return answer.result as T;
  }
}

function cut(records: Hex): Hex[] {
  const bytes = hexToBytes(records);
  const found: Hex[] = [];
  for (let at = 0; at < bytes.length; at += RECORD_BYTES) found.push(bytesToHex(bytes.slice(at, at + RECORD_BYTES)));
  return found;
}

/** A message as batches have it: its body, and behind it when it was queued. */
function stamp(body: Hex, timestamp: bigint): Hex {
  return `${body}${numberToHex(timestamp, { size: STAMP_BYTES }).slice(2)}`;
}
