// UNLINK, UNLIST, SEEK, REST, LIST (section 8): orders enter and leave the levels of the book.
import { CANCEL } from "../../codec/records.js";
import { best, clearBit, setBit } from "../../rules/bits.js";
import { bestOf, highestIsBest, setBest, sideWords } from "../../rules/book.js";
import { isArmed, placeOf, positionIn, release } from "../../rules/positions.js";
import { allowsMarket } from "../../rules/scope.js";
import { accountOfHandle, handleOf, slotOfHandle } from "../../state/keys.js";
import * as phase from "../phases.js";
import { finish, refuse, type Step } from "../step.js";

export function unlink(step: Step): void {
  const { r, leaves } = step;
  const handle = r.cursor;
  const order = leaves.order(handle);
  const isCancel = r.kind === CANCEL;
  if (order.market === 0n || (isCancel && r.client !== 0n && r.client !== order.client)) {
    return refuse(step, "unknown_order");
  }
  if (isCancel && !allowsMarket(r.scope, order.market)) return refuse(step, "out_of_scope");
  const id = accountOfHandle(handle);
  const account = leaves.account(id);
  const { side, tick } = placeOf(order);
  r.level_market = order.market;
  r.level_side = side;
  r.tick = tick;
  const level = leaves.level(order.market, side, tick);
  const before = order.prev === 0n ? undefined : leaves.order(order.prev);
  const after = order.next === 0n ? undefined : leaves.order(order.next);
  const partner = order.partner === 0n ? undefined : leaves.order(handleOf(id, order.partner - 1n));

  account.orders &= ~(1n << slotOfHandle(handle));
  const place = positionIn(account, order.market);
  if (place === undefined) throw new Error("an order without a position");
  place.orders -= 1n;
  release(place, order.side, isArmed(order.flags) ? 0n : order.size);

  level.size -= order.size;
  level.count -= 1n;
  if (before === undefined) level.head = order.next;
  else before.next = order.next;
  if (after === undefined) level.tail = order.prev;
  else after.prev = order.prev;
  if (partner !== undefined) partner.partner = 0n;
  for (const name of Object.keys(order) as (keyof typeof order)[]) order[name] = 0n;
  r.phase = level.count === 0n ? phase.UNLIST : r.next_phase;
}

export function unlist(step: Step): void {
  const { r, leaves } = step;
  const market = leaves.market(r.level_market);
  clearBit(sideWords(step, r.level_market, r.level_side), r.tick);
  r.phase = bestOf(market, r.level_side) === r.tick ? phase.SEEK : r.next_phase;
}

export function seek(step: Step): void {
  const { r, leaves } = step;
  const market = leaves.market(r.level_market);
  const tick = best(sideWords(step, r.level_market, r.level_side), highestIsBest(r.level_side));
  setBest(market, r.level_side, tick ?? 0n);
  r.phase = r.next_phase;
}

export function rest(step: Step): void {
  const { r, leaves } = step;
  const account = leaves.account(r.account);
  const level = leaves.level(r.level_market, r.level_side, r.tick);
  const handle = handleOf(r.account, r.order_slot);
  const order = leaves.order(handle);
  const tail = level.tail === 0n ? undefined : leaves.order(level.tail);
  const partner = r.peer === 0n ? undefined : leaves.order(r.peer);
  Object.assign(order, {
    market: r.market, side: r.side, flags: r.flags, price: r.price, size: r.size, prev: level.tail, next: 0n,
    expiry: r.expiry, client: r.client, sequence: r.sequence, trigger: r.trigger, partner: 0n,
  });
  if (tail === undefined) level.head = handle;
  else tail.next = handle;
  level.tail = handle;
  level.size += r.size;
  level.count += 1n;
  if (partner !== undefined) {
    order.partner = slotOfHandle(r.peer) + 1n;
    partner.partner = r.order_slot + 1n;
  }
  account.orders |= 1n << r.order_slot;
  const place = positionIn(account, r.market);
  if (place === undefined) throw new Error("an order without a position");
  place.orders += 1n;
  if (tail === undefined) r.phase = phase.LIST;
  else finish(step);
}

export function list(step: Step): void {
  const { r, leaves } = step;
  const market = leaves.market(r.level_market);
  setBit(sideWords(step, r.level_market, r.level_side), r.tick);
  const now = bestOf(market, r.level_side);
  const better = highestIsBest(r.level_side) ? r.tick > now : r.tick < now;
  if (now === 0n || better) setBest(market, r.level_side, r.tick);
  finish(step);
}
