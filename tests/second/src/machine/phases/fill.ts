// FILL (section 8): a maker's order and a taker's trade.
import { LIQUIDATION } from "../../codec/records.js";
import { BACKSTOP, BUY } from "../../constants.js";
import { countFill, leftOf } from "../../rules/activity.js";
import { feesOfFill, liquidationFee } from "../../rules/fees.js";
import { valueOf } from "../../rules/margin.js";
import { positionIn } from "../../rules/positions.js";
import { tradeSide } from "../../rules/trade.js";
import { enrol } from "../../rules/work.js";
import { accountOfHandle, masterOf } from "../../state/keys.js";
import * as phase from "../phases.js";
import type { Step } from "../step.js";

export function fill(step: Step): void {
  const { r, leaves } = step;
  const market = leaves.market(r.market);
  const level = leaves.level(r.market, r.level_side, r.tick);
  const order = leaves.order(r.cursor);
  const makerId = accountOfHandle(r.cursor);
  const maker = leaves.account(makerId);
  const taker = leaves.account(r.account);
  const liquidates = r.kind === LIQUIDATION;
  const backstop = liquidates && r.account !== BACKSTOP ? leaves.account(BACKSTOP) : undefined;
  const terms = leaves.terms();
  const falls = terms.high !== 0n;
  const makers = falls ? leaves.activity(masterOf(makerId)) : undefined;
  const takers = falls && !liquidates ? leaves.activity(masterOf(r.account)) : undefined;

  const n = r.lots;
  const v = valueOf(market, n, r.tick);
  const fees = feesOfFill(market, terms, v, r.kind, {
    taker: takers === undefined ? 0n : leftOf(takers, r.time),
    maker: makers === undefined ? 0n : leftOf(makers, r.time),
  });
  const delta = r.side === BUY ? n : -n;
  const takerOpens = positionIn(taker, r.market)?.size === 0n;
  const makerOpens = positionIn(maker, r.market)?.size === 0n;
  tradeSide(taker, r.market, market, delta, r.tick, fees.taker, r.side);
  tradeSide(maker, r.market, market, -delta, r.tick, fees.maker, r.level_side);
  if (makers !== undefined && takers !== undefined) {
    countFill(makers, market, v, r.time);
    countFill(takers, market, v, r.time);
  }
  order.size -= n;
  level.size -= n;
  r.size -= n;
  if (backstop !== undefined) {
    const fee = liquidationFee(market, r.side, n, r.tick, r.price);
    const half = fee / 2n;
    taker.collateral -= fee;
    backstop.collateral += half;
    market.insurance += fee - half;
  }
  r.next_phase = r.size > 0n ? phase.MATCH : r.return_phase;
  r.phase = order.size > 0n ? r.next_phase : phase.UNLINK;
  if (takerOpens) enrol(step, r.account);
  if (makerOpens) enrol(step, makerId); // the maker, named last, is entered first
}
