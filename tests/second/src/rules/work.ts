// How the machine's own work begins, and whom it visits (section 8: *Holders*, *Work begins*, *Begin to rank*).
import { LIQUIDATION } from "../codec/records.js";
import { IOC } from "../constants.js";
import * as phase from "../machine/phases.js";
import type { Step } from "../machine/step.js";
import { clearFromKind, RANKING } from "../state/registers.js";
import { lowestBit } from "./bits.js";

export function beginWork({ r }: Step, markBefore: bigint): void {
  r.sweeping = 1n;
  r.sweep_end = r.sweep_word = 0n;
  r.trigger_market = r.market;
  r.mark_before = markBefore;
  r.sweep_time = r.time;
  r.rank_market = 0n;
  r.settling = r.first_request !== 0n ? 1n : 0n;
  r.return_phase = phase.WORK;
  r.phase = phase.WORK;
}

export const toBeVisited = ({ r }: Step): bigint => r.sweep_end - 256n + lowestBit(r.sweep_word);
export const toBeRanked = ({ r }: Step): bigint => r.rank_end - 256n + lowestBit(r.rank_word);

/** To *pass* a holder is to clear its bit of the register. */
export function passVisited({ r }: Step): void {
  r.sweep_word &= r.sweep_word - 1n;
}
export function passRanked({ r }: Step): void {
  r.rank_word &= r.rank_word - 1n;
}

/** To *enrol* an account, after a step has set the phase. */
export function enrol({ r }: Step, account: bigint): void {
  if (r.phase !== phase.ENROL) {
    r.enrol_phase = r.phase;
    r.phase = phase.ENROL;
  }
  r.enrol_next = r.enrol;
  r.enrol = 1n + account;
}

export function beginToRank({ r }: Step): void {
  r.ranking = 1n;
  r.rank_end = r.rank_word = 0n;
  r.rank_market = r.market;
  r.rank_side = r.side;
  for (const name of RANKING) r[name] = 0n;
}

/** *Deleverage*: what neither book nor backstop takes. The registers of the order name the position to be closed. */
export function deleverage(step: Step): void {
  const { r } = step;
  r.deleveraging = 1n;
  r.phase = phase.WORK;
  const ranked = r.rank_market === r.market && r.rank_side === r.side && r.ranked0 !== 0n;
  if (!ranked) beginToRank(step);
}

interface OwnOrder {
  readonly account: bigint;
  readonly market: bigint;
  readonly side: bigint;
  readonly price: bigint;
  readonly size: bigint;
  readonly returnPhase: bigint;
}

/** *The machine's own order* of an account. */
export function ownOrder({ r }: Step, order: OwnOrder): void {
  clearFromKind(r);
  r.kind = LIQUIDATION;
  r.flags = IOC;
  r.account = order.account;
  r.market = order.market;
  r.side = order.side;
  r.price = order.price;
  r.size = r.amount = order.size;
  r.return_phase = order.returnPhase;
  r.phase = phase.MATCH;
}
