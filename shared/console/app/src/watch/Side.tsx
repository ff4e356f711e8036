// One of the two sides of a dispute: who it is, what it says, what it has at stake, how long it has.
import { capital, ether, span } from "../lib/format";
import { Hash } from "../ui/Hash";
import type { Clock } from "./clocks";
import type { Descent } from "./descent";
import type { Game, Terms } from "./types";
import { nameParty } from "./watch";

interface Props {
  game: Game;
  root: string;
  descent: Descent;
  clock: Clock | undefined;
  terms: Terms | undefined;
  hasJoined: boolean;
}

export function Side({ game, root, descent, clock, terms, hasJoined }: Props) {
  const history = game.histories.find((each) => each.root === root);
  if (!history) return null;
  const out = descent.out.get(root);
  const won = descent.installed !== undefined && history.end === descent.installed;
  const isDefender = history.end === game.claim.end;
  const period = terms?.challenge_period ?? game.claim.changed_at - game.claim.claimed_at;
  return (
    <section
      class={`card side ${out ? "lost" : won ? "won" : ""}`}
      aria-label={`History of ${nameParty(history.owner)}`}
    >
      <span class="quiet">{isDefender ? "says: the claim is true" : "says: the claim is false"}</span>
      <strong>{capital(nameParty(history.owner))}</strong>
      <span class={out ? "bad" : won ? "good" : ""}>
        {!hasJoined
          ? "has not joined yet"
          : out
            ? `${out === "proof" ? "Lied: L1 ran the step and got something else" : "Out: its clock ran down"}`
            : won
              ? "Told the truth: its end is installed"
              : descent.out.size
                ? "Stands: the other side is out"
                : "Stands"}
      </span>
      <dl class="facts">
        <div>
          <dt>its end</dt>
          <dd>
            <Hash text={history.end} />
          </dd>
        </div>
        <div>
          <dt>bond</dt>
          <dd class="num">{terms ? `${ether(terms.bond)} ETH` : "–"}</dd>
        </div>
        <div>
          <dt>clock</dt>
          <dd class="num">{!clock ? "–" : `${span(clock.left)} left${clock.isOnTurn ? ", running" : ""}`}</dd>
        </div>
      </dl>
      <span class="clock" aria-hidden="true">
        <i
          class={clock?.isOnTurn ? "running" : ""}
          style={{ transform: `scaleX(${clock ? clock.left / period : 1})` }}
        />
      </span>
    </section>
  );
}
