// Starts the verifier's worker for this exchange; what it asks of a wallet's node goes through this page.
import type { Hex } from "viem";
import { config, info } from "../api/exchange";
import { tell } from "../api/http";
import { findOrigin } from "../l1/call";
import { operatorsNode } from "../wallet/rpc";
import { verifiersNode } from "./node";
import type { Answer, Task, Told } from "./worker";

/** `only`: end behind this epoch, undefined for all. */
export function startVerifier(take: (told: Told) => void, only?: number): Worker | undefined {
  const terms = info.value;
  const node = verifiersNode.value;
  if (!terms || !node) return undefined;
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<Told>) => {
    if (data.kind !== "ask") return take(data);
    const answer = (rest: Omit<Answer, "id">): void => worker.postMessage({ id: data.id, ...rest });
    node.ask(data.method, ...data.params).then(
      (result) => answer({ result }),
      (error: unknown) => answer({ error: tell(error) }),
    );
  };
  worker.onerror = (event) => take({ kind: "failed", text: event.message || "the worker could not start" });
  const task: Task = {
    rpcUrl: node === operatorsNode.value ? config.value.rpc_url : "",
    node: node.name,
    origin: findOrigin(),
    blobsUrl: config.value.blobs_url,
    setupUrl: new URL("kzg-setup.txt", location.href).href,
    vault: terms.vault as Hex,
    backstopDelay: terms.limits.backstop_delay,
    only,
  };
  worker.postMessage(task);
  return worker;
}
