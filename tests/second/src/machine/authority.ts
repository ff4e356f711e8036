// Who may say what a record says (section 8: *Authority*, *Nonces*, *Keys*).
import * as rec from "../codec/records.js";
import { MAX_NONCE_JUMP, NONCE_WINDOW, SESSION_BITS } from "../constants.js";
import type { Reason } from "../reasons.js";
import { allowsAllMarkets, maySend, packScope } from "../rules/scope.js";
import { masterOf, subOf } from "../state/keys.js";
import type { Agent } from "../state/leaves.js";
import type { Step } from "./step.js";

const ALL_BITS = (1n << NONCE_WINDOW) - 1n;

export function authority(step: Step, type: bigint, body: Uint8Array): Reason | null {
  const { r, leaves } = step;
  const master = masterOf(r.account);
  if (r.agent === 0n) {
    const owner = leaves.account(master);
    if (owner.owner !== r.signer) return "bad_signature";
    return useNonce(owner, r.nonce);
  }
  const agent = leaves.agent(master, r.agent);
  if (agent.address !== r.signer) return "bad_signature";
  if (agent.expiry <= r.time) return "agent_expired";
  const scope = packScope(agent.limits, agent.subs, agent.markets);
  if (!inScope(step, type, agent, scope)) return "out_of_scope";
  const hasPartner = type === rec.ORDER && rec.ORDER_BODY.read(body, 1).partner !== 0n;
  if (hasPartner && !inScope(step, rec.CANCEL, agent, scope)) return "out_of_scope";
  r.scope = scope;
  if (r.nonce >> SESSION_BITS > agent.nonce_top >> SESSION_BITS) return "nonce_too_far";
  return useNonce(agent, r.nonce);
}

/** A key counts its own nonces, in any order within a window of 256. */
function useNonce(key: { nonce_top: bigint; nonce_bitmap: bigint }, nonce: bigint): Reason | null {
  const top = key.nonce_top;
  if (nonce > top + MAX_NONCE_JUMP) return "nonce_too_far";
  if (nonce > top) {
    const shift = nonce - top;
    key.nonce_bitmap = shift >= NONCE_WINDOW ? 1n : ((key.nonce_bitmap << shift) & ALL_BITS) | 1n;
    key.nonce_top = nonce;
    return null;
  }
  const age = top - nonce;
  if (age >= NONCE_WINDOW) return "nonce_too_old";
  const bit = 1n << age;
  if ((key.nonce_bitmap & bit) !== 0n) return "nonce_used";
  key.nonce_bitmap |= bit;
  return null;
}

/** *Scope*: whether a record of a type, for the account in flight, is within an agent's. */
function inScope({ r }: Step, type: bigint, agent: Agent, scope: bigint): boolean {
  if (agent.kinds !== 0n && ((agent.kinds >> type) & 1n) === 0n) return false;
  if (agent.subs !== 0n && ((agent.subs >> subOf(r.account)) & 1n) === 0n) return false;
  if (type === rec.CANCEL_ALL || type === rec.SCHEDULE_CANCEL) return allowsAllMarkets(scope);
  return type !== rec.ORDER || maySend(scope, r.market, r.flags, r.size);
}

/** *The change of an agent*. */
export function changeAgent({ r, leaves }: Step, body: Uint8Array): Reason | null {
  const change = rec.SET_AGENT_BODY.read(body, 1);
  const account = leaves.account(r.account);
  const last = account.session;
  if (
    change.session < last || change.session > last + MAX_NONCE_JUMP ||
    (change.session === last && change.key !== 0n)
  ) {
    return "wrong_session";
  }
  account.session = change.session;
  const agent = leaves.agent(r.account, change.agent);
  const gone = change.key === 0n;
  agent.address = change.key;
  agent.expiry = gone ? 0n : change.expiry;
  agent.markets = gone ? 0n : change.markets;
  agent.subs = gone ? 0n : change.subs;
  agent.kinds = gone ? 0n : change.kinds;
  agent.limits = gone ? 0n : change.limits;
  agent.nonce_top = gone ? 0n : change.session << SESSION_BITS;
  agent.nonce_bitmap = gone ? 0n : ALL_BITS;
  return null;
}
