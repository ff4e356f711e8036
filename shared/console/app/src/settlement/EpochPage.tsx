// One epoch: its batches, who claimed which end of it, and what L1 has confirmed.
import { info } from "../api/exchange";
import { get } from "../api/http";
import type { PastBatch } from "../api/types";
import { readClaims, readConfirmed } from "../l1/games";
import { clock, group, moment, span } from "../lib/format";
import { now } from "../lib/now";
import { usePolled } from "../lib/poll";
import { link, route } from "../lib/route";
import { Facts } from "../ui/Facts";
import { Hash } from "../ui/Hash";
import { Panel } from "../ui/Panel";
import { Table } from "../ui/Table";
import { canAskL1 } from "../wallet/rpc";
import { tellState } from "../watch/claims";
import { loadTerms, nameParty } from "../watch/watch";
import { Landings } from "./Landings";
import { Life } from "./stages";

const POLL_MS = 2_000;

export default function EpochPage() {
  const number = Number(route.value[1] ?? "0");
  const size = info.value?.epoch_batches ?? 1;
  const [first, last] = [number * size, (number + 1) * size - 1];
  const canAsk = canAskL1();
  const past = usePolled(() => readBatches(first, last), POLL_MS, [number]);
  const court = usePolled(
    async () =>
      canAsk
        ? { terms: await loadTerms(), claims: await readClaims(number), confirmed: await readConfirmed(number) }
        : undefined,
    POLL_MS,
    [number, canAsk],
  );
  const batches = past.value.data ?? [];
  const found = court.value.data;
  const claims = found?.claims ?? [];
  const open = claims.find((claim) => claim.state === "claimed");
  const records = batches.reduce((sum, batch) => sum + batch.records, 0);
  const closing = batches.find((batch) => batch.batch === last);
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>Epoch {group(number)}</h1>
      <p class="lead">
        A claim is about an epoch: {size === 1 ? "one batch" : `${size} batches`}, from the machine as L1 has it before,
        to the machine that these inputs come to.
      </p>
      {past.value.error && <p class="said bad">{past.value.error}</p>}
      {closing && <Landings life={closing} />}
      <Panel title="Its end" aside={closing && <Life stage={closing.stage} />}>
        <Facts
          rows={[
            ["Batches", `${group(batches.length)} of ${group(size)}${closing ? "" : ": it goes on"}`],
            ["Records", group(records)],
            ["Machine after it, by the operator", closing ? <Hash text={closing.end} /> : "–"],
            [
              "Confirmed on L1",
              found?.confirmed ? (
                <>
                  <Hash text={found.confirmed} />
                  {closing && closing.end !== found.confirmed && (
                    <span class="bad apart">not what the operator says</span>
                  )}
                </>
              ) : canAsk ? "not yet" : "connect a wallet to read L1",
            ],
            [
              "Can be confirmed in",
              found?.confirmed
                ? "it is final"
                : open && found
                  ? span(open.claimed_at + found.terms.challenge_period - now.value / 1000)
                  : "–",
            ],
          ]}
        />
      </Panel>
      <Panel title="Claims at the court">
        {court.value.error && <p class="said bad">{court.value.error}</p>}
        <Table
          label="Claims of this epoch"
          nothing={
            found ? "Nobody has claimed its end yet." : canAsk ? "…" : "Connect a wallet: this page may ask no L1 node."
          }
          head={["State", "Claimed by", "#Claimed at", "#Histories", "Claimed end", ""]}
          keys={claims.map((claim) => claim.key)}
          rows={claims.map((claim) => [
            <span class={tellState(claim).kind}>{tellState(claim).text}</span>,
            nameParty(claim.claimant),
            moment(claim.claimed_at * 1000),
            group(claim.histories),
            <Hash text={claim.end} />,
            <a href={link("game", claim.key)}>{claim.disputed_at ? "Watch the dispute" : "Look at the claim"}</a>,
          ])}
        />
      </Panel>
      <Panel title="Batches">
        <Table
          label="Batches of this epoch"
          nothing={past.value.data ? "None of its batches is closed yet." : "…"}
          head={["#Batch", "Life", "#Closed at", "#Records", "#Messages", "Machine after it"]}
          keys={batches.map((batch) => batch.batch)}
          rows={batches.map((batch) => [
            <a href={link("batch", batch.batch)}>{group(batch.batch)}</a>,
            <Life stage={batch.stage} />,
            clock(batch.time_ms),
            group(batch.records),
            batch.messages ? <a href={link("message", batch.first_message)}>{group(batch.messages)}</a> : "0",
            <Hash text={batch.end} />,
          ])}
        />
      </Panel>
      <nav class="pager" aria-label="Other epochs">
        {number > 0 && <a href={link("epoch", number - 1)}>← {number - 1}</a>}
        <a href={link("epoch", number + 1)}>{number + 1} →</a>
      </nav>
    </main>
  );
}

async function readBatches(first: number, last: number): Promise<PastBatch[]> {
  const { batches } = await get<{ batches: PastBatch[] }>(
    `/v1/history/batches?before=${last + 1}&limit=${last - first + 1}`,
  );
  return batches.filter((batch) => batch.batch >= first).reverse();
}
