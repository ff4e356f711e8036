// A dispute's chapters: how far it is, and what each means, for somebody who sees one for the first time.
import { capital } from "../lib/format";
import type { TimelineStep } from "../ui/Timeline";
import { type Descent, LEVELS } from "./descent";
import type { Game, GameEvent } from "./types";
import { nameParty } from "./watch";

export function listChapters(game: Game, events: readonly GameEvent[], descent: Descent | undefined): TimelineStep[] {
  const has = (kind: string): boolean => events.some((event) => event.kind === kind);
  const claimant = nameParty(game.claim.claimant);
  const joined = events.filter((event) => event.kind === "Joined");
  const other = joined.find((event) => event.end !== game.claim.end);
  const depth = descent?.levels.length ?? 0;
  const out = events.find((event) => event.kind === "Eliminated");
  const ended = events.find((event) => event.kind === "Installed");
  const liar = game.histories.find((history) => history.root === out?.root);
  const isLie = ended !== undefined && ended.end !== game.claim.end;
  const done = [
    has("Claimed"),
    other !== undefined,
    depth === LEVELS || out !== undefined,
    out !== undefined,
    ended !== undefined,
    has("Released"),
  ];
  const at = done.indexOf(false);
  const state = (place: number): TimelineStep["state"] => (done[place] ? "done" : place === at ? "now" : "later");
  return [
    {
      name: "Claimed",
      state: state(0),
      about: `${capital(claimant)} stakes money on the machine that this epoch ends in.`,
    },
    {
      name: "Disputed",
      state: state(1),
      about: other
        ? `${capital(nameParty(other.owner ?? ""))} ran the same inputs, came to another end, and stakes a bond on that.`
        : "Whoever comes to another end has the challenge period to say so.",
    },
    {
      name: "Narrowed down",
      state: state(2),
      about: `Move by move both open 32 parts of what the machine was at each step, down to the first that differs: ${depth} of ${LEVELS}.`,
    },
    {
      name: "Judged",
      state: out && liar ? "bad" : state(3),
      about: out
        ? out.cause === "proof"
          ? `L1 ran that one step itself: ${nameParty(liar?.owner ?? "")} lied.`
          : `${capital(nameParty(liar?.owner ?? ""))} did not move in time: its clock ran down.`
        : "L1 runs that one step itself. Nobody is believed.",
    },
    {
      name: "Corrected",
      state: state(4),
      about: ended
        ? isLie
          ? "The true end stands in place of the claimed one. No trade was rolled back."
          : "The claimed end stands: it was true."
        : "Once every history that stands has the same end, that one is final.",
    },
    {
      name: "Paid",
      state: state(5),
      about: "The liar's bond pays for the others' gas and rewards them; half is burnt.",
    },
  ];
}
