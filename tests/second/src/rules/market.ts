// Index, mark, premium and funding of a market (section 8, "Shared: index, mark and funding").
import {
  BASIS_TIME, FUNDING_HOURS, FUNDING_ONE, HALT_TIME, HOUR, INDEX_INTERVAL, MARK_PART, MAX_FUNDING_TIME, MAX_TICK,
  PPM, PREMIUM_ONE, PREMIUM_SAMPLES, SCALE_ONE, SCALE_STEP, TEN_THOUSANDTHS, TWAP_TIME,
} from "../constants.js";
import type { Account, Market, Position, Terms } from "../state/leaves.js";
import { abs, clamp, down, max, middle, min, trunc, up } from "./numbers.js";

/** `index_flags`: the index is *cut*; it *returns* after that, after one that was old when it was taken, or after long. */
const CUT = 1n;
const RETURNS = 2n;

const isCut = (m: Market): boolean => (m.index_flags & CUT) !== 0n;
export const isReturning = (m: Market): boolean => (m.index_flags & RETURNS) !== 0n;

const isYoungAt = (m: Market, time: bigint): boolean => m.index !== 0n && m.index_time + m.max_age >= time;

export function isFreshAt(m: Market, time: bigint): boolean {
  return m.settled !== 0n || (isYoungAt(m, time) && !isCut(m));
}

export const isExpired = (m: Market, time: bigint): boolean => m.expiry !== 0n && m.expiry <= time;

/** How long a halt lasts: a call, where the market holds calls. */
const haltTime = (m: Market): bigint => (m.call_minutes !== 0n ? 60n * m.call_minutes : HALT_TIME);

export function setMark(m: Market): void {
  const smooth = m.index + trunc(m.premium, PREMIUM_ONE);
  const near = m.index + middle(m.basis0, m.basis1, m.basis2);
  const x = min(max(1n, middle(m.index, smooth, near)), MAX_TICK);
  if (m.mark_anchor === 0n) m.mark_anchor = x;
  const limit = max(1n, down(m.mark_anchor * m.step_band, PPM));
  m.mark = min(max(1n, max(m.mark_anchor - limit, min(m.mark_anchor + limit, x))), MAX_TICK);
}

export function beginInterval(m: Market, time: bigint): void {
  if (m.anchor_time + INDEX_INTERVAL > time) return;
  m.anchor = m.index;
  m.mark_anchor = m.mark;
  m.anchor_time = time;
}

/** Each index counts with the seconds that it held before the expiry. */
export function weighIndex(m: Market, time: bigint): void {
  if (m.expiry !== 0n && m.index !== 0n) {
    const first = max(m.held_since, m.expiry - TWAP_TIME);
    const held = max(0n, min(time, m.expiry) - first);
    m.twap_sum += m.index * held;
    m.twap_time += held;
  }
  m.held_since = time;
}

/** A new index price, through the step band. */
export function setIndex(m: Market, price: bigint, reportTime: bigint, time: bigint): void {
  const isOverdue = m.index_time + m.max_age + HALT_TIME < max(time, reportTime);
  if (m.call_minutes !== 0n && (m.index === 0n || isOverdue)) m.halted_until = time + haltTime(m);
  const wasOld = m.index_time + m.max_age < m.held_since; // already when it was taken
  const returns = m.index !== 0n && (isOverdue || isCut(m) || wasOld);
  m.index_flags = returns ? RETURNS : 0n; // insurance pays for no such change
  weighIndex(m, time);
  beginInterval(m, time);
  if (m.anchor === 0n) m.anchor = price;
  const limit = max(1n, down(m.anchor * m.step_band, PPM));
  let banded = price;
  if (abs(price - m.anchor) > limit) {
    banded = price > m.anchor ? m.anchor + limit : m.anchor - limit;
    m.halted_until = time + haltTime(m);
    m.index_flags += CUT;
  }
  m.index = min(banded, MAX_TICK);
  m.index_time = max(m.index_time, reportTime);
}

/** Index and mark become the settlement price, which is not cut; insurance pays for no way to it. */
export function setSettlement(m: Market, price: bigint, time: bigint): void {
  m.index = m.mark = price;
  m.index_time = m.sampled = time;
  m.index_flags = RETURNS;
}

/** How far initial margins are on their way to full ones: it follows the open interest, 32 parts a sample at most. */
export function setScale(m: Market, terms: Terms): void {
  const start = down(m.max_open_interest * terms.scale_from, TEN_THOUSANDTHS);
  const beyond = max(start, min(m.open_interest, m.max_open_interest)) - start;
  const wanted = down(
    SCALE_ONE * terms.scale_most * beyond, TEN_THOUSANDTHS * max(1n, m.max_open_interest - start),
  );
  m.scale = max(min(wanted, m.scale + SCALE_STEP), max(m.scale, SCALE_STEP) - SCALE_STEP);
}

/** A *sample* of the impact prices, 0 where a side is thin: basis, excess, funding. */
export function takeSample(m: Market, bid: bigint, ask: bigint, time: bigint): void {
  const seconds = time - m.sampled;

  let b = trunc(m.basis0 * max(0n, BASIS_TIME - seconds), BASIS_TIME);
  if (bid !== 0n) b = max(b, bid - m.index);
  if (ask !== 0n) b = min(b, ask - m.index);
  const width = down(m.index * min(m.band, down(m.maintenance_margin, MARK_PART)), PPM);
  b = clamp(-width, b, width);
  m.basis2 = m.basis1;
  m.basis1 = m.basis0;
  m.basis0 = b;
  m.premium += trunc(b * PREMIUM_ONE - m.premium, PREMIUM_SAMPLES);

  const slack = down(m.index * m.taker_fee, PPM);
  const outside = max(0n, bid - m.index - slack) - (ask === 0n ? 0n : max(0n, m.index - slack - ask));
  const e = clamp(-width, outside, width);

  if (m.sampled !== 0n) {
    const cap = down(m.index * m.funding_cap * PREMIUM_ONE, PPM);
    const rate = clamp(-cap, nearerToZero(m.excess, e) * PREMIUM_ONE, cap);
    // ticks · 2^16 times 2^16 is 2^32, FUNDING_ONE; an hour pays an eighth of the premium.
    const scale = FUNDING_ONE / PREMIUM_ONE;
    m.funding += trunc(rate * m.unit * scale * min(seconds, MAX_FUNDING_TIME), FUNDING_HOURS * HOUR);
  }
  m.excess = e;
}

function nearerToZero(a: bigint, b: bigint): bigint {
  if (a > 0n && b > 0n) return min(a, b);
  if (a < 0n && b < 0n) return max(a, b);
  return 0n;
}

/** *Settling funding* of a position: payments round up, receipts down. */
export function settleFunding(account: Account, p: Position, m: Market): void {
  const charge = up(p.size * (m.funding - p.funding), FUNDING_ONE);
  p.funding = m.funding;
  account.collateral -= charge;
  m.pool += charge;
}

// ── Calls (section 8, "Shared: calls and auctions") ──

export const isHalted = (m: Market, time: bigint): boolean => time < m.halted_until;
const collects = (m: Market, time: bigint): boolean => m.call_minutes !== 0n && isHalted(m, time);

/** Whether orders that can open a position may come. */
export const isOpen = (m: Market, time: bigint): boolean =>
  isFreshAt(m, time) || (collects(m, time) && isYoungAt(m, time));

const isCrossed = (m: Market): boolean => m.best_ask !== 0n && m.best_bid >= m.best_ask;
export const isCalling = (m: Market, time: bigint): boolean => collects(m, time) || isCrossed(m);

export function auctionDue(m: Market, time: bigint, windingSince: bigint): boolean {
  return isCrossed(m) && !collects(m, time) && isFreshAt(m, time) && !isExpired(m, time) && windingSince === 0n;
}
