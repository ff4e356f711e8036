// *Fees are shared* (section 8, UNWIND): what came into a market's insurance since the last time, beyond its floor.
import { PPM } from "../constants.js";
import type { Step } from "../machine/step.js";
import type { Account, Market } from "../state/leaves.js";
import { valueOf } from "./margin.js";
import { down, min, up } from "./numbers.js";

export function shareFees({ r, leaves }: Step, backstop: Account, m: Market): void {
  const terms = leaves.terms();
  const floor = up(valueOf(m, m.open_interest, m.mark) * terms.insurance_floor, PPM);
  const spare = min(m.revenue, m.insurance - floor);
  m.revenue = 0n;
  if (spare <= 0n) return;
  const shared = down(spare * terms.backstop_share, PPM);
  m.insurance -= shared;
  backstop.collateral += shared;
  const part = down(spare * terms.treasury_share, PPM);
  if (part === 0n || terms.treasury < 1n || terms.treasury > r.accounts) return;
  m.insurance -= part;
  leaves.account(terms.treasury).collateral += part;
}
