// Messages of the queue (section 8, *Messages*).
import { readUint } from "../codec/bytes.js";
import { type Fields } from "../codec/layout.js";
import * as msg from "../codec/messages.js";
import {
  MAX_ACCOUNT, MAX_ACTIVITY, MAX_AMOUNT, MAX_FEE, MAX_MARKET, MAX_POSITION, MAX_SIGNERS, MAX_UNIT, PPM,
  TEN_THOUSANDTHS, WASH_FACTOR,
} from "../constants.js";
import type { Reason } from "../reasons.js";
import { max } from "../rules/numbers.js";
import type { Market, Terms } from "../state/leaves.js";
import type { Step } from "./step.js";

type Parameters = Fields<typeof msg.MARKET_BODY.fields>;

export function applyMessage(step: Step, message: Uint8Array): Reason {
  switch (readUint(message, 0, 1)) {
    case msg.DEPOSIT: return deposit(step, message);
    case msg.LIST_MARKET: return listMarket(step, message);
    case msg.SET_MARKET: return setMarket(step, message);
    case msg.SET_SIGNER: return setSigner(step, message);
    case msg.SET_TERMS: return setTerms(step, message);
    case msg.WIND_DOWN: return windDown(step);
    default: return "malformed_record";
  }
}

function deposit({ r, leaves }: Step, message: Uint8Array): Reason {
  const { account: id, owner, amount } = msg.DEPOSIT_BODY.read(message, 1);
  if (id < 1n || id > MAX_ACCOUNT) return "unknown_account";
  if (amount < 1n || amount >= MAX_AMOUNT) return "amount_out_of_range";
  const account = leaves.account(id);
  if (account.owner === 0n) account.owner = owner;
  account.collateral += amount;
  r.owed += amount;
  r.accounts = max(r.accounts, id);
  return "accepted";
}

function areSound(p: Parameters): boolean {
  const marginsAreSound = (maintenance: bigint, initial: bigint): boolean =>
    1n <= maintenance && maintenance <= initial && initial <= PPM;
  if (p.unit < 1n || p.unit >= MAX_UNIT) return false;
  if (!marginsAreSound(p.maintenance_margin, p.initial_margin)) return false;
  if (p.taker_fee > MAX_FEE || p.maker_fee < -p.taker_fee || p.maker_fee > MAX_FEE) return false;
  if (p.band < 1n || p.band > PPM || p.max_age < 1n || p.step_band < 1n || p.step_band > PPM) return false;
  if (p.funding_cap > MAX_FEE || p.close_out > p.maintenance_margin) return false;
  if (p.max_position < 1n || p.max_position > MAX_POSITION) return false;
  if (p.tier1_size === 0n) return p.tier2_size === 0n;
  if (p.tier1_initial < p.initial_margin || p.tier1_maintenance < p.maintenance_margin) return false;
  if (!marginsAreSound(p.tier1_maintenance, p.tier1_initial)) return false;
  if (p.tier2_size === 0n) return true;
  if (p.tier2_size <= p.tier1_size) return false;
  if (p.tier2_initial < p.tier1_initial || p.tier2_maintenance < p.tier1_maintenance) return false;
  return marginsAreSound(p.tier2_maintenance, p.tier2_initial);
}

function setParameters(leaf: Market, { market: _market, ...parameters }: Parameters): void {
  Object.assign(leaf, parameters);
}

function listMarket({ r, leaves }: Step, message: Uint8Array): Reason {
  const parameters = msg.MARKET_BODY.read(message, 1);
  const { market } = parameters;
  if (market !== r.markets + 1n || market > MAX_MARKET || !areSound(parameters)) return "bad_parameters";
  setParameters(leaves.market(market), parameters);
  r.markets = market;
  return "accepted";
}

function setMarket({ r, leaves }: Step, message: Uint8Array): Reason {
  const parameters = msg.MARKET_BODY.read(message, 1);
  const { market } = parameters;
  if (market < 1n || market > r.markets || !areSound(parameters)) return "bad_parameters";
  const leaf = leaves.market(market);
  const { unit, expiry } = leaf;
  setParameters(leaf, { ...parameters, unit, expiry });
  return "accepted";
}

function setSigner({ leaves }: Step, message: Uint8Array): Reason {
  const { number, owner, quorum, max_age } = msg.SET_SIGNER_BODY.read(message, 1);
  if (number >= BigInt(MAX_SIGNERS) || quorum < 1n || quorum > BigInt(MAX_SIGNERS) || max_age === 0n) {
    return "bad_parameters";
  }
  const signers = leaves.signers();
  signers.owners[Number(number)] = owner;
  signers.count = max(signers.count, number + 1n);
  signers.quorum = quorum;
  signers.max_age = max_age;
  return "accepted";
}

/** Whether activity costs more than it saves (section 25, *Fees*), beside the bounds of each number. */
function areSoundTerms(t: Terms): boolean {
  const shares = t.backstop_share + t.treasury_share;
  if (t.high > MAX_ACTIVITY) return false;
  if (t.taker_saving > PPM || t.maker_saving > PPM || t.most_rebate > PPM || shares > PPM) return false;
  if (t.scale_from > TEN_THOUSANDTHS || t.scale_most > TEN_THOUSANDTHS) return false;
  if (t.high === 0n) return t.low === 0n;
  if (t.low >= t.high) return false;
  const kept = (PPM - t.taker_saving) * (PPM - t.most_rebate) * (PPM - t.backstop_share);
  const saved = max(t.taker_saving, t.maker_saving) * PPM * PPM;
  return kept * (t.high - t.low) >= WASH_FACTOR * saved * t.high;
}

function setTerms({ leaves }: Step, message: Uint8Array): Reason {
  const terms = msg.SET_TERMS_BODY.read(message, 1);
  if (!areSoundTerms(terms)) return "bad_parameters";
  Object.assign(leaves.terms(), terms);
  return "accepted";
}

function windDown({ r }: Step): Reason {
  if (r.winding_since !== 0n) return "winding_down";
  r.winding_since = r.time;
  return "accepted";
}
