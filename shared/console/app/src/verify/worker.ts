// The second verifier in a worker: it runs every batch from genesis as L1 has it, and says what each comes to; where the
// court was told something else, the step at which that leaves the truth, in words.
import { domainSeparator, type Hex } from "viem";
import type { Origin } from "../l1/logs";
import { type Node, nodeAt } from "../l1/node";
import { findSealed } from "../watch/descent";
import type { JudgedStep } from "../watch/types";
import { Chain } from "./chain";
import { type Epoch, Replay } from "./replay";
import { showStep } from "./step";

export interface Task {
  /** Of the L1 node; "": the page asks it for the worker. */
  readonly rpcUrl: string;
  /** Its name. */
  readonly node: string;
  readonly origin: Origin;
  readonly blobsUrl: string;
  readonly setupUrl: string;
  readonly vault: Hex;
  readonly backstopDelay: number;
  /** Look at nothing but this epoch's difference, and end behind it. */
  readonly only: number | undefined;
}

export interface Finding {
  readonly batch: number;
  readonly end: Hex;
  readonly inputs: number;
  readonly steps: number;
  readonly outcomes: readonly string[];
  /** Milliseconds. */
  readonly took: number;
  /** The end of its epoch on L1, for an epoch's last batch. */
  readonly epoch:
    { number: number; key: Hex; claimed: Hex | undefined; confirmed: Hex | undefined; own: Hex } | undefined;
}

/** An epoch of which something else was claimed than what this browser comes to. */
export interface Difference {
  readonly epoch: number;
  readonly key: Hex;
  readonly claimed: Hex;
  readonly own: Hex;
  readonly isConfirmed: boolean;
  /** Where a history of it leaves the truth; undefined while none was shown down to a step. */
  readonly step: JudgedStep | undefined;
  /** Moves that narrowed it down so far, of seven. */
  readonly moves: number;
}

export type Told =
  | { kind: "genesis"; own: Hex; l1: Hex }
  | { kind: "batch"; finding: Finding }
  | { kind: "difference"; difference: Difference }
  | { kind: "ask"; id: number; method: string; params: readonly unknown[] }
  | { kind: "done" }
  | { kind: "failed"; text: string };

const tell = (told: Told): void => postMessage(told);

/** What the page was told when it asked for the worker. */
export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

const waiting = new Map<number, (answer: Answer) => void>();

/** A node that the page asks: a wallet is the page's alone. */
function nodeOfPage(name: string): Node {
  let last = 0;
  return {
    name,
    ask<T>(method: string, ...params: readonly unknown[]): Promise<T> {
      const id = ++last;
      return new Promise((done, fail) => {
        waiting.set(id, ({ result, error }) => (error === undefined ? done(result as T) : fail(new Error(error))));
        tell({ kind: "ask", id, method, params });
      });
    },
  };
}

onmessage = ({ data }: MessageEvent<Task | Answer>) => {
  if ("id" in data) {
    waiting.get(data.id)?.(data);
    waiting.delete(data.id);
    return;
  }
  run(data).then(
    () => tell({ kind: "done" }),
    (error: unknown) => tell({ kind: "failed", text: error instanceof Error ? error.message : String(error) }),
  );
};

async function run(task: Task): Promise<void> {
  const node = task.rpcUrl ? nodeAt(task.rpcUrl) : nodeOfPage(task.node);
  const chain = new Chain(node, task.origin, task.vault, task.blobsUrl);
  await chain.open();
  const domain = domainSeparator({
    domain: { name: "Setoff", version: "1", chainId: await chain.chainId(), verifyingContract: task.vault },
  });
  const replay = new Replay(chain, domain, task.backstopDelay, task.setupUrl);
  let start = replay.hash;
  tell({ kind: "genesis", own: start, l1: await chain.genesis() });
  for await (const ran of replay.run()) {
    const { epoch, batch, end } = ran;
    const ends = ran.isLast ? await chain.endOf(epoch.number, start) : undefined;
    const finding: Finding = {
      batch: ran.number,
      end,
      inputs: batch.messages.length + batch.records.length,
      steps: ran.steps,
      outcomes: ran.outcomes,
      took: ran.took,
      epoch: ends && { number: epoch.number, ...ends, own: end },
    };
    tell({ kind: "batch", finding });
    if (ends?.claimed && ends.claimed !== end)
      tell({
        kind: "difference",
        difference: await explain(chain, epoch, ends.key, ends.claimed, end, ends.confirmed),
      });
    if (ran.isLast) start = end;
    if (ran.isLast && epoch.number === task.only) return;
  }
}

async function explain(
  chain: Chain,
  epoch: Epoch,
  key: Hex,
  claimed: Hex,
  own: Hex,
  confirmed: Hex | undefined,
): Promise<Difference> {
  const moves = await chain.movesOf(key);
  const sealed = findSealed(moves);
  const step = sealed && showStep(epoch, sealed.position);
  return {
    epoch: epoch.number,
    key,
    claimed,
    own,
    isConfirmed: confirmed === claimed,
    step: step && { ...step, leaves_said: sealed.said },
    moves: Math.max(0, ...moves.map((move) => (move.level ?? 0) + 1)),
  };
}
