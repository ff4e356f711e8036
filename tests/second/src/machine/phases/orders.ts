// ADMIT, AMEND, CLEAR, DROP (section 8).
import { CANCEL_ALL, ORDER } from "../../codec/records.js";
import { ABOVE, BUY, PPM, SIDE_ABOVE, SIDE_BELOW } from "../../constants.js";
import type { Reason } from "../../reasons.js";
import { auctionDue, isCalling, isExpired, isHalted, isOpen } from "../../rules/market.js";
import { abs, down, max, min } from "../../rules/numbers.js";
import { beginAuction } from "../../rules/auction.js";
import {
  armedSide, canRest, closable, isArmed, isLive, isReduceOnly, pastDeadline, placeFor, placeOf, positionIn, release,
  reserve, unlinkFirst,
} from "../../rules/positions.js";
import { maySend } from "../../rules/scope.js";
import { accountOfHandle, handleOf, slotOfHandle } from "../../state/keys.js";
import type { Account, Market, Order, Position } from "../../state/leaves.js";
import * as phase from "../phases.js";
import { finish, refuse, type Step } from "../step.js";

export function admit(step: Step): void {
  const { r, leaves } = step;
  const account = leaves.account(r.account);
  const market = leaves.market(r.market);
  const handle = handleOf(r.account, r.order_slot);
  const slot = leaves.order(handle);
  if (pastDeadline(account, r.time)) {
    if (account.orders !== 0n) return unlinkFirst(step, r.account, account, phase.ADMIT);
    account.deadline = 0n;
  }
  if (slot.market !== 0n && !isLive(slot, account, r.time)) {
    r.cursor = handle;
    r.next_phase = phase.ADMIT;
    r.phase = phase.UNLINK;
    return;
  }
  if (isArmed(r.flags)) admitArmed(step, account, market, slot);
  else admitNow(step, account, market, slot);
}

function admitArmed(step: Step, account: Account, market: Market, slot: Order): void {
  const { r } = step;
  const place = placeFor(account, r.market);
  const above = (r.flags & ABOVE) !== 0n;
  if (market.mark === 0n) return refuse(step, "no_price");
  if (isExpired(market, r.time)) return refuse(step, "market_expired");
  if (slot.market !== 0n) return refuse(step, "order_slot_taken");
  if (place === undefined) return refuse(step, "too_many_positions");
  if (above ? market.mark >= r.trigger : market.mark <= r.trigger) return refuse(step, "would_trigger");
  if (r.peer !== 0n && !canBePartner(step)) return refuse(step, "unknown_order");
  place.market = r.market;
  r.level_market = r.market;
  r.level_side = above ? SIDE_ABOVE : SIDE_BELOW;
  r.tick = r.trigger;
  r.phase = phase.MARGIN;
}

function canBePartner({ r, leaves }: Step): boolean {
  const partner = leaves.order(r.peer);
  if (partner.market !== r.market || !isArmed(partner.flags) || partner.partner !== 0n) return false;
  return armedSide(partner.flags) !== armedSide(r.flags);
}

function admitNow(step: Step, account: Account, market: Market, slot: Order): void {
  const { r } = step;
  if (auctionDue(market, r.time, r.winding_since)) return beginAuction(step, market);
  const reason = limitToBand(step, market) ?? checkEntry(step, account, market, slot);
  if (reason !== null) return refuse(step, reason);
  const place = placeFor(account, r.market);
  if (place === undefined) return refuse(step, "too_many_positions");
  if (isReduceOnly(r.flags)) r.size = min(r.size, closable(place, r.side));
  place.market = r.market;
  reserve(place, r.side, r.size);
  r.phase = phase.MARGIN;
}

/** The limit of what cannot rest, before anything else; then 1 to 3: price, expiry, band. */
function limitToBand({ r }: Step, market: Market): Reason | null {
  const fill = min(market.band, market.maintenance_margin);
  const width = down(fill * market.mark, PPM);
  const rests = canRest(r.flags);
  const hasFired = r.return_phase === phase.WORK;
  if (!rests || hasFired) {
    r.price = r.side === BUY ? min(r.price, market.mark + width) : max(r.price, market.mark - width);
  }
  if (market.mark === 0n) return "no_price";
  if (isExpired(market, r.time)) return "market_expired";
  if (!hasFired) {
    const pays = r.side === BUY ? r.price > market.mark : r.price < market.mark;
    if (abs(r.price - market.mark) * PPM > (pays ? fill : market.band) * market.mark) return "price_band";
  }
  return isCalling(market, r.time) && !rests ? "halted" : null;
}

/** 4 to 7. */
function checkEntry({ r }: Step, account: Account, market: Market, slot: Order): Reason | null {
  if (slot.market !== 0n) return "order_slot_taken";
  const place: Position | undefined = placeFor(account, r.market);
  if (place === undefined) return "too_many_positions";
  if (isReduceOnly(r.flags)) return closable(place, r.side) === 0n ? "not_reducing" : null;
  const reach = r.side === BUY ? place.size + place.bids + r.size : place.asks + r.size - place.size;
  if (reach <= 0n) return null;
  if (isHalted(market, r.time) && market.call_minutes === 0n) return "halted";
  if (!isOpen(market, r.time)) return "stale_price";
  if (reach > market.max_position) return "position_limit";
  if (market.open_interest + r.size > market.max_open_interest) return "open_interest_cap";
  return null;
}

export function amend(step: Step): void {
  const { r, leaves } = step;
  const account = leaves.account(r.account);
  const order = leaves.order(r.cursor);
  if (order.market === 0n || !isLive(order, account, r.time)) return refuse(step, "unknown_order");
  if (!maySend(r.scope, order.market, order.flags, r.size)) return refuse(step, "out_of_scope");
  if (r.price === order.price && r.size <= order.size) {
    const { side, tick } = placeOf(order);
    const less = order.size - r.size;
    order.size = r.size;
    leaves.level(order.market, side, tick).size -= less;
    const place = positionIn(account, order.market);
    if (!isArmed(order.flags) && place !== undefined) release(place, order.side, less);
    return finish(step);
  }
  r.market = order.market;
  r.side = order.side;
  r.flags = order.flags;
  r.expiry = order.expiry;
  r.trigger = order.trigger;
  r.client = order.client;
  r.peer = order.partner === 0n ? 0n : handleOf(r.account, order.partner - 1n);
  r.next_phase = phase.ADMIT;
  r.phase = phase.UNLINK;
}

export function clear(step: Step): void {
  const { r, leaves } = step;
  const account = leaves.account(r.account);
  if (account.orders !== 0n && (r.kind === CANCEL_ALL || pastDeadline(account, r.time))) {
    return unlinkFirst(step, r.account, account, phase.CLEAR);
  }
  if (r.kind !== CANCEL_ALL) account.deadline = r.amount;
  finish(step);
}

export function dropRest(step: Step): void {
  const { r, leaves } = step;
  const place = positionIn(leaves.account(r.account), r.market);
  if (place !== undefined) release(place, r.side, r.size);
  finish(step);
}

export function fire(step: Step): void {
  const { r, leaves } = step;
  const order = leaves.order(r.cursor);
  const id = accountOfHandle(r.cursor);
  const account = leaves.account(id);
  r.phase = phase.UNLINK;
  if (!isLive(order, account, r.time)) {
    r.next_phase = phase.WORK;
    return;
  }
  if (order.partner !== 0n) {
    r.cursor = handleOf(id, order.partner - 1n);
    r.next_phase = phase.TRIGGER;
    return;
  }
  r.kind = ORDER;
  r.account = id;
  r.order_slot = slotOfHandle(r.cursor);
  r.market = order.market;
  r.side = order.side;
  r.flags = order.flags & 31n;
  r.price = order.price;
  r.size = order.size;
  r.expiry = order.expiry;
  r.client = order.client;
  r.trigger = 0n;
  r.next_phase = phase.ADMIT;
}
