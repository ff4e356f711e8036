// REPORT, CRANK, DESCEND, DEPTH, SAMPLE (section 8): prices, and what the book says about them.
import { nextLevel } from "../../rules/levels.js";
import { BUY, ORACLE_DEATH, RETURN_TIME, SAMPLE_INTERVAL } from "../../constants.js";
import { beginAuction } from "../../rules/auction.js";
import {
  auctionDue, beginInterval, isCalling, isExpired, isFreshAt, setIndex, setMark, setScale, setSettlement, takeSample,
  weighIndex,
} from "../../rules/market.js";
import { openHoldings, settle } from "../../rules/margin.js";
import { down, max, up } from "../../rules/numbers.js";
import { beginWork } from "../../rules/work.js";
import { accountOfHandle } from "../../state/keys.js";
import * as phase from "../phases.js";
import { asOf, finish, outOfSteps, pause, refuse, type Step } from "../step.js";
import { judgeMaker } from "./matching.js";

export function report(step: Step): void {
  const { r, leaves } = step;
  const signers = leaves.signers();
  const number = Number(r.account);
  const reportTime = r.nonce;
  const s = asOf(step);
  if (r.account >= signers.count || signers.owners[number] !== r.signer) return refuse(step, "unknown_signer");
  if (reportTime > s + signers.max_age) return refuse(step, "future_report");
  if (reportTime + signers.max_age < s) return refuse(step, "stale_report");
  const late = s < r.time;
  const oracle = leaves.oracle(r.market);
  const last = oracle.times[number] ?? 0n;
  if (!late && reportTime <= last) return refuse(step, "stale_report");
  const market = leaves.market(r.market);
  if (late && reportTime <= market.index_time) return refuse(step, "stale_report");
  if (isExpired(market, r.time)) return refuse(step, "market_expired");
  if (reportTime > last) {
    oracle.prices[number] = r.price;
    oracle.times[number] = reportTime;
  }
  const prices: bigint[] = [];
  for (let i = 0; i < Number(signers.count); i++) {
    const time = oracle.times[i] ?? 0n;
    if (time !== 0n && time + signers.max_age >= s) prices.push(oracle.prices[i] ?? 0n);
  }
  if (BigInt(prices.length) < signers.quorum) return finish(step);
  const markBefore = market.mark;
  setIndex(market, middlePrice(prices, market.index), reportTime, r.time);
  setMark(market);
  beginWork(step, markBefore);
}

/** The middle one; of an even number the one of two that is nearer to the index, the lower if neither is. */
function middlePrice(prices: readonly bigint[], index: bigint): bigint {
  const sorted = [...prices].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const half = Math.floor(sorted.length / 2);
  const b = sorted[half] ?? 0n;
  if (sorted.length % 2 === 1) return b;
  const a = sorted[half - 1] ?? 0n;
  return a + b < 2n * index ? b : a;
}

export function crank(step: Step): void {
  const { r, leaves } = step;
  if (r.market === 0n) {
    r.settling = 1n;
    r.phase = phase.SHARES;
    return;
  }
  const market = leaves.market(r.market);
  if (auctionDue(market, r.time, r.winding_since)) return beginAuction(step, market);
  if (market.settled !== 0n || market.sampled + SAMPLE_INTERVAL > r.time || market.index === 0n) {
    return refuse(step, "not_due");
  }
  const dead = market.index_time + ORACLE_DEATH < r.time && r.last_gap_end + RETURN_TIME < r.time;
  if ((r.winding_since !== 0n || dead) && !isExpired(market, r.time)) market.expiry = r.time;
  if (isExpired(market, r.time)) {
    const markBefore = market.mark;
    weighIndex(market, r.time);
    const price = market.twap_time === 0n ? market.index : down(market.twap_sum, market.twap_time);
    if (market.mark === price) market.settled = 1n;
    setSettlement(market, price, r.time);
    return beginWork(step, markBefore);
  }
  if (!isFreshAt(market, r.time)) return refuse(step, "stale_price");
  if (isCalling(market, r.time)) {
    r.phase = phase.SAMPLE; // no impact price on either side
    return;
  }
  r.size = max(1n, market.impact);
  measure(step, 0n);
}

/** *To measure a side*. */
function measure({ r }: Step, side: bigint): void {
  r.side = 1n - side;
  r.level_market = r.market;
  r.level_side = side;
  r.tick = 0n;
  r.fok_lots = r.amount = 0n;
  r.phase = phase.DESCEND;
}

/** *When a side is done*: each impact price is rounded away from the middle. */
function sideDone(step: Step): void {
  const { r } = step;
  const thin = r.fok_lots !== r.size;
  if (r.level_side === BUY) {
    r.trigger = thin ? 0n : down(r.amount, r.size);
    return measure(step, 1n);
  }
  r.price = thin ? 0n : up(r.amount, r.size);
  r.phase = phase.SAMPLE;
}

export function descend(step: Step): void {
  const { r, leaves } = step;
  const tick = nextLevel(step, r.level_market, r.level_side, r.tick);
  if (tick === null) return sideDone(step);
  r.tick = tick;
  r.peer = leaves.level(r.level_market, r.level_side, tick).head;
  r.phase = phase.DEPTH;
}

export function depth(step: Step): void {
  const { r, leaves } = step;
  if (outOfSteps(step)) return pause(step, phase.DEPTH);
  r.cursor = r.peer;
  const order = leaves.order(r.cursor);
  r.peer = order.next;
  r.price = order.price;
  const holdings = openHoldings(step, leaves.account(accountOfHandle(r.cursor)));
  settle(holdings);
  const { good, sure } = judgeMaker(step, order, holdings);
  const goingOn = r.peer !== 0n ? phase.DEPTH : phase.DESCEND;
  if (!good) {
    r.next_phase = goingOn;
    r.phase = phase.UNLINK; // pruned, as a taker would prune it
    return;
  }
  r.phase = goingOn;
  if (!sure) return;
  r.fok_lots += r.lots;
  r.amount += r.lots * order.price;
  if (r.fok_lots === r.size) sideDone(step);
}

export function sample(step: Step): void {
  const { r, leaves } = step;
  const market = leaves.market(r.market);
  const markBefore = market.mark;
  setScale(market, leaves.terms());
  takeSample(market, r.trigger, r.price, r.time);
  market.sampled = r.time;
  beginInterval(market, r.time);
  setMark(market);
  r.unwind = r.market;
  beginWork(step, markBefore);
}
