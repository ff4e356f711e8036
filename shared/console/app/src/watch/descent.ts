// How two histories come down to one step, from the court's events: what is known after the first so many of them.
import type { Game, GameEvent } from "./types";

export const LEVELS = 7;
const BITS = 5;

export interface Level {
  /** The part, of 32, in which the two differ first. */
  readonly index: number;
  readonly mover: string;
  /** What each side says of that part. */
  readonly said: Readonly<Record<string, string>>;
  readonly at: number;
}

export interface Descent {
  readonly levels: readonly Level[];
  /** The positions among which the difference is, of 2^35. */
  readonly first: number;
  readonly count: number;
  readonly out: ReadonlyMap<string, string>;
  readonly installed: string | undefined;
}

/** The match that came down farthest: of several, newcomers look at one. */
export function findPair(game: Game): readonly [string, string] | undefined {
  const moved = [...game.events].reverse().find((event) => event.kind === "Moved");
  if (moved?.mover && moved.opponent) {
    const order = game.histories.map((history) => history.root);
    return order.indexOf(moved.mover) < order.indexOf(moved.opponent)
      ? [moved.mover, moved.opponent]
      : [moved.opponent, moved.mover];
  }
  const [one, other] = game.histories;
  return one && other ? [one.root, other.root] : undefined;
}

export function descend(events: readonly GameEvent[], pair: readonly [string, string]): Descent {
  const levels: Level[] = [];
  const out = new Map<string, string>();
  let installed: string | undefined;
  for (const event of events) {
    if (
      event.kind === "Moved" &&
      event.mover &&
      event.opponent &&
      pair.includes(event.mover) &&
      pair.includes(event.opponent)
    ) {
      levels[event.level ?? 0] = {
        index: event.index ?? 0,
        mover: event.mover,
        said: { [event.mover]: event.mover_child ?? "", [event.opponent]: event.opponent_child ?? "" },
        at: event.at,
      };
    } else if (event.kind === "Eliminated" && event.root) out.set(event.root, event.cause ?? "");
    else if (event.kind === "Installed") installed = event.end;
  }
  const first = levels.reduce((place, level, at) => place + level.index * 2 ** (BITS * (LEVELS - 1 - at)), 0);
  return { levels, first, count: 2 ** (BITS * (LEVELS - levels.length)), out, installed };
}

/** What a position stands for: batch of the epoch, input of the batch, micro-step of the input. */
export function splitPosition(position: number): { batch: number; input: number; micro: number } {
  return {
    batch: Math.floor(position / 2 ** 30),
    input: Math.floor(position / 2 ** 20) % 2 ** 10,
    micro: position % 2 ** 20,
  };
}

/** What is being looked for at a level. */
export function nameLevel(level: number): string {
  return level === 0 ? "which batch" : level < 3 ? "which input" : "which step";
}

/** Where the first match that came down to a step parts, and what each side says of the machine after it. */
export function findSealed(
  events: readonly GameEvent[],
): { position: number; said: Record<string, string> } | undefined {
  const parts = new Map<string, number>();
  for (const event of events) {
    if (event.kind !== "Moved" || !event.mover || !event.opponent) continue;
    const pair = [event.mover, event.opponent].sort().join();
    const position = (parts.get(pair) ?? 0) * 2 ** BITS + (event.index ?? 0);
    parts.set(pair, position);
    if (event.level === LEVELS - 1) {
      const said = { [event.mover]: event.mover_child ?? "", [event.opponent]: event.opponent_child ?? "" };
      return { position, said };
    }
  }
  return undefined;
}
