// *By type* (section 8, "Fetch", 2.5): registers are loaded from the body's fields, then checked. What was loaded
// before a check that fails stays.
import * as rec from "../codec/records.js";
import {
  ABOVE, AGENT_KINDS, BELOW, FILL_OR_KILL, MAX_AGENT, MAX_AMOUNT, MAX_ORDER_SIZE, MAX_ORDER_SLOT, MAX_TICK,
} from "../constants.js";
import type { Reason } from "../reasons.js";
import { exists, isArmed, selfTradeRule, timeInForce } from "../rules/positions.js";
import { handleOf, masterOf, subOf } from "../state/keys.js";
import type { Registers } from "../state/registers.js";
import type { Step } from "./step.js";

type Check = Reason | null;

export function loadRecord({ r }: Step, type: bigint, body: Uint8Array): Check {
  if (type === rec.REPORT) return loadReport(r, body);
  if (type === rec.CRANK) return loadCrank(r, body);
  if (!exists(r.account, r.accounts)) return "unknown_account";
  switch (type) {
    case rec.ORDER: return loadOrder(r, body);
    case rec.CANCEL: {
      const { order_slot, client, agent } = rec.CANCEL_BODY.read(body, 1);
      return loadSlot(r, agent, order_slot, client);
    }
    case rec.AMEND: {
      const { order_slot, price, size, agent } = rec.AMEND_BODY.read(body, 1);
      r.price = price;
      r.size = size;
      return loadSlot(r, agent, order_slot, 0n) ?? checkQuote(r);
    }
    case rec.CANCEL_ALL:
      return loadSlot(r, rec.CANCEL_ALL_BODY.read(body, 1).agent, 0n, 0n);
    case rec.SCHEDULE_CANCEL: {
      const { deadline, agent } = rec.SCHEDULE_CANCEL_BODY.read(body, 1);
      r.amount = deadline;
      return loadSlot(r, agent, 0n, 0n);
    }
    case rec.BULK:
      return loadSlot(r, rec.BULK_BODY.read(body, 1).agent, 0n, 0n);
    case rec.SET_AGENT: {
      const { agent, kinds } = rec.SET_AGENT_BODY.read(body, 1);
      if (agent < 1n || agent > MAX_AGENT || (kinds & ~AGENT_KINDS) !== 0n) return "malformed_record";
      return subOf(r.account) !== 0n ? "sub_account" : null;
    }
    case rec.TRANSFER: {
      const { peer, amount } = rec.TRANSFER_BODY.read(body, 1);
      r.peer = peer;
      r.amount = amount;
      if (!exists(peer, r.accounts)) return "unknown_account";
      if (subOf(peer) !== 0n && masterOf(peer) !== masterOf(r.account)) return "sub_account";
      if (peer === r.account) return "same_account";
      return checkAmount(r);
    }
    case rec.WITHDRAW:
      r.amount = rec.WITHDRAW_BODY.read(body, 1).amount;
      return subOf(r.account) !== 0n ? "sub_account" : checkAmount(r);
    case rec.BACKSTOP_DEPOSIT:
      r.amount = rec.BACKSTOP_DEPOSIT_BODY.read(body, 1).amount;
      return checkAmount(r);
    case rec.BACKSTOP_WITHDRAW:
      r.amount = rec.BACKSTOP_WITHDRAW_BODY.read(body, 1).shares;
      return checkAmount(r);
    default:
      return "malformed_record";
  }
}

function loadOrder(r: Registers, body: Uint8Array): Check {
  const order = rec.ORDER_BODY.read(body, 1);
  r.market = order.market;
  r.side = order.side;
  r.flags = order.flags;
  r.order_slot = order.order_slot;
  r.price = order.price;
  r.size = order.size;
  r.expiry = order.expiry;
  r.trigger = order.trigger;
  r.client = order.client;
  r.agent = order.agent;
  r.peer = order.partner === 0n ? 0n : handleOf(r.account, order.partner - 1n);
  const armed = isArmed(order.flags);
  const badTrigger = armed ? order.trigger < 1n || order.trigger > MAX_TICK : order.trigger !== 0n;
  const bothSelfTrade = selfTradeRule(order.flags) === 3n;
  const both = (order.flags & (ABOVE | BELOW)) === (ABOVE | BELOW);
  const armedFillOrKill = armed && timeInForce(order.flags) === FILL_OR_KILL; // section 4, "Flags", bits 5–6
  if (
    order.side > 1n || order.flags > 127n || bothSelfTrade || both || badTrigger || armedFillOrKill ||
    order.agent > MAX_AGENT
  ) {
    return "malformed_record";
  }
  if (order.partner !== 0n && (!armed || order.partner === order.order_slot + 1n)) return "malformed_record";
  if (order.market < 1n || order.market > r.markets) return "unknown_market";
  if (order.order_slot > MAX_ORDER_SLOT || order.partner > MAX_ORDER_SLOT + 1n) return "order_slot_out_of_range";
  if (order.expiry !== 0n && order.expiry <= r.time) return "order_expired";
  return checkQuote(r);
}

function loadSlot(r: Registers, agent: bigint, slot: bigint, client: bigint): Check {
  r.agent = agent;
  r.order_slot = slot;
  r.client = client;
  if (agent > MAX_AGENT) return "malformed_record";
  if (slot > MAX_ORDER_SLOT) return "order_slot_out_of_range";
  r.cursor = handleOf(r.account, slot);
  return null;
}

function loadReport(r: Registers, body: Uint8Array): Check {
  const { market, price } = rec.REPORT_BODY.read(body, 1);
  r.market = market;
  r.price = price;
  if (market < 1n || market > r.markets) return "unknown_market";
  return checkPrice(r);
}

function loadCrank(r: Registers, body: Uint8Array): Check {
  r.market = rec.CRANK_BODY.read(body, 1).market;
  return r.market > r.markets ? "unknown_market" : null;
}

const checkPrice = (r: Registers): Check => (r.price < 1n || r.price > MAX_TICK ? "price_out_of_range" : null);

function checkQuote(r: Registers): Check {
  return checkPrice(r) ?? (r.size < 1n || r.size > MAX_ORDER_SIZE ? "size_out_of_range" : null);
}

const checkAmount = (r: Registers): Check => (r.amount < 1n || r.amount >= MAX_AMOUNT ? "amount_out_of_range" : null);
