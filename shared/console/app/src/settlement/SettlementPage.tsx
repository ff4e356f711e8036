// The batches on their way to L1: what is closed, posted, claimed, confirmed; and whether the vault has what it owes.
import { info, status } from "../api/exchange";
import { get } from "../api/http";
import type { PastBatch } from "../api/types";
import { clock, group, span } from "../lib/format";
import { now } from "../lib/now";
import { usePolled } from "../lib/poll";
import { canAskL1 } from "../wallet/rpc";
import { go, link } from "../lib/route";
import { Stat } from "../ui/Stat";
import { Hash } from "../ui/Hash";
import { Panel } from "../ui/Panel";
import { Table } from "../ui/Table";
import { loadTerms } from "../watch/watch";
import { timeLeft } from "./court";
import { Life, STAGES } from "./stages";
import { Solvency } from "./Solvency";

const PAGE = 50;
const POLL_MS = 1_500;

export default function SettlementPage() {
  const polled = usePolled(() => get<{ batches: PastBatch[] }>(`/v1/history/batches?limit=${PAGE}`), POLL_MS, []);
  const court = usePolled(loadTerms, 30_000, [canAskL1()]);
  const batches = polled.value.data?.batches ?? [];
  const state = status.value;
  const unfinished = batches.filter((batch) => batch.stage !== "confirmed");
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>Settlement</h1>
      <p class="lead">
        Inputs are final when they are posted. Their result is claimed at the court, stays open to dispute for a
        challenge period, and is then confirmed: from that moment L1 pays withdrawals by it.
      </p>
      <div class="stats">
        <Stat name="Records taken" value={group(state?.records)} />
        <Stat name="Batches closed" value={group(state?.batch)} />
        <Stat name="Not on L1 yet" value={group(state?.unposted)} />
        <Stat name="Not final yet" value={group(unfinished.length)} about={`of the last ${PAGE} batches`} />
        <Stat name="Accounts" value={group(state?.accounts)} />
        <Stat
          name="Challenge period"
          value={court.value.data ? span(court.value.data.challenge_period) : "–"}
          about={court.value.data ? "from the court on L1" : "needs an L1 node that this page may ask"}
        />
      </div>
      <Solvency />
      <LookUp />
      <Panel title="Batches" aside={<span class="quiet">{STAGES.join(" → ")}</span>}>
        {polled.value.error && <p class="said bad">{polled.value.error}</p>}
        <Table
          label="Latest batches"
          nothing={polled.value.data ? "No batch is closed yet." : "…"}
          head={[
            "#Batch",
            "#Epoch",
            "Life",
            "#Closed at",
            "#Records",
            "#Messages",
            "#Final in",
            "Posted in",
            "Claimed in",
            "Machine after it",
          ]}
          keys={batches.map((batch) => batch.batch)}
          rows={batches.map((batch) => [
            <a href={link("batch", batch.batch)}>{group(batch.batch)}</a>,
            <a href={link("epoch", batch.epoch)}>{group(batch.epoch)}</a>,
            <Life stage={batch.stage} />,
            clock(batch.time_ms),
            group(batch.records),
            batch.messages ? <a href={link("message", batch.first_message)}>{group(batch.messages)}</a> : "0",
            batch.stage === "confirmed" ? "final" : leave(batch),
            batch.posted ? <Hash text={batch.posted.transaction} /> : "–",
            batch.claimed ? <Hash text={batch.claimed.transaction} /> : "–",
            <Hash text={batch.end} />,
          ])}
        />
      </Panel>
    </main>
  );

  function leave(batch: PastBatch): string {
    const left = court.value.data && timeLeft(court.value.data, batch, now.value);
    return left === undefined ? "–" : left > 0 ? span(left) : "now";
  }
}

/** The page of whatever somebody types the number of. */
function LookUp() {
  return (
    <form
      class="look-up"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const [kind, what] = [...new FormData(event.currentTarget).values()].map(String);
        if (kind && what) go(kind, what.trim());
      }}
    >
      <select name="kind" aria-label="What to look up">
        <option value="account">Account</option>
        <option value="batch">Batch</option>
        <option value="record">Record</option>
        <option value="epoch">Epoch</option>
        <option value="message">L1 message</option>
      </select>
      <input name="what" aria-label="Its number" placeholder="a number, or an owner's address" autoComplete="off" />
      <button type="submit">Show</button>
      {info.value && (
        <span class="quiet">
          vault <Hash text={info.value.vault} />
        </span>
      )}
    </form>
  );
}
