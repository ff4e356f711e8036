// Starts the verifier's worker for this exchange.
import type { Hex } from "viem";
import { config, info } from "../api/exchange";
import type { Task, Told } from "./worker";

/** `only`: end behind this epoch, undefined for all. */
export function startVerifier(take: (told: Told) => void, only?: number): Worker | undefined {
  const terms = info.value;
  if (!terms) return undefined;
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = (event: MessageEvent<Told>) => take(event.data);
  worker.onerror = (event) => take({ kind: "failed", text: event.message || "the worker could not start" });
  const task: Task = {
    rpcUrl: config.value.rpc_url,
    blobsUrl: config.value.blobs_url,
    setupUrl: new URL("kzg-setup.txt", location.href).href,
    vault: terms.vault as Hex,
    backstopDelay: terms.limits.backstop_delay,
    only,
  };
  worker.postMessage(task);
  return worker;
}
