// The latest claims at the court, and what became of each.
import { config } from "../api/exchange";
import { group, moment } from "../lib/format";
import { link } from "../lib/route";
import { Hash } from "../ui/Hash";
import { Panel } from "../ui/Panel";
import { Table } from "../ui/Table";
import { canAskL1 } from "../wallet/rpc";
import { isNothing, tellState } from "./claims";
import type { Claim } from "./types";
import { nameParty, useClaims } from "./watch";

export default function GamesPage() {
  const { data: claims = [], error } = useClaims();
  const canRead = config.value.role === "watcher" || canAskL1();
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>Claims and disputes</h1>
      <p class="lead">
        Whoever claims an epoch's end stakes on it. Whoever knows better joins with the history that is true, and a
        bond; two histories are then narrowed down on L1, 32 parts at a time, to the one step in which they differ, and
        L1 runs that.
      </p>
      {error && canRead && <p class="said bad">{error}</p>}
      <Panel
        title="Latest claims"
        aside={<span class="quiet">disputed: {claims.filter((claim) => claim.disputed_at).length}</span>}
      >
        <Table
          label="Latest claims"
          nothing={
            canRead
              ? "Nobody has claimed anything yet."
              : "Connect a wallet: the court is read from L1, and this page was told of no node."
          }
          head={["#Epoch", "State", "Claimed by", "#Claimed at", "#Histories", "Claimed end", "Installed end", ""]}
          keys={claims.map((claim) => claim.key)}
          rows={claims.map((claim) => [
            <a href={link("game", claim.key)}>{group(claim.epoch)}</a>,
            <State claim={claim} />,
            nameParty(claim.claimant),
            moment(claim.claimed_at * 1000),
            group(claim.histories),
            <Hash text={claim.end} />,
            isNothing(claim.result) ? "–" : <Hash text={claim.result} />,
            claim.disputed_at ? <a href={link("game", claim.key)}>Watch the game</a> : "",
          ])}
        />
      </Panel>
    </main>
  );
}

function State({ claim }: { claim: Claim }) {
  const { text, kind } = tellState(claim);
  return <span class={kind}>{text}</span>;
}
