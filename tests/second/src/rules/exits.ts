// Draws and the limit on exits (section 8, "Shared: draws and exits").
import { TRANSFER, WITHDRAW } from "../codec/records.js";
import { DRAW_SHARE, EXIT_GRACE, EXIT_HOURS, HOUR } from "../constants.js";
import { masterOf, subOf } from "../state/keys.js";
import type { Account } from "../state/leaves.js";
import type { Registers } from "../state/registers.js";
import { down, max, min } from "./numbers.js";

/** To *note a draw*. A draw of nothing is noted as well: it may begin another hour. */
export function noteDraw(r: Registers, v: bigint): void {
  const hour = down(r.time, HOUR);
  if (hour !== r.draw_hour) {
    r.draw_hour = hour;
    r.drawn = 0n;
  }
  r.drawn += v;
  if (r.time >= r.limited_since + EXIT_HOURS * HOUR && r.drawn * DRAW_SHARE > r.owed) r.limited_since = r.time;
}

/** Whether the payment in flight is an *exit*: money that leaves its owner's accounts. */
export function isExit(r: Registers): boolean {
  return r.kind === WITHDRAW || (r.kind === TRANSFER && masterOf(r.peer) !== masterOf(r.account));
}

/** Whether the exit in flight is granted to an account with so much *free*; what it takes is noted in the account. */
export function grantExit(r: Registers, account: Account, free: bigint): boolean {
  if (r.kind === WITHDRAW && r.amount > r.owed) return false;
  const hours = hoursOf(r);
  if (hours === EXIT_HOURS) return true;
  const taken = account.exit_since === r.limited_since ? account.taken : 0n;
  const allowed = max(down((free + taken) * hours, EXIT_HOURS), taken) - taken;
  if (subOf(r.account) !== 0n || r.amount > allowed) return false;
  account.exit_since = r.limited_since;
  account.taken = taken + r.amount;
  return true;
}

/** The hours of the limit that have begun; all of them for what was queued before it, or soon after. */
function hoursOf(r: Registers): bigint {
  if (0n < r.stamp && r.stamp < r.limited_since + EXIT_GRACE) return EXIT_HOURS;
  return min(EXIT_HOURS, 1n + down(max(r.stamp, r.time) - r.limited_since, HOUR));
}
