// LEG: one leg of a leg page (section 8).
import { LEG_BITS, type Leg, legFromBits } from "../../codec/legs.js";
import { CANCEL, LEG_PAGE, ORDER } from "../../codec/records.js";
import { BUY, FILL_OR_KILL, MAX_ORDER_SIZE, SELL } from "../../constants.js";
import { selfTradeRule, timeInForce } from "../../rules/positions.js";
import { maySend } from "../../rules/scope.js";
import { handleOf } from "../../state/keys.js";
import { clearFromKind, type Registers } from "../../state/registers.js";
import * as phase from "../phases.js";
import { outOfSteps, pause, type Step } from "../step.js";

const IS_SELL = 32n;
const IS_CANCEL = 64n;
const ORDER_FLAGS = 31n;

export function leg(step: Step): void {
  const { r } = step;
  if (outOfSteps(step)) return pause(step, phase.LEG);
  if (r.legs0 === 0n) {
    r.legs0 = r.legs1;
    r.legs1 = r.legs2;
    r.legs2 = r.legs3;
    r.legs3 = 0n;
  }
  const word = r.legs0;
  r.legs0 = (word & ((1n << LEG_BITS) - 1n)) << LEG_BITS;
  clearFromKind(r);
  r.kind = LEG_PAGE;
  r.account = r.bulk_account;
  r.scope = r.bulk_scope;
  if (word === 0n && r.legs1 === 0n && r.legs2 === 0n && r.legs3 === 0n) {
    r.phase = phase.IDLE;
    return;
  }
  r.return_phase = phase.LEG;
  r.phase = phase.LEG;
  const leg = legFromBits(word >> LEG_BITS);
  if (!isSound(r, leg)) return;
  r.market = leg.market;
  r.order_slot = leg.order_slot;
  if ((leg.flags & IS_CANCEL) !== 0n) {
    r.kind = CANCEL;
    r.cursor = handleOf(r.account, leg.order_slot);
    r.next_phase = phase.LEG;
    r.phase = phase.UNLINK;
    return;
  }
  r.kind = ORDER;
  r.side = (leg.flags & IS_SELL) !== 0n ? SELL : BUY;
  r.flags = leg.flags & ORDER_FLAGS;
  r.price = leg.price;
  r.size = leg.size;
  r.phase = phase.ADMIT;
}

function isSound(r: Registers, leg: Leg): boolean {
  if (leg.market < 1n || leg.market > r.markets || leg.flags >= 128n) return false;
  if (r.bulk_until !== 0n && r.bulk_until <= r.time) return false;
  if ((leg.flags & IS_CANCEL) !== 0n) return true;
  if (r.winding_since !== 0n) return false;
  if (selfTradeRule(leg.flags) === 3n || timeInForce(leg.flags) === FILL_OR_KILL) return false;
  if (leg.price === 0n || leg.size < 1n || leg.size > MAX_ORDER_SIZE) return false;
  return maySend(r.scope, leg.market, leg.flags & ORDER_FLAGS, leg.size);
}
