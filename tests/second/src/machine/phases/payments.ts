// TRANSFER, WITHDRAW, REQUEST, SHARES, CREDIT (section 8).
import { BACKSTOP_DEPOSIT, BACKSTOP_WITHDRAW } from "../../codec/records.js";
import { BACKSTOP, MAX_SHARES, VIRTUAL_SHARES, VOID_PART, VOID_PRICE } from "../../constants.js";
import type { Reason } from "../../reasons.js";
import {
  allFresh, equityOf, type Holdings, openHoldings, positions, requiredOf, settle, valueOf,
} from "../../rules/margin.js";
import { down, max, min } from "../../rules/numbers.js";
import type { Account, Request } from "../../state/leaves.js";
import { clearFromKind } from "../../state/registers.js";
import * as phase from "../phases.js";
import { finish, refuse, type Step } from "../step.js";

export function transfer(step: Step): void {
  const { r, leaves } = step;
  leaves.account(r.account).collateral -= r.amount;
  leaves.account(r.peer).collateral += r.amount;
  finish(step);
}

export function withdraw(step: Step): void {
  const { r, leaves } = step;
  const account = leaves.account(r.account);
  account.collateral -= r.amount;
  Object.assign(leaves.withdrawal(r.withdrawals), { account: r.account, owner: account.owner, amount: r.amount });
  r.withdrawals += 1n;
  r.owed -= r.amount;
  finish(step);
}

/** Shares of an older generation are void. */
const countingShares = (account: Account, backstop: Account): bigint =>
  account.generation === backstop.generation ? account.shares : 0n;

export function request(step: Step): void {
  const { r, leaves } = step;
  const account = leaves.account(r.account);
  const backstop = leaves.account(BACKSTOP);
  const leaf = leaves.request(r.account);
  if (leaf.amount !== 0n) return refuse(step, "request_pending");
  if (r.kind === BACKSTOP_WITHDRAW) {
    if (r.amount > countingShares(account, backstop)) return refuse(step, "insufficient_margin");
    account.shares -= r.amount;
  } else {
    account.collateral -= r.amount;
  }
  leaf.amount = r.amount;
  leaf.due = r.time + r.backstop_delay;
  leaf.generation = backstop.generation;
  leaf.kind = r.kind;
  if (r.last_request !== 0n) leaves.request(r.last_request).next = r.account;
  else r.first_request = r.account;
  r.last_request = r.account;
  r.settling = 1n;
  r.phase = phase.WORK;
}

/** To *leave* the requests. */
function leave(step: Step, reason: Reason): void {
  step.r.settling = 0n;
  refuse(step, reason);
}

export function shares(step: Step): void {
  const { r, leaves } = step;
  if (r.first_request === 0n) return leave(step, "not_due");
  const id = r.first_request;
  const leaf = leaves.request(id);
  if (leaf.due > r.time && r.winding_since === 0n) return leave(step, "not_due");
  const holdings = openHoldings(step, leaves.account(BACKSTOP));
  settle(holdings);
  if (!allFresh(holdings, r.time)) return leave(step, "stale_price");
  clearFromKind(r);
  r.account = id;
  r.return_phase = phase.WORK;
  r.phase = phase.CREDIT;
  const deposits = leaf.kind === BACKSTOP_DEPOSIT;
  const gain = indexGain(holdings);
  const equity = equityOf(holdings) + (deposits ? max(0n, gain) : min(0n, gain));
  const required = requiredOf(holdings, r.winding_since, "nowhere");
  if (deposits) settleDeposit(step, leaf, holdings.account, equity);
  else settleWithdrawal(step, leaf, holdings.account, equity, equity - required);
  r.first_request = leaf.next;
  if (leaf.next === 0n) r.last_request = 0n;
  for (const name of Object.keys(leaf) as (keyof typeof leaf)[]) leaf[name] = 0n;
}

/** What the positions would be worth more at the index than they are at the mark. */
function indexGain(holdings: Holdings): bigint {
  let gain = 0n;
  for (const [p, market] of positions(holdings)) gain += valueOf(market, p.size, market.index - market.mark);
  return gain;
}

function settleDeposit({ r }: Step, leaf: Request, backstop: Account, equity: bigint): void {
  const worth = max(0n, equity);
  const allLost = backstop.shares > worth * VOID_PRICE && worth * VOID_PART <= leaf.amount;
  const issued = allLost ? 0n : backstop.shares;
  const bought = down(leaf.amount * (issued + VIRTUAL_SHARES), worth + 1n);
  if (r.winding_since !== 0n || equity + leaf.amount <= 0n || bought === 0n || issued + bought >= MAX_SHARES) {
    r.amount = leaf.amount; // it goes back
    return;
  }
  if (allLost) backstop.generation += 1n;
  backstop.collateral += leaf.amount;
  backstop.shares = issued + bought;
  r.shares = bought;
}

function settleWithdrawal({ r }: Step, leaf: Request, backstop: Account, equity: bigint, free: bigint): void {
  if (leaf.generation !== backstop.generation) return; // void: they come to nothing
  const worth = max(0n, equity);
  const all = backstop.shares + VIRTUAL_SHARES;
  let paid = leaf.amount;
  if (down(worth * leaf.amount, all) > free) paid = down(max(0n, free) * all, max(1n, worth));
  r.amount = down(worth * paid, all);
  r.shares = leaf.amount - paid;
  backstop.collateral -= r.amount;
  backstop.shares -= paid;
}

export function credit(step: Step): void {
  const { r, leaves } = step;
  const account = leaves.account(r.account);
  const backstop = leaves.account(BACKSTOP);
  account.collateral += r.amount;
  if (r.shares !== 0n) {
    account.shares = countingShares(account, backstop) + r.shares;
    account.generation = backstop.generation;
  }
  finish(step);
}
