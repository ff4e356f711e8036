// The one step function (section 7): what happens at a trace position.
import { Revert } from "../errors.js";
import { type Input, fetchInput } from "./fetch.js";
import * as p from "./phases.js";
import * as auction from "./phases/auction.js";
import * as backstop from "./phases/backstop.js";
import * as book from "./phases/book.js";
import { fill } from "./phases/fill.js";
import { leg } from "./phases/legs.js";
import * as liquidation from "./phases/liquidation.js";
import { margin } from "./phases/margin.js";
import * as matching from "./phases/matching.js";
import * as oracle from "./phases/oracle.js";
import * as orders from "./phases/orders.js";
import * as payments from "./phases/payments.js";
import * as work from "./phases/work.js";
import { LONG_GAP } from "../constants.js";
import type { Step } from "./step.js";

const STEPS: ReadonlyMap<bigint, (step: Step) => void> = new Map([
  [p.ADMIT, orders.admit], [p.MARGIN, margin], [p.MATCH, matching.match], [p.PROBE, matching.probe],
  [p.FILL, fill], [p.UNLINK, book.unlink], [p.UNLIST, book.unlist], [p.SEEK, book.seek],
  [p.REST, book.rest], [p.LIST, book.list], [p.DROP, orders.dropRest], [p.TRANSFER, payments.transfer],
  [p.WITHDRAW, payments.withdraw], [p.REPORT, oracle.report], [p.CLEAR, orders.clear], [p.AMEND, orders.amend],
  [p.NEXT, matching.next], [p.CRANK, oracle.crank], [p.LEG, leg], [p.SHARES, payments.shares], [p.WORK, work.work],
  [p.SWEEP, liquidation.sweep], [p.LIQUIDATED, liquidation.liquidated], [p.TAKEOVER, backstop.takeover],
  [p.RANK, liquidation.rank], [p.DELEVERAGE, liquidation.deleverage], [p.UNWIND, backstop.unwind],
  [p.TRIGGER, work.trigger], [p.FIRE, orders.fire], [p.ENROL, work.enrolNext], [p.STRIKE, work.strike],
  [p.GATHER, work.gather], [p.DESCEND, oracle.descend], [p.DEPTH, oracle.depth], [p.SAMPLE, oracle.sample],
  [p.APPROACH, auction.approach], [p.TALLY, auction.tally], [p.PAIR, auction.pair], [p.VOUCH, auction.vouch],
  [p.CROSS, auction.cross], [p.REQUEST, payments.request], [p.CREDIT, payments.credit],
]);

/** What the posted batch says at micro = 0. */
interface BatchInput {
  readonly number: bigint;
  readonly timestamp: bigint;
  /** The input at this index, null where the index is unused. */
  readonly input: Input | null;
}

/** micro = 0: begin the batch at index 0, and fetch the input if there is one. */
export function stepAtInput(step: Step, index: bigint, batch: BatchInput): void {
  const { r } = step;
  if (index === 0n) {
    r.batch = batch.number;
    if (batch.timestamp > r.time + LONG_GAP) r.last_gap_end = batch.timestamp;
    r.time = batch.timestamp;
    r.steps = 0n;
  }
  if (batch.input === null) return;
  r.input_index = index;
  r.started = r.steps;
  r.steps += 1n;
  fetchInput(step, batch.input);
}

/** micro > 0: the phase's step; idle, nothing happens. */
export function stepInside(step: Step): void {
  const { r } = step;
  if (r.phase === p.IDLE) return;
  r.steps += 1n;
  const run = STEPS.get(r.phase);
  if (run === undefined) throw new Revert("wrong_phase", `${r.phase}`);
  run(step);
}
