// The history of an epoch, by plain steps alone (section 13, "What a watcher says, plain steps have said").
import { type Batch, BATCH, copyOf, hashOfMachine, joinPosition, type Machine, runBatch } from "../machine/state.js";
import { type Change, History } from "./history.js";

interface Trace {
  readonly history: History;
  readonly steps: number;
  readonly end: Machine;
}

export function traceEpoch(start: Machine, batches: readonly Batch[]): Trace {
  const machine = copyOf(start);
  const changes: Change[] = [];
  batches.forEach((batch, number) => {
    runBatch(machine, batch, {
      after({ index, micro }) {
        changes.push({ position: joinPosition({ batch: number, index, micro }), hash: hashOfMachine(machine) });
      },
    });
  });
  if (batches.length === 0 || batches.length * BATCH > 2 ** 35) throw new Error("an epoch has 1 to 32 batches");
  return { history: new History(changes), steps: changes.length, end: machine };
}
