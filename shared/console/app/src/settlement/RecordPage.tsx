// One record: what it was, what became of it, how far it is.
import { info } from "../api/exchange";
import { get } from "../api/http";
import type { PastRecord } from "../api/types";
import { group, moment } from "../lib/format";
import { usePolled } from "../lib/poll";
import { link, route } from "../lib/route";
import { Facts } from "../ui/Facts";
import { Hash } from "../ui/Hash";
import { Panel } from "../ui/Panel";
import { nameKind } from "./kinds";
import { Life, MEANINGS } from "./stages";

const POLL_MS = 2_000;

export default function RecordPage() {
  const number = Number(route.value[1] ?? "0");
  const polled = usePolled(() => get<PastRecord>(`/v1/records/${number}`), POLL_MS, [number]);
  const record = polled.value.data;
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>Record {group(number)}</h1>
      {polled.value.error && <p class="said bad">{polled.value.error}</p>}
      {record && (
        <Panel title={nameKind(record.type)} aside={<Life stage={record.stage} />}>
          <p class="lead inside">{MEANINGS[record.stage]}.</p>
          <Facts
            rows={[
              ["Outcome", <span class={record.outcome === "accepted" ? "up" : "warn"}>{record.outcome}</span>],
              ["Account", record.account ? <a href={link("account", record.account)}>{record.account}</a> : "nobody's"],
              ["Nonce", group(record.nonce)],
              ["Agent", record.agent ? String(record.agent) : "the owner"],
              ["Taken at", moment(record.time_ms)],
              ["Batch", <a href={link("batch", record.batch)}>{group(record.batch)}</a>],
              ["Epoch", <a href={link("epoch", epochOf(record.batch))}>{group(epochOf(record.batch))}</a>],
              ["Input of the batch", group(record.input_index)],
              ["Hash", <Hash text={record.hash} />],
            ]}
          />
        </Panel>
      )}
      <nav class="pager" aria-label="Other records">
        {number > 0 && <a href={link("record", number - 1)}>← {number - 1}</a>}
        <a href={link("record", number + 1)}>{number + 1} →</a>
      </nav>
    </main>
  );
}

function epochOf(batch: number): number {
  return Math.floor(batch / (info.value?.epoch_batches ?? 1));
}
