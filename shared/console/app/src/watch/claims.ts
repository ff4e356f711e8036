// A claim's state in words.
import type { Claim } from "./types";

export const isNothing = (hash: string): boolean => /^0x0+$/.test(hash);

/** Whether another end was installed in place of the claimed one. */
export function isLie(claim: Claim): boolean {
  return !isNothing(claim.result) && claim.result !== claim.end;
}

export function tellState(claim: Claim): { text: string; kind: "bad" | "warn" | "good" | "quiet" | "" } {
  if (isLie(claim)) return { text: "a lie, replaced", kind: "bad" };
  if (claim.state === "disputed") return { text: "disputed now", kind: "warn" };
  if (claim.state === "claimed") return { text: "open to dispute", kind: "" };
  if (claim.state === "moot") return { text: "moot: its start was false", kind: "quiet" };
  const isGood = claim.state === "installed" || claim.state === "settled";
  return { text: isGood ? "true" : claim.state, kind: isGood ? "good" : "quiet" };
}
