// APPROACH, TALLY, PAIR, VOUCH, CROSS (section 8): one price for a book that crosses.
import { BUY, MAX_TICK } from "../../constants.js";
import { auctionDue } from "../../rules/market.js";
import { clearingPrice, endAuction, offered, pauseAuction } from "../../rules/auction.js";
import { makerRate } from "../../rules/fees.js";
import { nextLevel } from "../../rules/levels.js";
import { feeOf, isLegal, isSure, openHoldings, settle, valueOf } from "../../rules/margin.js";
import { middle, min } from "../../rules/numbers.js";
import { isReduceOnly, positionIn, release } from "../../rules/positions.js";
import { tradeSide } from "../../rules/trade.js";
import { enrol } from "../../rules/work.js";
import { accountOfHandle, masterOf } from "../../state/keys.js";
import * as phase from "../phases.js";
import { outOfSteps, type Step } from "../step.js";

export function approach(step: Step): void {
  const { r, leaves } = step;
  const isBid = r.level_side === BUY;
  const tick = nextLevel(step, r.market, r.level_side, isBid ? r.bid_tick : r.ask_tick);
  if (tick !== null) {
    const head = leaves.level(r.market, r.level_side, tick).head;
    if (isBid) {
      r.bid_tick = tick;
      r.bid = head;
    } else {
      r.ask_tick = tick;
      r.ask = head;
    }
    r.phase = phase.TALLY;
    return;
  }
  if (!isBid) {
    r.ask_tick = MAX_TICK + 1n;
    r.phase = phase.PAIR;
    return;
  }
  r.bid_tick = 0n;
  if (r.surplus !== 0n) {
    r.phase = phase.PAIR;
    return;
  }
  r.level_side = 1n;
  r.phase = r.ask !== 0n ? phase.TALLY : phase.APPROACH;
}

export function tally(step: Step): void {
  const { r, leaves } = step;
  if (outOfSteps(step)) return pauseAuction(step, phase.TALLY);
  const isBid = r.level_side === BUY;
  r.cursor = isBid ? r.bid : r.ask;
  const order = leaves.order(r.cursor);
  if (isBid) r.bid = order.next;
  else r.ask = order.next;
  const holdings = openHoldings(step, leaves.account(accountOfHandle(r.cursor)));
  settle(holdings);
  const market = holdings.markets.get(r.market);
  if (market === undefined) throw new Error("an order without a position");
  const goOn = (): bigint => ((r.level_side === BUY ? r.bid : r.ask) !== 0n ? phase.TALLY : phase.APPROACH);

  const n = offered(order, holdings.account, r.time);
  const rate = makerRate(market);
  const delta = isBid ? n : -n;
  if (n === 0n || !isLegal(holdings, r.market, delta, order.price, rate)) {
    r.next_phase = goOn();
    r.phase = phase.UNLINK; // pruned
    return;
  }
  const reduceOnly = isReduceOnly(order.flags);
  if (!isSure(holdings, r.market, order.side, reduceOnly, market.best_bid, rate, r.winding_since)) {
    r.phase = goOn();
    return;
  }
  if (!(isBid && r.surplus === 0n)) {
    if (r.bid_tick < r.ask_tick) {
      r.phase = phase.PAIR; // the sides are apart
      return;
    }
    r.clearing = r.ask_tick;
    r.ceiling = r.bid_tick;
  }
  if (n > r.surplus) {
    r.surplus = n - r.surplus;
    r.level_side = 1n - r.level_side;
  } else {
    r.surplus -= n;
    if (r.surplus === 0n) r.level_side = 0n;
  }
  r.phase = goOn();
}

export function pair(step: Step): void {
  const { r, leaves } = step;
  if (r.peer !== 0n) {
    r.cursor = r.peer;
    r.peer = 0n;
    r.next_phase = phase.PAIR;
    r.phase = phase.UNLINK;
    return;
  }
  if (outOfSteps(step)) return pauseAuction(step, phase.PAIR);
  const market = leaves.market(r.market);
  if (r.ceiling !== 0n) {
    r.clearing = clearingPrice(market.index, r.clearing, r.ceiling, r.bid_tick, r.ask_tick);
    r.ceiling = r.surplus = 0n;
  }
  if (!auctionDue(market, r.time, r.winding_since)) return endAuction(step);
  const bidLevel = leaves.level(r.market, 0n, market.best_bid);
  const askLevel = leaves.level(r.market, 1n, market.best_ask);
  const bid = leaves.order(bidLevel.head);
  const ask = leaves.order(askLevel.head);
  if (r.clearing < market.best_ask || r.clearing > market.best_bid) {
    r.clearing = middle(market.index, market.best_ask, market.best_bid);
  }
  r.bid_tick = market.best_bid;
  r.ask_tick = market.best_ask;
  r.bid = bidLevel.head;
  r.ask = askLevel.head;
  r.lots = min(bid.size, ask.size);
  r.matches = 0n;
  r.level_side = bid.sequence > ask.sequence ? 0n : 1n; // the younger first
  r.phase = phase.VOUCH;
}

export function vouch(step: Step): void {
  const { r, leaves } = step;
  const isBid = r.level_side === BUY;
  r.cursor = isBid ? r.bid : r.ask;
  const order = leaves.order(r.cursor);
  const holdings = openHoldings(step, leaves.account(accountOfHandle(r.cursor)));
  settle(holdings);
  const market = holdings.markets.get(r.market);
  const place = positionIn(holdings.account, r.market);
  if (market === undefined || place === undefined) throw new Error("an order without a position");
  const n = min(r.lots, offered(order, holdings.account, r.time));
  const delta = isBid ? n : -n;
  const after = isBid ? place.size + n : n - place.size;
  const overCap = r.matches === 0n && after > 0n && market.open_interest + n > market.max_open_interest;
  if (n === 0n || !isLegal(holdings, r.market, delta, r.clearing, makerRate(market)) || overCap) {
    r.next_phase = phase.PAIR;
    r.phase = phase.UNLINK; // pruned
    return;
  }
  if (n < r.lots) {
    r.lots = n;
    r.matches = 0n;
  }
  r.matches += 1n;
  r.level_side = 1n - r.level_side;
  r.phase = r.matches === 2n ? phase.CROSS : phase.VOUCH;
}

export function cross(step: Step): void {
  const { r, leaves } = step;
  const market = leaves.market(r.market);
  const bidLevel = leaves.level(r.market, 0n, r.bid_tick);
  const askLevel = leaves.level(r.market, 1n, r.ask_tick);
  const bid = leaves.order(r.bid);
  const ask = leaves.order(r.ask);
  const bidId = accountOfHandle(r.bid);
  const askId = accountOfHandle(r.ask);
  const bidder = leaves.account(bidId);
  const asker = leaves.account(askId);
  const bidPlace = positionIn(bidder, r.market);
  const askPlace = positionIn(asker, r.market);
  if (bidPlace === undefined || askPlace === undefined) throw new Error("an order without a position");

  const trades = masterOf(bidId) !== masterOf(askId);
  const n = trades ? r.lots : min(bid.size, ask.size);
  const bidOpens = trades && bidPlace.size === 0n;
  const askOpens = trades && askPlace.size === 0n;
  if (trades) {
    const fee = feeOf(valueOf(market, n, r.clearing), makerRate(market));
    tradeSide(bidder, r.market, market, n, r.clearing, fee, 0n);
    tradeSide(asker, r.market, market, -n, r.clearing, fee, 1n);
  } else {
    release(bidPlace, 0n, n);
    release(askPlace, 1n, n);
  }
  bid.size -= n;
  ask.size -= n;
  bidLevel.size -= n;
  askLevel.size -= n;
  r.next_phase = phase.PAIR;
  r.phase = bid.size > 0n && ask.size > 0n ? phase.PAIR : phase.UNLINK;
  r.cursor = bid.size > 0n ? r.ask : r.bid;
  r.peer = bid.size === 0n && ask.size === 0n ? r.ask : 0n;
  if (bidOpens) enrol(step, bidId);
  if (askOpens) enrol(step, askId);
}
