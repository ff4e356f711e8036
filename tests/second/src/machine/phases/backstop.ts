// TAKEOVER, UNWIND (section 8): what the backstop takes over, and how it gets rid of it.
import {
  BACKSTOP, BACKSTOP_DUST, BUY, LIQUIDATION_PART, MAX_TICK, PPM, SELL, TAKEOVER_BITS, UNWIND_SLICES,
  UNWIND_STEP, UNWIND_WAITS,
} from "../../constants.js";
import { noteDraw } from "../../rules/exits.js";
import { isCalling, isFreshAt, settleFunding } from "../../rules/market.js";
import { equityOf, type Holdings, isLegal, openHoldings, settle, valueOf } from "../../rules/margin.js";
import { abs, clamp, down, max, min, up } from "../../rules/numbers.js";
import { freeIfEmpty, placeFor, positionIn, reserve } from "../../rules/positions.js";
import { shareFees } from "../../rules/revenue.js";
import { tradeAcross } from "../../rules/trade.js";
import { deleverage, enrol, ownOrder } from "../../rules/work.js";
import type { Market, Position } from "../../state/leaves.js";
import * as phase from "../phases.js";
import { outOfSteps, type Step } from "../step.js";

export function takeover(step: Step): void {
  const { r, leaves } = step;
  const account = leaves.account(r.account);
  if (r.account === BACKSTOP) return deleverage(step);
  const backstop = leaves.account(BACKSTOP);
  const place = placeFor(backstop, r.market);
  if (place === undefined) return deleverage(step);
  place.market = r.market;
  const holdings = openHoldings(step, backstop);
  settle(holdings);
  const market = holdings.markets.get(r.market);
  if (market === undefined) throw new Error("the place's market was just read");
  const opens = place.size === 0n;
  const n = lotsToTake(step, holdings, place, market);
  if (n > 0n) {
    tradeAcross(account, backstop, r.market, market, r.side, n, r.price);
    noteDraw(r, valueOf(market, n, market.mark));
    r.size -= n;
  } else {
    freeIfEmpty(place);
  }
  if (r.size === 0n) r.phase = phase.WORK;
  else deleverage(step);
  if (n > 0n && opens) enrol(step, BACKSTOP);
}

function lotsToTake({ r }: Step, holdings: Holdings, place: Position, market: Market): bigint {
  const direction = r.side === SELL ? 1n : -1n; // the account's counterpart buys where it sells
  const equity = equityOf(holdings);
  let limit = r.size;
  if (market.backstop_cap !== 0n) {
    const held = direction * place.size;
    const cap = down(max(0n, equity) * market.backstop_cap, PPM * market.mark * market.unit);
    limit = min(r.size, max(0n, cap - held));
  }
  const legal = (n: bigint): boolean => isLegal(holdings, r.market, direction * n, r.price, 0n);
  let n = limit;
  if (!legal(limit)) {
    n = 0n;
    for (let b = TAKEOVER_BITS - 1n; b >= 0n; b--) {
      const more = n + (1n << b);
      if (more < limit && legal(more)) n = more;
    }
  }
  // What opens a place must be worth it; a debt is not the backstop's, nor is what has no fresh price.
  if (place.size === 0n && valueOf(market, n, market.mark) * BACKSTOP_DUST < equity) return 0n;
  if (direction * (r.price - market.mark) > 0n || !isFreshAt(market, r.sweep_time)) return 0n;
  return n;
}

export function unwind(step: Step): void {
  if (step.r.unwind !== 0n) offer(step);
  else afterOffer(step);
}

function offer(step: Step): void {
  const { r, leaves } = step;
  const id = r.unwind;
  const backstop = leaves.account(BACKSTOP);
  const market = leaves.market(id);
  shareFees(step, backstop, market);
  r.unwind = 0n;
  const place = positionIn(backstop, id);
  if (
    place === undefined || place.size === 0n || r.winding_since !== 0n || isCalling(market, r.time) ||
    !isFreshAt(market, r.time)
  ) {
    r.phase = phase.WORK;
    return;
  }
  settleFunding(backstop, place, market);
  const long = place.size > 0n;
  const side = long ? SELL : BUY;
  const size = up(abs(place.size), UNWIND_SLICES);
  reserve(place, side, size);
  const ppm = min(place.waited * UNWIND_STEP, down(market.maintenance_margin, LIQUIDATION_PART));
  const width = up(market.mark * ppm, PPM);
  const price = clamp(1n, long ? market.mark - width : market.mark + width, MAX_TICK);
  ownOrder(step, { account: BACKSTOP, market: id, side, price, size, returnPhase: phase.UNWIND });
}

function afterOffer(step: Step): void {
  const { r, leaves } = step;
  const place = positionIn(leaves.account(BACKSTOP), r.market);
  r.return_phase = phase.WORK;
  r.phase = phase.WORK;
  if (place === undefined || place.size === 0n) return;
  if (r.size < r.amount) place.waited = down(place.waited, 2n);
  else if (!outOfSteps(step)) place.waited = min(place.waited + 1n, UNWIND_WAITS);
}
