// A dispute while it is played, or afterwards move by move: two histories, narrowed down to the step that L1 judges.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { capital, group, moment, shorten, span } from "../lib/format";
import { now } from "../lib/now";
import { link, route } from "../lib/route";
import { Hash } from "../ui/Hash";
import { Panel } from "../ui/Panel";
import { Timeline } from "../ui/Timeline";
import { isLie } from "./claims";
import { readClocks } from "./clocks";
import { descend, findPair, LEVELS } from "./descent";
import { tellEvent } from "./events";
import { JudgedPanel } from "./JudgedPanel";
import { Ladder } from "./Ladder";
import { MoneyTable } from "./MoneyTable";
import { listChapters } from "./plot";
import { Replay } from "./Replay";
import { Side } from "./Side";
import type { Game } from "./types";
import { nameParty, terms, timeOfL1, useGame, watch } from "./watch";

const OVER = new Set(["settled", "installed", "void", "moot"]);
const FRAME_MS = 900;

export default function GamePage() {
  const key = route.value[1] ?? "";
  const { data: game, error } = useGame(key);
  const at = useSignal<number | undefined>(undefined);
  const isPlaying = useSignal(false);
  const last = game?.events.length ?? 0;
  const shown = Math.min(at.value ?? last, last);

  useEffect(() => {
    if (!isPlaying.value) return undefined;
    const timer = setInterval(() => {
      const next = (at.peek() ?? 0) + 1;
      if (next >= last) {
        at.value = undefined;
        isPlaying.value = false;
      } else at.value = next;
    }, FRAME_MS);
    return () => clearInterval(timer);
  }, [isPlaying.value, last]);

  if (!game) {
    return (
      <main class="page" id="main" tabIndex={-1}>
        <h1>Claim</h1>
        <p class={error ? "said bad" : "said"}>{error || "Reading the court…"}</p>
      </main>
    );
  }
  const pair = findPair(game);
  const events = game.events.slice(0, shown);
  const descent = pair && descend(events, pair);
  const isLive = at.value === undefined && !OVER.has(game.claim.state);
  const time = isLive ? Math.max(timeOfL1(), now.value && (events.at(-1)?.at ?? 0)) : (events.at(-1)?.at ?? 0);
  const clocks = pair && terms.value && readClocks(game, events, pair, terms.value.challenge_period, time);
  const joined = new Set(events.filter((event) => event.kind === "Joined").map((event) => event.root));
  const name = (root: string): string => nameOwner(game, root);
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>{title(game)}</h1>
      <p class="lead">{capital(watch.value?.words[game.claim.key] ?? summary(game))}</p>
      {game.claim.disputed_at > 0 && <Timeline label="The dispute" steps={listChapters(game, events, descent)} />}
      {last > 1 && (
        <Replay
          shown={shown}
          last={last}
          isLive={isLive}
          isPlaying={isPlaying.value}
          toggle={() => {
            if (!isPlaying.value) at.value = at.value === undefined ? 1 : at.value;
            isPlaying.value = !isPlaying.value;
          }}
          show={(value) => {
            isPlaying.value = false;
            at.value = value >= last ? undefined : value;
          }}
        />
      )}
      {error && <p class="said bad">{error}</p>}
      {pair && descent && (
        <>
          <div class="versus">
            {pair.map((root) => (
              <Side
                key={root}
                game={game}
                root={root}
                descent={descent}
                clock={clocks?.get(root)}
                terms={terms.value}
                hasJoined={joined.has(root)}
              />
            ))}
          </div>
          {countMatches(game) > 1 && (
            <p class="quiet">
              {game.histories.length} histories stand in {countMatches(game)} matches at once, each like this one: the
              match that came down farthest is shown.
            </p>
          )}
          <Panel
            title="Down to the step"
            aside={
              <span class="quiet">
                {descent.levels.length} of {LEVELS} moves
              </span>
            }
          >
            <Ladder descent={descent} pair={pair} nameOwner={name} />
          </Panel>
        </>
      )}
      {descent && descent.levels.length === LEVELS && <JudgedPanel game={game} nameOwner={name} out={descent.out} />}
      {terms.value && <MoneyTable game={game} events={events} terms={terms.value} />}
      <Panel title="What happened" aside={<Hash text={game.claim.key} />}>
        <ol class="events" reversed>
          {[...events].reverse().map((event, index) => (
            <li key={events.length - index} class={index === 0 ? "latest" : ""}>
              <span class="num quiet">{moment(event.at * 1000)}</span>
              <span>{capital(tellEvent(event, game))}</span>
              <span class="num quiet">block {group(event.block)}</span>
            </li>
          ))}
        </ol>
      </Panel>
      <nav class="pager" aria-label="Other claims">
        <a href={link("games")}>All claims</a>
      </nav>
    </main>
  );
}

function countMatches(game: Game): number {
  const pairs = game.events
    .filter((event) => event.kind === "Moved")
    .map((event) => [event.mover, event.opponent].sort().join());
  return new Set(pairs).size;
}

function nameOwner(game: Game, root: string): string {
  const history = game.histories.find((each) => each.root === root);
  return history ? nameParty(history.owner) : shorten(root, 4);
}

function title(game: Game): string {
  const who = nameParty(game.claim.claimant);
  const epoch = `Epoch ${game.claim.epoch}`;
  if (isLie(game.claim)) return `${epoch}: ${who} lied, and it was proven`;
  if (game.claim.state === "disputed") return `${epoch}: ${who}'s claim is disputed`;
  return `${epoch}: claimed by ${who}`;
}

function summary(game: Game): string {
  const { claim } = game;
  if (isLie(claim))
    return `The claimed end was replaced by the true one, ${span(claim.changed_at - claim.claimed_at)} after the claim. No trade was rolled back: only the false claim went.`;
  if (claim.disputed_at) return "Two histories of the same inputs end differently: at most one of them is true.";
  return "Nobody disputes it. Whoever executed its inputs and found another end could join with the true history.";
}
