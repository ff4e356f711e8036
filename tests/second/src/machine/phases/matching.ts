// MATCH, PROBE, NEXT (section 8): an order meets the other side, one maker at a time.
import { LIQUIDATION } from "../../codec/records.js";
import { BUY, CANCEL_TAKER, FILL_OR_KILL, MAX_MATCHES, POST_ONLY } from "../../constants.js";
import { bestOf, highestIsBest, sideWords } from "../../rules/book.js";
import { nextWorse } from "../../rules/bits.js";
import { makerRate } from "../../rules/fees.js";
import { type Holdings, isLegal, isSure, openHoldings, settle } from "../../rules/margin.js";
import { isCalling } from "../../rules/market.js";
import { min } from "../../rules/numbers.js";
import {
  canRest, closable, isLive, isReduceOnly, positionIn, selfTradeRule, timeInForce,
} from "../../rules/positions.js";
import { accountOfHandle, masterOf } from "../../state/keys.js";
import type { Order } from "../../state/leaves.js";
import * as phase from "../phases.js";
import { drop, outOfSteps, pause, type Step } from "../step.js";

export function match(step: Step): void {
  const { r, leaves } = step;
  const market = leaves.market(r.market);
  const other = 1n - r.side;
  const best = bestOf(market, other);
  const crosses = best !== 0n && (r.side === BUY ? best <= r.price : best >= r.price);
  if (isCalling(market, r.time) || !crosses) {
    if (!canRest(r.flags)) return r.scanning !== 0n ? drop(step, "unfillable") : drop(step);
    r.level_market = r.market;
    r.level_side = r.side;
    r.tick = r.price;
    r.phase = phase.REST;
    return;
  }
  if (outOfSteps(step) && timeInForce(r.flags) !== FILL_OR_KILL) {
    if (r.kind === LIQUIDATION) return drop(step);
    if (r.return_phase === phase.IDLE) r.return_phase = phase.WORK; // what follows sets no outcome
    return pause(step, phase.MARGIN);
  }
  r.cursor = leaves.level(r.market, other, best).head;
  r.level_market = r.market;
  r.level_side = other;
  r.tick = best;
  r.phase = phase.PROBE;
}

interface Judged {
  readonly good: boolean;
  readonly sure: boolean;
}

/**
 * Judges the maker of an order as PROBE and DEPTH do: sets `lots`, and says whether its fill is good and whether it is
 * sure. The maker's account and markets become leaves of the step.
 */
export function judgeMaker(step: Step, order: Order, holdings: Holdings): Judged {
  const { r } = step;
  const place = positionIn(holdings.account, order.market);
  let lots = 0n;
  if (isLive(order, holdings.account, r.time)) {
    lots = min(r.size - r.fok_lots, order.size);
    if (isReduceOnly(order.flags)) lots = min(lots, closable(place, order.side));
  }
  r.lots = lots;
  const market = holdings.markets.get(order.market);
  if (market === undefined) return { good: false, sure: false };
  const rate = makerRate(market);
  const delta = order.side === BUY ? lots : -lots;
  const good = lots > 0n && isLegal(holdings, order.market, delta, order.price, rate);
  const sure =
    good &&
    isSure(holdings, order.market, order.side, isReduceOnly(order.flags), r.price, rate, r.winding_since);
  return { good, sure };
}

export function probe(step: Step): void {
  const { r, leaves } = step;
  const order = leaves.order(r.cursor);
  const maker = accountOfHandle(r.cursor);
  if (masterOf(maker) === masterOf(r.account)) return selfTrade(step, order);
  const holdings = openHoldings(step, leaves.account(maker));
  settle(holdings);
  const { good, sure } = judgeMaker(step, order, holdings);
  if (r.scanning !== 0n) return count(step, order, sure);
  if (!good) {
    r.next_phase = phase.MATCH;
    r.phase = phase.UNLINK;
    return;
  }
  if (timeInForce(r.flags) === POST_ONLY) return drop(step, "would_cross");
  r.phase = phase.FILL;
}

/** Orders of one master never trade with each other. */
function selfTrade(step: Step, order: Order): void {
  const { r } = step;
  const rule = selfTradeRule(r.flags);
  if (r.scanning !== 0n) return rule === 0n ? count(step, order, false) : drop(step, "self_trade");
  if (rule === CANCEL_TAKER) return drop(step, "self_trade");
  r.next_phase = rule === 0n ? phase.MATCH : phase.DROP;
  r.phase = phase.UNLINK;
}

/** *To count*, of a fill-or-kill order. */
function count(step: Step, order: Order, sure: boolean): void {
  const { r } = step;
  if (sure) r.fok_lots += r.lots;
  r.cursor = order.next;
  r.matches += 1n;
  if (r.fok_lots === r.size) {
    r.scanning = r.fok_lots = r.matches = 0n;
    r.phase = phase.MATCH;
    return;
  }
  if (r.matches === MAX_MATCHES) return drop(step, "unfillable");
  r.phase = r.cursor !== 0n ? phase.PROBE : phase.NEXT;
}

export function next(step: Step): void {
  const { r, leaves } = step;
  const tick = nextWorse(sideWords(step, r.level_market, r.level_side), r.tick, highestIsBest(r.level_side));
  if (tick === null || (r.side === BUY ? tick > r.price : tick < r.price)) return drop(step, "unfillable");
  r.tick = tick;
  r.cursor = leaves.level(r.level_market, r.level_side, tick).head;
  r.phase = phase.PROBE;
}
