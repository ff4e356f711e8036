// What contracts say: views and events by their ABI, from whatever L1 node this page may ask.
import {
  type Abi,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  decodeEventLog,
  decodeFunctionResult,
  encodeEventTopics,
  encodeFunctionData,
  type Hex,
} from "viem";
import { info } from "../api/exchange";
import { findNode, rpc } from "../wallet/rpc";
import { COURT, QUEUE, VAULT } from "./interfaces";
import { type Log, LogReader, type Origin } from "./logs";

export interface Addresses {
  readonly vault: Hex;
  readonly queue: Hex;
  readonly inbox: Hex;
  readonly court: Hex;
}

/** An event by its name, with where and when it was. */
export interface Happened {
  readonly name: string;
  readonly args: Record<string, unknown>;
  readonly block: number;
  /** Unix seconds. */
  readonly at: number;
  readonly transaction: Hex;
}

export async function view<const A extends Abi, N extends ContractFunctionName<A, "view" | "pure">>(
  to: Hex,
  abi: A,
  functionName: N,
  ...args: readonly unknown[]
): Promise<ContractFunctionReturnType<A, "view" | "pure", N>> {
  const call = { abi, functionName, args } as unknown as Parameters<typeof encodeFunctionData>[0];
  const data = await rpc<Hex>("eth_call", { to, data: encodeFunctionData(call) }, "latest");
  return decodeFunctionResult({ ...call, data } as Parameters<typeof decodeFunctionResult>[0]) as never;
}

let known: Promise<Addresses> | undefined;

/** The contracts of this exchange, from its vault on. */
export function findContracts(): Promise<Addresses> {
  known ??= readContracts().catch((error: unknown) => {
    known = undefined;
    throw error;
  });
  return known;
}

async function readContracts(): Promise<Addresses> {
  const vault = info.value?.vault as Hex | undefined;
  if (!vault) throw new Error("the exchange has not told its terms yet");
  const [court, queue] = await Promise.all([view(vault, VAULT, "COURT"), view(vault, VAULT, "QUEUE")]);
  return { vault, queue, court, inbox: await view(queue, QUEUE, "INBOX") };
}

/** Events of a contract that have these topics, oldest first, the latest `most`; `event` undefined for any. */
export async function readEvents(
  address: Hex,
  abi: Abi,
  event?: string,
  args?: Record<string, unknown>,
  most?: number,
): Promise<Happened[]> {
  const topics = event
    ? encodeEventTopics({ abi, eventName: event, args } as Parameters<typeof encodeEventTopics>[0])
    : [];
  return readLogs(address, abi, topics, most);
}

/** What happened to one claim. */
export function readClaimEvents(court: Hex, key: Hex): Promise<Happened[]> {
  return readLogs(court, COURT, [null, key]);
}

/** Where the exchange begins on L1. */
export function findOrigin(): Origin {
  const terms = info.value;
  if (!terms) throw new Error("the exchange has not told its terms yet");
  return { block: terms.block, hash: terms.block_hash };
}

let reader: LogReader | undefined;

async function readLogs(address: Hex, abi: Abi, topics: readonly unknown[], most?: number): Promise<Happened[]> {
  const node = findNode();
  if (reader?.node !== node) reader = new LogReader(node, findOrigin());
  const logs = await reader.read(address, topics);
  return Promise.all(
    logs.slice(most === undefined ? 0 : -most).map(async (log) => {
      const { eventName, args } = decodeEventLog({ abi, data: log.data, topics: log.topics });
      return {
        name: String(eventName),
        args: (args ?? {}) as Record<string, unknown>,
        block: Number(log.blockNumber),
        at: await timeOf(log),
        transaction: log.transactionHash,
      };
    }),
  );
}

const times = new Map<Hex, number>();

async function timeOf(log: Log): Promise<number> {
  if (log.blockTimestamp) return Number(log.blockTimestamp);
  const kept = times.get(log.blockNumber);
  if (kept !== undefined) return kept;
  const { timestamp } = await rpc<{ timestamp: Hex }>("eth_getBlockByNumber", log.blockNumber, false);
  times.set(log.blockNumber, Number(timestamp));
  return Number(timestamp);
}
