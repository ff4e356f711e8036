// WORK, GATHER, STRIKE, ENROL, TRIGGER (section 8): the machine's own work.
import { SIDE_ABOVE, SIDE_BELOW } from "../../constants.js";
import { clearBit, lowestBit, setBit } from "../../rules/bits.js";
import { holderWords } from "../../rules/book.js";
import { isCalling, isFreshAt } from "../../rules/market.js";
import { passVisited, toBeVisited } from "../../rules/work.js";
import { clearFromKind } from "../../state/registers.js";
import * as phase from "../phases.js";
import { outOfSteps, pause, type Step } from "../step.js";

export function work(step: Step): void {
  const { r } = step;
  r.return_phase = phase.WORK;
  const left =
    r.deleveraging !== 0n || r.sweeping !== 0n || r.trigger_market !== 0n || r.unwind !== 0n || r.settling !== 0n;
  if (!left) {
    r.return_phase = phase.IDLE;
    r.phase = phase.IDLE;
  } else if (outOfSteps(step)) {
    pause(step, phase.WORK);
  } else if (r.ranking !== 0n) {
    r.phase = r.rank_word === 0n ? phase.GATHER : phase.RANK;
  } else if (r.deleveraging !== 0n) {
    r.phase = phase.DELEVERAGE;
  } else if (r.sweeping !== 0n) {
    r.phase = r.sweep_word === 0n ? phase.GATHER : phase.SWEEP;
  } else if (r.trigger_market !== 0n) {
    r.phase = phase.TRIGGER;
  } else {
    r.phase = r.unwind !== 0n ? phase.UNWIND : phase.SHARES;
  }
}

const ALL_ACCOUNTS = 1n << 24n;

interface Found {
  readonly word: bigint;
  readonly begin: bigint;
}

/** The next word of holders from account `from` on: none, two or four leaves. */
function nextWord(step: Step, market: bigint, from: bigint): Found | null {
  if (from >= ALL_ACCOUNTS) return null;
  const read = holderWords(step, market);
  let high = from >> 16n;
  const bit = (from >> 8n) & 255n;
  let left = (read(1, high).word >> bit) << bit;
  if (left === 0n) {
    const above = (read(0, 0n).word >> (high + 1n)) << (high + 1n);
    if (above === 0n) return null;
    high = lowestBit(above);
    left = read(1, high).word;
  }
  if (left === 0n) return null;
  const index = (high << 8n) | lowestBit(left);
  return { word: read(2, index).word, begin: index << 8n };
}

export function gather(step: Step): void {
  const { r } = step;
  r.phase = phase.WORK;
  if (r.ranking !== 0n) {
    const found = nextWord(step, r.market, r.rank_end);
    r.rank_word = found?.word ?? 0n;
    r.rank_end = found === null ? ALL_ACCOUNTS : found.begin + 256n;
    if (found !== null) return;
    r.ranking = 0n;
    if (r.ranked0 === 0n) {
      r.deleveraging = 0n;
      r.skip_account = 1n; // nobody is on the other side
    }
    return;
  }
  const found = nextWord(step, r.trigger_market, r.sweep_end);
  r.sweep_word = found?.word ?? 0n;
  r.sweep_end = found === null ? ALL_ACCOUNTS : found.begin + 256n;
  if (found === null) r.sweeping = 0n;
}

export function strike(step: Step): void {
  const { r } = step;
  clearBit(holderWords(step, r.trigger_market), toBeVisited(step));
  passVisited(step);
  r.phase = phase.WORK;
}

export function enrolNext(step: Step): void {
  const { r } = step;
  setBit(holderWords(step, r.market), r.enrol - 1n);
  r.enrol = r.enrol_next;
  r.enrol_next = 0n;
  if (r.enrol === 0n) {
    r.phase = r.enrol_phase;
    r.enrol_phase = 0n;
  }
}

export function trigger(step: Step): void {
  const { r, leaves } = step;
  const id = r.trigger_market;
  const market = leaves.market(id);
  let side: bigint | null = null;
  if (r.winding_since === 0n && !isCalling(market, r.time) && isFreshAt(market, r.sweep_time)) {
    if (market.stop_above !== 0n && market.mark >= market.stop_above) side = SIDE_ABOVE;
    else if (market.stop_below !== 0n && market.mark <= market.stop_below) side = SIDE_BELOW;
  }
  if (side === null) {
    r.trigger_market = 0n;
    r.phase = phase.WORK;
    return;
  }
  const level = leaves.level(id, side, side === SIDE_ABOVE ? market.stop_above : market.stop_below);
  clearFromKind(r);
  r.return_phase = phase.WORK;
  r.cursor = level.head;
  r.phase = phase.FIRE;
}
