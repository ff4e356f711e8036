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
import { Landings } from "./Landings";
import { Life } from "./stages";

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
  // The history answers with the last batch there is where this one is not closed yet.
  const life = past.value.data?.batch === number ? past.value.data : undefined;
  const epoch = Math.floor(number / (info.value?.epoch_batches ?? 1));
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>Batch {group(number)}</h1>
      {header.value.error && <p class="said bad">{header.value.error}</p>}
      {life && <Landings life={life} />}
      {batch && (
        <Panel title="Header" aside={life && <Life stage={life.stage} />}>
          <Facts
            rows={[
              ["Hash", <Hash text={batch.hash} />],
              ["Parent", <Hash text={batch.parent} />],
              ["Timestamp", moment(batch.timestamp_ms)],
              ["Epoch", <a href={link("epoch", epoch)}>{group(epoch)}</a>],
              [
                "L1 messages",
                batch.message_count ? (
                  <>
                    {group(batch.message_count)}, from{" "}
                    <a href={link("message", batch.first_message)}>message {group(batch.first_message)}</a>
                  </>
                ) : (
                  "none"
                ),
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
      {batch && (
        <Panel
          title="Records"
          aside={
            batch.record_count > SHOWN ? (
              <span class="quiet">
                the first {SHOWN} of {group(batch.record_count)}
              </span>
            ) : undefined
          }
        >
          <RecordTable records={records.value.data ?? []} nothing={batch.record_count ? "…" : "It has none."} />
        </Panel>
      )}
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
