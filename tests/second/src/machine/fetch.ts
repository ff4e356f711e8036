// The fetch of an input (section 8, "Fetch"): whose turn it is, what it says, who signed it.
import { readUint, word } from "../codec/bytes.js";
import { legPageHash, legsWord, FOLLOWING_AT } from "../codec/legs.js";
import { FORCED, FORCED_BODY_AT, FORCED_SENDER_AT, isCanonical } from "../codec/messages.js";
import * as rec from "../codec/records.js";
import { recover } from "../codec/signature.js";
import { recordDigest } from "../codec/typed-data.js";
import { BATCH_STEP_CAP, BODY_BYTES, INPUT_STEP_BOUND, MAX_LEG_PAGES } from "../constants.js";
import { type Reason, reasonNumber } from "../reasons.js";
import { masterOf } from "../state/keys.js";
import { clearFromKind } from "../state/registers.js";
import { authority, changeAgent } from "./authority.js";
import { applyMessage } from "./messages.js";
import { loadRecord } from "./load.js";
import * as phase from "./phases.js";
import type { Step } from "./step.js";

export interface Input {
  /** The 124 bytes. */
  readonly bytes: Uint8Array;
  /** When the queue took it; null for a record of the batch. */
  readonly stamp: bigint | null;
}

/** What is left of an input once it has its turn: a body, and its signature or its sender. */
interface Taken {
  /** 124 bytes; of a FORCED only the 60 of the body. */
  readonly bytes: Uint8Array;
  readonly sender: bigint | null;
}

export function fetchInput(step: Step, input: Input): void {
  const { r } = step;
  r.stamp = input.stamp ?? 0n;
  const type = readUint(input.bytes, 0, 1);
  const outcome = type >= 0x80n && type !== FORCED ? fetchMessage(step, input) : fetchRecord(step, input);
  r.outcome = reasonNumber(outcome);
}

function fetchMessage(step: Step, input: Input): Reason {
  if (input.stamp === null || !isCanonical(input.bytes)) return "malformed_record";
  return applyMessage(step, input.bytes);
}

function fetchRecord(step: Step, input: Input): Reason {
  if (!isSound(input)) return "malformed_record";
  const turn = takeTurn(step, input);
  if (typeof turn === "string") return turn;
  return takeRecord(step, open(turn));
}

/** 2.1: what can be told from the bytes alone. */
function isSound({ bytes, stamp }: Input): boolean {
  if (!isCanonical(bytes)) return false;
  const type = readUint(bytes, 0, 1);
  if (type === FORCED) return stamp !== null && rec.isForceable(bytes.subarray(FORCED_BODY_AT));
  return stamp === null || (type !== rec.BULK && type !== rec.LEG_PAGE);
}

/** 2.2: the record to go on with, or the outcome where it is nobody's turn. */
function takeTurn(step: Step, input: Input): Uint8Array | Reason {
  const { r, leaves } = step;
  const isCrank = readUint(input.bytes, 0, 1) === rec.CRANK;
  const room = r.steps + INPUT_STEP_BOUND <= BATCH_STEP_CAP;
  const waiting = r.parked_first !== r.parked_end;
  let parked = false;
  if (input.stamp !== null) {
    parked = isCrank
      ? !room && rec.CRANK_BODY.read(input.bytes, 1).market !== 0n
      : !room || r.has_work !== 0n || waiting;
  }
  if (parked) {
    const leaf = leaves.parked(r.parked_end);
    leaf.message = input.bytes.slice();
    leaf.stamp = r.stamp;
    r.parked_end += 1n;
  }
  if (!room) return parked ? "parked" : "step_cap";
  if (r.has_work !== 0n) {
    r.has_work = 0n;
    r.phase = r.next_phase;
    if (parked) return "parked";
    return isCrank ? "accepted" : "busy";
  }
  if (!waiting) return input.bytes;
  if (!parked && !isCrank) return "busy";
  const first = leaves.parked(r.parked_first);
  const message = first.message;
  r.stamp = first.stamp;
  r.parked_first += 1n;
  first.message = new Uint8Array(message.length);
  first.stamp = 0n;
  return message;
}

function open(bytes: Uint8Array): Taken {
  if (readUint(bytes, 0, 1) !== FORCED) return { bytes, sender: null };
  return {
    bytes: bytes.subarray(FORCED_BODY_AT, FORCED_BODY_AT + BODY_BYTES),
    sender: readUint(bytes, FORCED_SENDER_AT, 20),
  };
}

const REFUSED_IN_WIND_DOWN: readonly bigint[] = [rec.ORDER, rec.AMEND, rec.BACKSTOP_DEPOSIT, rec.REPORT];

/** 2.3 to 2.9. */
function takeRecord(step: Step, { bytes, sender }: Taken): Reason {
  const { r } = step;
  const type = readUint(bytes, 0, 1);
  const expected = r.bulk;
  clearFromKind(r);
  r.kind = type;
  r.bulk = 0n;
  if (r.winding_since !== 0n && REFUSED_IN_WIND_DOWN.includes(type)) return "winding_down";

  if (type === rec.LEG_PAGE) return takeLegPage(step, bytes, expected);

  const body = bytes.subarray(0, BODY_BYTES);
  r.account = readUint(body, 1, 4);
  r.nonce = readUint(body, 5, 8);
  const loaded = loadRecord(step, type, body);
  if (loaded !== null) return loaded;

  if (type !== rec.CRANK) {
    const signer = sender ?? recover(recordDigest(word(r.domain), body), bytes.subarray(BODY_BYTES));
    if (signer === null || signer === 0n) return "bad_signature";
    r.signer = signer;
  }
  if (type !== rec.CRANK && type !== rec.REPORT) {
    const refused = authority(step, type, body);
    if (refused !== null) return refused;
  }
  if (type === rec.SET_AGENT) {
    const refused = changeAgent(step, body);
    if (refused !== null) return refused;
  }
  if (type === rec.BULK) {
    r.bulk = rec.BULK_BODY.read(body, 1).leg_pages;
    r.bulk_account = r.account;
    r.bulk_pages = MAX_LEG_PAGES;
    r.bulk_scope = r.scope;
    r.bulk_until = r.agent === 0n ? 0n : agentExpiry(step);
  }
  r.phase = PHASE_AFTER.get(type) ?? phase.IDLE;
  return "accepted";
}

function agentExpiry(step: Step): bigint {
  return step.leaves.agent(masterOf(step.r.account), step.r.agent).expiry;
}

function takeLegPage({ r }: Step, page: Uint8Array, expected: bigint): Reason {
  if (expected === 0n || r.bulk_pages === 0n || expected !== readUint(legPageHash(page), 0, 32)) return "wrong_leg_page";
  if (r.bulk_until !== 0n && r.bulk_until <= r.time) return "agent_expired";
  r.bulk_pages -= 1n;
  r.account = r.bulk_account;
  r.legs0 = legsWord(page, 0);
  r.legs1 = legsWord(page, 1);
  r.legs2 = legsWord(page, 2);
  r.legs3 = legsWord(page, 3);
  r.bulk = readUint(page, FOLLOWING_AT, 32);
  r.phase = phase.LEG;
  return "accepted";
}

const PHASE_AFTER: ReadonlyMap<bigint, bigint> = new Map([
  [rec.ORDER, phase.ADMIT], [rec.CANCEL, phase.UNLINK], [rec.AMEND, phase.AMEND], [rec.CANCEL_ALL, phase.CLEAR],
  [rec.SCHEDULE_CANCEL, phase.CLEAR], [rec.TRANSFER, phase.MARGIN], [rec.WITHDRAW, phase.MARGIN],
  [rec.BACKSTOP_DEPOSIT, phase.MARGIN], [rec.BACKSTOP_WITHDRAW, phase.REQUEST], [rec.REPORT, phase.REPORT],
  [rec.CRANK, phase.CRANK], [rec.SET_AGENT, phase.IDLE], [rec.BULK, phase.IDLE],
]);
