// Outcomes of the machine, by number (section 17).
const REASONS = [
  "accepted", "malformed_record", "unknown_account", "unknown_market", "bad_signature", "nonce_used", "nonce_too_old",
  "step_cap", "insufficient_margin", "no_price", "price_out_of_range", "price_band", "size_out_of_range",
  "order_slot_out_of_range", "order_slot_taken", "too_many_positions", "position_limit", "would_cross",
  "unknown_order", "amount_out_of_range", "same_account", "unknown_signer", "stale_report", "future_report",
  "bad_parameters", "agent_expired", "sub_account", "order_expired", "not_reducing", "unfillable", "self_trade",
  "stale_price", "halted", "market_expired", "open_interest_cap", "not_due", "busy", "withdrawals_limited",
  "would_trigger", "wrong_leg_page", "winding_down", "parked", "nonce_too_far", "wrong_session", "out_of_scope",
  "request_pending",
] as const;

export type Reason = (typeof REASONS)[number];

const NUMBERS = new Map<Reason, bigint>(REASONS.map((reason, i) => [reason, BigInt(i)]));

export function reasonNumber(reason: Reason): bigint {
  return NUMBERS.get(reason) ?? 0n;
}

export function reasonName(number: bigint): string {
  return REASONS[Number(number)] ?? `unknown_outcome_${number}`;
}
