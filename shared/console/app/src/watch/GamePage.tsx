// A dispute as it happens, or as it happened: two histories, narrowed down to the step that L1 judged.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../api/http";
import { group, moment, shorten, span } from "../lib/format";
import { usePolled } from "../lib/poll";
import { route } from "../lib/route";
import { Hash } from "../ui/Hash";
import { Panel } from "../ui/Panel";
import { Ladder } from "./Ladder";
import { descend, findPair, LEVELS } from "./descent";
import { JudgedPanel } from "./JudgedPanel";
import { tellEvent } from "./events";
import type { Game } from "./types";
import { nameParty, watch } from "./watch";

const POLL_MS = 1_500;
const FRAME_MS = 900;

export default function GamePage() {
  const key = route.value[1] ?? "";
  const polled = usePolled(() => get<Game>(`/v1/games/${key}`), POLL_MS, [key]);
  const at = useSignal<number | undefined>(undefined);
  const isPlaying = useSignal(false);
  const game = polled.value.data;
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
        <p class={polled.value.error ? "said bad" : "said"}>{polled.value.error || "Reading the court…"}</p>
      </main>
    );
  }
  const pair = findPair(game);
  const events = game.events.slice(0, shown);
  const descent = pair && descend(events, pair);
  const dispute = watch.value?.disputes.find((each) => each.key === game.claim.key);
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>{title(game)}</h1>
      <p class="lead">{watch.value?.words[game.claim.key] ?? summary(game)}</p>
      {last > 1 && (
        <div class="replay" role="group" aria-label="Replay">
          <button
            type="button"
            onClick={() => {
              if (!isPlaying.value) at.value = at.value === undefined ? 1 : at.value;
              isPlaying.value = !isPlaying.value;
            }}
          >
            {isPlaying.value ? "Pause" : "Replay"}
          </button>
          <input
            type="range"
            min={1}
            max={last}
            value={shown}
            aria-label="Event"
            onInput={(event) => {
              isPlaying.value = false;
              const value = Number(event.currentTarget.value);
              at.value = value >= last ? undefined : value;
            }}
          />
          <span class="num">
            {shown} of {last}
          </span>
        </div>
      )}
      {pair && descent && (
        <>
          <div class="versus">
            {pair.map((root) => (
              <Side key={root} game={game} root={root} out={descent.out.get(root)} installed={descent.installed} />
            ))}
          </div>
          <Panel
            title="Down to the step"
            aside={
              <span class="quiet">
                {descent.levels.length} of {LEVELS} moves
                {dispute?.matches[0] && !descent.out.size
                  ? dispute.matches[0].on_turn
                    ? ` · ${nameOwner(game, dispute.matches[0].on_turn)} has ${span(dispute.matches[0].time_left)} left`
                    : " · a proof decides"
                  : ""}
              </span>
            }
          >
            <Ladder descent={descent} pair={pair} nameOwner={(root) => nameOwner(game, root)} />
          </Panel>
        </>
      )}
      {descent && descent.levels.length === LEVELS && (
        <JudgedPanel
          claimKey={game.claim.key}
          nameOwner={(root) => nameOwner(game, root)}
          isDecided={descent.out.size > 0}
        />
      )}
      <Panel title="What happened" aside={<Hash text={game.claim.key} />}>
        <ol class="events" reversed>
          {[...events].reverse().map((event, index) => (
            <li key={events.length - index} class={index === 0 ? "latest" : ""}>
              <span class="num quiet">{moment(event.at * 1000)}</span>
              <span>{tellEvent(event, game)}</span>
              <span class="num quiet">block {group(event.block)}</span>
            </li>
          ))}
        </ol>
      </Panel>
    </main>
  );
}

function Side({
  game,
  root,
  out,
  installed,
}: {
  game: Game;
  root: string;
  out: string | undefined;
  installed: string | undefined;
}) {
  const history = game.histories.find((each) => each.root === root);
  if (!history) return null;
  const defends = history.end === game.claim.end;
  const won = installed !== undefined && history.end === installed;
  const state = out
    ? `out, by ${out === "proof" ? "proof" : "the clock"}`
    : won
      ? "true: its end is installed"
      : "stands";
  return (
    <section class={`side ${out ? "lost" : won ? "won" : ""}`} aria-label={`History of ${nameParty(history.owner)}`}>
      <span class="quiet">{defends ? "defends the claimed end" : "says that the claim is false"}</span>
      <strong>{nameParty(history.owner)}</strong>
      <span class={out ? "bad" : won ? "good" : ""}>{state}</span>
      <dl class="facts">
        <div>
          <dt>ends at</dt>
          <dd>
            <Hash text={history.end} />
          </dd>
        </div>
        <div>
          <dt>history</dt>
          <dd>
            <Hash text={history.root} />
          </dd>
        </div>
      </dl>
    </section>
  );
}

function nameOwner(game: Game, root: string): string {
  const history = game.histories.find((each) => each.root === root);
  return history ? nameParty(history.owner) : shorten(root, 4);
}

function isLie(game: Game): boolean {
  return !/^0x0+$/.test(game.claim.result) && game.claim.result !== game.claim.end;
}

function title(game: Game): string {
  const who = nameParty(game.claim.claimant);
  const epoch = `Epoch ${game.claim.epoch}`;
  if (isLie(game)) return `${epoch}: ${who} lied, and it was proven`;
  if (game.claim.state === "disputed") return `${epoch}: ${who}'s claim is disputed`;
  return `${epoch}: claimed by ${who}`;
}

function summary(game: Game): string {
  const { claim } = game;
  if (isLie(game))
    return `The claimed end was replaced by the true one, ${span(claim.changed_at - claim.claimed_at)} after the claim. No trade was rolled back: only the false claim went.`;
  if (claim.disputed_at) return "Two histories of the same inputs end differently: at most one of them is true.";
  return "Nobody disputes it. Whoever executed its inputs and found another end could join with the true history.";
}
