// The court's events as sentences.
import { ether, shorten } from "../lib/format";
import { nameLevel } from "./descent";
import type { Game, GameEvent } from "./types";
import { nameParty } from "./watch";

export function tellEvent(event: GameEvent, game: Game): string {
  const owner = (root: string | undefined): string => {
    const history = game.histories.find((each) => each.root === root);
    return history ? nameParty(history.owner) : "somebody";
  };
  switch (event.kind) {
    case "Claimed":
      return `${nameParty(event.claimant ?? "")} stakes on the end ${shorten(event.end ?? "", 4)}`;
    case "Joined":
      return `${nameParty(event.owner ?? "")} joins with a history, and a bond, that ends at ${shorten(event.end ?? "", 4)}${event.end === game.claim.end ? ", to defend the claim" : ": the claim is disputed"}`;
    case "Moved":
      return `${owner(event.mover)} moves: ${nameLevel(event.level ?? 0)}? They differ first in part ${(event.index ?? 0) + 1} of 32`;
    case "Eliminated":
      return event.cause === "proof"
        ? `L1 runs the step: the history of ${owner(event.root)} is false, and out`
        : `the clock of ${owner(event.root)} ran out: its history is out`;
    case "Installed":
      return event.end === game.claim.end
        ? "the claimed end is installed: it was true"
        : `the true end ${shorten(event.end ?? "", 4)} is installed in place of the claimed one`;
    case "Settled":
      return "the claim is settled";
    case "Released":
      return `the bond of ${owner(event.root)}: ${ether(event.amount ?? 0)} ETH go to ${nameParty(event.owner ?? "")}`;
    case "Redeemed":
      return `${nameParty(event.mover ?? "")} is paid ${ether(event.amount ?? 0, 6)} ETH for its moves, by the bond of ${owner(event.root)}`;
    case "Voided":
      return "the dispute is given up: the epoch may be claimed again";
    case "Mooted":
      return "the claim comes to nothing: it was built on a start that is false";
    case "Reclaimed":
      return `${nameParty(event.owner ?? "")} takes its bond back`;
    default:
      return event.kind;
  }
}
