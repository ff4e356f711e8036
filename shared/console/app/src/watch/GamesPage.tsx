// The latest claims at the court, and what became of each.
import { group, moment } from "../lib/format";
import { link } from "../lib/route";
import { Hash } from "../ui/Hash";
import { Panel } from "../ui/Panel";
import { Table } from "../ui/Table";
import type { Claim } from "./types";
import { nameParty, watch } from "./watch";

const ZERO = /^0x0+$/;

export default function GamesPage() {
  const claims = watch.value?.claims ?? [];
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>Claims and disputes</h1>
      <p class="lead">
        Whoever claims an epoch's end stakes on it. Whoever knows better joins with the history that is true, and a
        bond; two histories are then narrowed down on L1, 32 parts at a time, to the one step in which they differ, and
        L1 runs that.
      </p>
      <Panel
        title="Latest claims"
        aside={<span class="quiet">disputed: {claims.filter((claim) => claim.disputed_at).length}</span>}
      >
        <Table
          label="Latest claims"
          nothing={watch.value ? "Nobody has claimed anything yet." : "…"}
          head={["#Epoch", "State", "Claimed by", "#Claimed at", "#Histories", "Claimed end", "Installed end", ""]}
          keys={claims.map((claim) => claim.key)}
          rows={claims.map((claim) => [
            <a href={link("game", claim.key)}>{group(claim.epoch)}</a>,
            <State claim={claim} />,
            nameParty(claim.claimant),
            moment(claim.claimed_at * 1000),
            group(claim.histories),
            <Hash text={claim.end} />,
            ZERO.test(claim.result) ? "–" : <Hash text={claim.result} />,
            claim.disputed_at ? <a href={link("game", claim.key)}>Watch the game</a> : "",
          ])}
        />
      </Panel>
    </main>
  );
}

export function State({ claim }: { claim: Claim }) {
  if (!ZERO.test(claim.result) && claim.result !== claim.end) return <span class="bad">a lie, replaced</span>;
  if (claim.state === "disputed") return <span class="warn">disputed now</span>;
  if (claim.state === "claimed") return <span>open to dispute</span>;
  return <span class={claim.state === "installed" || claim.state === "settled" ? "good" : "quiet"}>{claim.state}</span>;
}
