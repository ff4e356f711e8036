/** The protocol's names of record types (section 4), by their numbers. */
const KINDS = [
  "",
  "Order",
  "Cancel",
  "Transfer",
  "Withdraw",
  "Report",
  "CancelAll",
  "Amend",
  "ScheduleCancel",
  "SetAgent",
  "Crank",
  "Bulk",
  "Leg page",
  "BackstopDeposit",
  "BackstopWithdraw",
] as const;

/** Those of L1 messages, from this number on. */
const FIRST_MESSAGE = 0x81;
const MESSAGES = [
  "Deposit",
  "Listing of a market",
  "Signer of the oracle",
  "Change of a market",
  "Forced record",
  "Wind-down",
  "Terms of the exchange",
] as const;

export function nameKind(type: number): string {
  return KINDS[type] || MESSAGES[type - FIRST_MESSAGE] || `type ${type}`;
}
