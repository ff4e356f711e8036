// SWEEP, LIQUIDATED, RANK, DELEVERAGE (section 8).
import {
  BUY, LIQUIDATION_PART, LIQUIDATION_PAUSE, LIQUIDATION_SLICES, LIQUIDATION_WINDOW, MAX_SCORE,
  MAX_TICK, RANK_ACCOUNTS, SCORE_ONE, SELL,
} from "../../constants.js";
import { noteDraw } from "../../rules/exits.js";
import { isCalling, isFreshAt, isReturning } from "../../rules/market.js";
import {
  closeOutMargin, equityOf, type Holdings, maintenanceMargin, openHoldings, positions, settle, valueOf,
} from "../../rules/margin.js";
import { abs, clamp, down, max, min, up } from "../../rules/numbers.js";
import { freeIfEmpty, positionIn, reserve, unlinkFirst } from "../../rules/positions.js";
import { tradeAcross } from "../../rules/trade.js";
import { beginToRank, ownOrder, passRanked, passVisited, toBeRanked, toBeVisited } from "../../rules/work.js";
import type { Market, Position } from "../../state/leaves.js";
import { clearFromKind, RANKING } from "../../state/registers.js";
import * as phase from "../phases.js";
import { outOfSteps, type Step } from "../step.js";

interface Health {
  readonly equity: bigint;
  readonly total: bigint;
  readonly closing: bigint;
}

export function sweep(step: Step): void {
  const { r, leaves } = step;
  const id = toBeVisited(step);
  const holdings = openHoldings(step, leaves.account(id));
  const { account } = holdings;
  settle(holdings);
  closeSettled(holdings);
  const health = healthOf(holdings);
  const { equity, total, closing } = health;
  const inDanger = r.winding_since !== 0n ? equity < 0n : equity < total;
  const target = inDanger && r.skip_account === 0n ? findTarget(step, holdings, equity) : undefined;
  r.skip_account = 0n;
  const gentle = 2n * equity > total + closing;
  if (target === undefined || (gentle && r.time < account.paused_until)) return goOn(step, holdings);
  if (account.orders !== 0n) {
    clearFromKind(r);
    r.return_phase = phase.WORK;
    return unlinkFirst(step, id, account, phase.WORK);
  }
  const [place, market] = target;
  if (equity > closing && isCalling(market, r.time)) return goOn(step, holdings);
  liquidate(step, id, holdings, place, market, health, gentle);
}

/** In a settled market what is held is paid out at the settlement price. */
function closeSettled(holdings: Holdings): void {
  for (const [p, market] of positions(holdings)) {
    if (market.settled === 0n) continue;
    holdings.account.collateral += valueOf(market, p.size, market.mark);
    market.open_interest -= max(p.size, 0n);
    p.size = p.cost = 0n;
    freeIfEmpty(p);
  }
}

function healthOf(holdings: Holdings): Health {
  let total = 0n;
  let closing = 0n;
  for (const [p, market] of positions(holdings)) {
    total += maintenanceMargin(market, abs(p.size));
    closing += closeOutMargin(market, abs(p.size));
  }
  return { equity: equityOf(holdings), total, closing };
}

function findTarget({ r }: Step, holdings: Holdings, equity: bigint): [Position, Market] | undefined {
  let target: [Position, Market] | undefined;
  let highest = 0n;
  for (const [p, market] of positions(holdings)) {
    if (p.size === 0n) continue;
    const changed = p.market === r.trigger_market;
    const gained = p.size > 0n ? market.mark > r.mark_before : market.mark < r.mark_before;
    if (changed && gained) continue;
    if (changed && equity < 0n) return [p, market]; // however old its price, and cut or not
    const maintenance = maintenanceMargin(market, abs(p.size));
    if (!isFreshAt(market, r.sweep_time) || maintenance <= highest) continue;
    target = [p, market];
    highest = maintenance;
  }
  return target;
}

function goOn(step: Step, { account }: Holdings): void {
  const { r } = step;
  const place = positionIn(account, r.trigger_market);
  if (place === undefined || place.size === 0n) {
    r.phase = phase.STRIKE;
    return;
  }
  passVisited(step);
  r.phase = phase.WORK;
}

function liquidate(
  step: Step, id: bigint, holdings: Holdings, place: Position, market: Market, health: Health, gentle: boolean,
): void {
  const { r } = step;
  const { account } = holdings;
  let { equity } = health;
  const { total, closing } = health;
  const long = place.size > 0n;
  const side = long ? SELL : BUY;
  const marketId = place.market;
  const lots = abs(place.size);

  const loss = marketId === r.trigger_market ? max(0n, valueOf(market, place.size, r.mark_before - market.mark)) : 0n;
  if (equity < 0n) {
    const isInsured = !isReturning(market) && equity + loss >= total; // it was healthy before the change
    const drawn = isInsured ? min(-equity, market.insurance) : 0n;
    noteDraw(r, drawn);
    market.insurance -= drawn;
    account.collateral += drawn;
    equity += drawn;
  }

  let share: bigint;
  if (equity < 0n) {
    share = max(equity, -loss); // a debt comes with a change of a mark; the other side has gained as much
  } else {
    const needed = maintenanceMargin(market, lots);
    const given = down(total, LIQUIDATION_PART) + max(0n, down(total + closing, 2n) - equity);
    share = min(
      down(equity * needed, total),
      down(given * needed, total) + max(0n, valueOf(market, place.size, market.mark - market.index)),
    );
  }
  const room = down(share, lots * market.unit);
  const price = clamp(1n, long ? market.mark - room : market.mark + room, MAX_TICK);
  const order = { account: id, market: marketId, side, price };

  if (equity <= closing) {
    ownOrder(step, { ...order, size: lots, returnPhase: phase.WORK });
    r.phase = phase.TAKEOVER; // the book is not asked
    return;
  }
  const slice = up(lots, LIQUIDATION_SLICES);
  reserve(place, side, slice);
  const first = gentle && r.time >= account.paused_until + LIQUIDATION_WINDOW;
  if (first) account.paused_until = r.time + LIQUIDATION_PAUSE;
  ownOrder(step, { ...order, size: slice, returnPhase: first ? phase.WORK : phase.LIQUIDATED });
}

export function liquidated(step: Step): void {
  const { r } = step;
  r.return_phase = phase.WORK;
  r.phase = r.size < r.amount || outOfSteps(step) ? phase.WORK : phase.TAKEOVER;
}

export function rank(step: Step): void {
  const { r, leaves } = step;
  const id = toBeRanked(step);
  const holdings = openHoldings(step, leaves.account(id));
  settle(holdings);
  const score = scoreOf(step, holdings);
  if (score !== 0n) {
    const entry = score * RANK_ACCOUNTS + RANK_ACCOUNTS - 1n - id;
    const entries = [...RANKING.map((name) => r[name]), entry].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0));
    RANKING.forEach((name, i) => {
      r[name] = entries[i] ?? 0n;
    });
  }
  passRanked(step);
  r.phase = phase.WORK;
}

/** Profit ratio times leverage, as in the published rankings. */
function scoreOf({ r }: Step, holdings: Holdings): bigint {
  const place = positionIn(holdings.account, r.market);
  const market = holdings.markets.get(r.market);
  if (place === undefined || market === undefined) return 0n;
  const opposite = r.side === SELL ? place.size < 0n : place.size > 0n;
  if (!opposite) return 0n;
  const v = valueOf(market, place.size, market.mark);
  const profit = v - place.cost;
  const c = max(1n, abs(place.cost));
  if (profit <= 0n) return SCORE_ONE - min(down(-profit * SCORE_ONE, c), SCORE_ONE - 1n);
  const ratio = min(down(profit * SCORE_ONE, c), MAX_SCORE);
  const leverage = min(down(abs(v) * SCORE_ONE, max(1n, equityOf(holdings))), MAX_SCORE);
  return SCORE_ONE + ratio * leverage;
}

export function deleverage(step: Step): void {
  const { r, leaves } = step;
  const otherId = RANK_ACCOUNTS - 1n - (r.ranked0 % RANK_ACCOUNTS);
  let lots = 0n;
  let n = 0n;
  if (otherId !== r.account) {
    const account = leaves.account(r.account);
    const holdings = openHoldings(step, leaves.account(otherId));
    settle(holdings);
    const size = positionIn(holdings.account, r.market)?.size ?? 0n;
    lots = max(0n, r.side === SELL ? -size : size);
    n = min(r.size, lots);
    const market = holdings.markets.get(r.market);
    if (n > 0n && market !== undefined) {
      const price = bearablePrice(step, market, n, equityOf(holdings));
      tradeAcross(account, holdings.account, r.market, market, r.side, n, price);
      const better = r.side === SELL ? price - r.price : r.price - price;
      if (better > 0n) {
        const levy = valueOf(market, n, better);
        account.collateral -= levy;
        market.insurance += levy;
      }
      noteDraw(r, valueOf(market, n, market.mark));
    }
  }
  if (n === lots) {
    RANKING.forEach((name, i) => {
      const behind = RANKING[i + 1];
      r[name] = behind === undefined ? 0n : r[behind];
    });
  }
  r.size -= n;
  if (r.size === 0n) r.deleveraging = 0n;
  else if (r.ranked0 === 0n) beginToRank(step);
  r.phase = phase.WORK;
}

/** The price that the other *can bear*: the mark, or for a debt more, and no more than it has. */
function bearablePrice({ r }: Step, market: Market, n: bigint, equity: bigint): bigint {
  const selling = r.side === SELL;
  const x = selling ? max(r.price, market.mark) : min(r.price, market.mark);
  if (equity < 0n) return x;
  const room = down(equity, n * market.unit);
  return selling ? min(x, market.mark + room) : max(x, market.mark - room);
}
