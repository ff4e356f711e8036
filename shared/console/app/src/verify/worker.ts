// The second verifier (`tests/second`, written from the protocol's document alone) in a worker: it runs every batch from
// genesis as L1 has it, and says what each comes to.
import { domainSeparator, type Hex } from "viem";
import { batchHash, type Header } from "../second/batch/header.js";
import { dataRoot } from "../second/batch/data-root.js";
import { fromHex, toHex, word } from "../second/codec/bytes.js";
import { Session } from "../second/vectors/session.js";
import { Chain } from "./chain";

export interface Task {
  readonly rpcUrl: string;
  readonly vault: Hex;
  readonly backstopDelay: number;
}

export interface Finding {
  readonly batch: number;
  readonly end: Hex;
  readonly inputs: number;
  readonly steps: number;
  /** Milliseconds. */
  readonly took: number;
  /** The end of its epoch on L1, for an epoch's last batch. */
  readonly epoch: { number: number; claimed: Hex | undefined; confirmed: Hex | undefined } | undefined;
}

export type Told =
  | { kind: "genesis"; own: Hex; l1: Hex }
  | { kind: "batch"; finding: Finding }
  | { kind: "done" }
  | { kind: "failed"; text: string };

const tell = (told: Told): void => postMessage(told);

onmessage = (event: MessageEvent<Task>) => {
  run(event.data).then(
    () => tell({ kind: "done" }),
    (error: unknown) => tell({ kind: "failed", text: error instanceof Error ? error.message : String(error) }),
  );
};

async function run(task: Task): Promise<void> {
  const chain = new Chain(task.rpcUrl, task.vault);
  await chain.open();
  const session = new Session();
  const domain = domainSeparator({
    domain: { name: "Setoff", version: "1", chainId: await chain.chainId(), verifyingContract: task.vault },
  });
  const begun = ask(session, { genesis: { domain, backstop_delay: task.backstopDelay } });
  const genesis = begun["machine_hash"] as Hex;
  tell({ kind: "genesis", own: genesis, l1: await chain.genesis() });
  let start = genesis;
  let number = 0;
  for await (const batch of chain.batches()) {
    check(batch.hash, batch.request.header, batch.request.records);
    const began = performance.now();
    const answer = ask(session, batch.request);
    const end = answer["machine_hash"] as Hex;
    const isLast = (number + 1) % chain.epochBatches === 0;
    const epoch = Math.floor(number / chain.epochBatches);
    const finding: Finding = {
      batch: number,
      end,
      inputs: batch.request.messages.length + batch.request.records.length,
      steps: answer["steps"] as number,
      took: performance.now() - began,
      epoch: isLast ? { number: epoch, ...(await chain.endOf(epoch, start)) } : undefined,
    };
    tell({ kind: "batch", finding });
    if (isLast) start = end;
    number++;
  }
}

/** Whether a header is what the inbox has hashed, and its records are what it commits to. */
function check(hash: Hex, header: Record<string, number | string>, records: readonly Hex[]): void {
  const fields = Object.fromEntries(Object.entries(header).map(([name, value]) => [name, BigInt(value)])) as Header;
  if (toHex(batchHash(fields)) !== hash) throw new Error(`batch ${header["number"]}: its header has another hash`);
  if (toHex(dataRoot(records.map(fromHex))) !== toHex(word(fields.data_root)))
    throw new Error(`batch ${header["number"]}: its transaction holds other records`);
}

function ask(session: Session, request: object): Record<string, unknown> {
  const answer = session.answer(request as Parameters<Session["answer"]>[0]) as Record<string, unknown>;
  if (answer["error"]) throw new Error(`${String(answer["error"])}: ${String(answer["detail"])}`);
  return answer;
}
