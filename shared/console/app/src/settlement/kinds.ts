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

export function nameKind(type: number): string {
  return KINDS[type] ?? `type ${type}`;
}
