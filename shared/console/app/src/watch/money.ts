// Who pays whom in a dispute, from the court's events and terms, in the order in which it happens.
import type { Game, GameEvent, Terms } from "./types";
import { isNothing } from "./claims";

export interface Payment {
  readonly from: string;
  readonly to: string;
  /** Wei. */
  readonly amount: bigint;
  readonly why: string;
  readonly kind: "locked" | "back" | "paid" | "burnt";
}

type Name = (address: string) => string;

export function listPayments(game: Game, events: readonly GameEvent[], terms: Terms, name: Name): Payment[] {
  const owners = new Map(game.histories.map((history) => [history.root, history.owner]));
  const out = new Set<string>();
  const found: Payment[] = [];
  const ownerOf = (root: string | undefined): string => name(owners.get(root ?? "") ?? "");
  for (const event of events) {
    if (event.kind === "Claimed") {
      const amount = BigInt(terms.stake);
      found.push({
        from: name(event.claimant ?? ""),
        to: "the court",
        amount,
        why: "its stake, for all its claims",
        kind: "locked",
      });
    } else if (event.kind === "Joined") {
      const amount = BigInt(terms.bond);
      found.push({
        from: name(event.owner ?? ""),
        to: "the court",
        amount,
        why: "the bond of its history",
        kind: "locked",
      });
    } else if (event.kind === "Eliminated") out.add(event.root ?? "");
    else if (event.kind === "Settled" && !isNothing(event.winner ?? "0x0") && event.end !== game.claim.end) {
      const why = "a reward for the lie it exposed, out of the stake";
      const amount = BigInt(terms.stake_reward);
      found.push({ from: name(game.claim.claimant), to: ownerOf(event.winner), amount, why, kind: "paid" });
    } else if (event.kind === "Released" && out.has(event.root ?? "")) {
      const from = ownerOf(event.root);
      const burnt = BigInt(terms.bond_burn);
      found.push({
        from,
        to: "nobody: it is burnt",
        amount: burnt,
        why: "so that attacking oneself costs",
        kind: "burnt",
      });
      const why = "what the false history's bond has left after the gas of all moves against it";
      found.push({ from, to: name(event.owner ?? ""), amount: BigInt(event.amount ?? 0), why, kind: "paid" });
    } else if (event.kind === "Released" || event.kind === "Reclaimed") {
      const amount = BigInt(event.amount ?? terms.bond);
      found.push({ from: "the court", to: name(event.owner ?? ""), amount, why: "its own bond, back", kind: "back" });
    } else if (event.kind === "Redeemed") {
      const why = "the gas of its moves and of the proof, out of the false history's bond";
      found.push({
        from: ownerOf(event.root),
        to: name(event.mover ?? ""),
        amount: BigInt(event.amount ?? 0),
        why,
        kind: "paid",
      });
    }
  }
  return found;
}
