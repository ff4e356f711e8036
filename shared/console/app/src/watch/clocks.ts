// The clocks of a match, by the court's rules, from its events: each side has the challenge period, of which its delay in
// joining and its turns are taken. Nothing is given back.
import { LEVELS } from "./descent";
import type { Game, GameEvent } from "./types";

export interface Clock {
  /** Seconds left. */
  readonly left: number;
  /** Whether it runs now. */
  readonly isOnTurn: boolean;
}

/** Of each side of a pair after these events, at the time `now` (unix seconds); empty before both have joined. */
export function readClocks(
  game: Game,
  events: readonly GameEvent[],
  pair: readonly [string, string],
  period: number,
  now: number,
): ReadonlyMap<string, Clock> {
  const joined = events.filter((event) => event.kind === "Joined" && event.root && pair.includes(event.root));
  const [earlier, later] = joined;
  const first = events.find((event) => event.kind === "Joined" && event.end !== game.claim.end);
  if (!earlier?.root || !later?.root || !first) return new Map();
  const left = new Map<string, number>();
  for (const event of [earlier, later]) {
    const begin = event.end === game.claim.end ? first.at : game.claim.claimed_at;
    left.set(event.root ?? "", period - Math.max(0, event.at - begin));
  }
  let since = later.at;
  let level = 0;
  let isOver = false;
  for (const event of events) {
    if (event.kind === "Moved" && event.mover && event.opponent && left.has(event.mover) && left.has(event.opponent)) {
      left.set(event.mover, (left.get(event.mover) ?? 0) - (event.at - since));
      since = event.at;
      level = (event.level ?? 0) + 1;
    } else if (event.kind === "Eliminated" && left.has(event.root ?? "")) isOver = true;
  }
  const onTurn = isOver || level === LEVELS ? undefined : level % 2 ? earlier.root : later.root;
  return new Map(
    [...left].map(([root, seconds]) => [
      root,
      { left: Math.max(0, root === onTurn ? seconds - Math.max(0, now - since) : seconds), isOnTurn: root === onTurn },
    ]),
  );
}
