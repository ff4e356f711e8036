// What the whole console knows: whose page it is, the exchange's terms, its markets and where the sequencer is.
import { computed, signal } from "@preact/signals";
import { get } from "./http";
import type { Info, Market, Status } from "./types";

export interface Config {
  role: "operator" | "watcher";
  /** Of an L1 node that this page may ask; "" for none. */
  rpc_url: string;
  /** Of a watcher that serves blobs to this page; "" for none. */
  blobs_url: string;
}

export const config = signal<Config>({ role: "operator", rpc_url: "", blobs_url: "" });
export const info = signal<Info | undefined>(undefined);
export const status = signal<Status | undefined>(undefined);
export const markets = signal<readonly Market[]>([]);
export const marketNumber = signal(1);
export const market = computed(() => markets.value.find((each) => each.market === marketNumber.value));

const STATUS_MS = 1_000;
const MARKETS_MS = 2_000;

export async function loadConfig(): Promise<void> {
  config.value = await get<Config>("./config.json");
}

/** Load what does not change, and keep what does. */
export async function loadExchange(): Promise<void> {
  info.value = await get<Info>("/v1/info");
  markets.value = info.value.markets;
  every(STATUS_MS, async () => {
    status.value = await get<Status>("/v1/status");
  });
  every(MARKETS_MS, async () => {
    markets.value = (await get<{ markets: Market[] }>("/v1/markets")).markets;
  });
}

/** Do it now and again so long after it is done, while the page is seen; what is returned ends that. */
export function every(milliseconds: number, work: () => Promise<void>): () => void {
  let isOver = false;
  const turn = async (): Promise<void> => {
    if (isOver) return;
    if (!document.hidden) await work().catch(() => undefined);
    setTimeout(() => void turn(), milliseconds);
  };
  void turn();
  return () => {
    isOver = true;
  };
}
