// One batch: its header, its life, its records.
import { get } from "../api/http";
import { info } from "../api/exchange";
import type { Batch, PastBatch, PastRecord } from "../api/types";
import { group, moment } from "../lib/format";
import { usePolled } from "../lib/poll";
import { link, route } from "../lib/route";
import { Facts } from "../ui/Facts";
import { Hash } from "../ui/Hash";
import { Panel } from "../ui/Panel";
import { RecordTable } from "./RecordTable";
import { Life, MEANINGS, STAGES } from "./stages";

const SHOWN = 25;
const POLL_MS = 2_000;

export default function BatchPage() {
  const number = Number(route.value[1] ?? "0");
  const header = usePolled(() => get<Batch>(`/v1/batches/${number}`), 0, [number]);
  const past = usePolled(
    async () => (await get<{ batches: PastBatch[] }>(`/v1/history/batches?before=${number + 1}&limit=1`)).batches[0],
    POLL_MS,
    [number],
  );
  const batch = header.value.data;
  const records = usePolled(() => readRecords(batch), 0, [batch?.batch]);
  const life = past.value.data;
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>Batch {group(number)}</h1>
      {header.value.error && <p class="said bad">{header.value.error}</p>}
      {life && (
        <ol class="timeline">
          {STAGES.map((stage, at) => {
            const landing = stage === "closed" ? undefined : life[stage];
            const isDone = at <= STAGES.indexOf(life.stage as (typeof STAGES)[number]);
            return (
              <li key={stage} class={isDone ? "done" : ""}>
                <strong>{stage}</strong>
                <span class="quiet">{MEANINGS[stage]}</span>
                {stage === "closed" && <span class="num">{moment(life.time_ms)}</span>}
                {landing && (
                  <span>
                    block {group(landing.block)} · <Hash text={landing.transaction} />
                  </span>
                )}
              </li>
            );
          })}
        </ol>
      )}
      {batch && (
        <Panel title="Header" aside={life && <Life stage={life.stage} />}>
          <Facts
            rows={[
              ["Hash", <Hash text={batch.hash} />],
              ["Parent", <Hash text={batch.parent} />],
              ["Timestamp", moment(batch.timestamp_ms)],
              ["Epoch", group(Math.floor(number / (info.value?.epoch_batches ?? 1)))],
              [
                "L1 messages",
                batch.message_count ? `${group(batch.message_count)}, from ${group(batch.first_message)}` : "none",
              ],
              [
                "Records",
                batch.record_count ? `${group(batch.record_count)}, from ${group(batch.first_record)}` : "none",
              ],
              ["Data root", <Hash text={batch.data_root} />],
              ["Queue hash", <Hash text={batch.queue_hash} />],
              ["Machine after it", <Hash text={batch.end} />],
            ]}
          />
        </Panel>
      )}
      <Panel
        title="Records"
        aside={
          batch && batch.record_count > SHOWN ? (
            <span class="quiet">
              the first {SHOWN} of {group(batch.record_count)}
            </span>
          ) : undefined
        }
      >
        <RecordTable records={records.value.data ?? []} />
      </Panel>
      <nav class="pager" aria-label="Other batches">
        {number > 0 && <a href={link("batch", number - 1)}>← {number - 1}</a>}
        <a href={link("batch", number + 1)}>{number + 1} →</a>
      </nav>
    </main>
  );
}

async function readRecords(batch: Batch | undefined): Promise<PastRecord[]> {
  const found: PastRecord[] = [];
  for (let at = 0; batch && at < Math.min(batch.record_count, SHOWN); at++) {
    found.push(await get<PastRecord>(`/v1/records/${batch.first_record + at}`));
  }
  return found;
}
