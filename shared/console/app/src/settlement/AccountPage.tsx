// One account: its money and health, its ledger, its records, and what L1 still has to pay it.
import { info, markets } from "../api/exchange";
import { get } from "../api/http";
import type { Account, LedgerEntry, PastRecord } from "../api/types";
import { group, moment, signed, tone } from "../lib/format";
import { usePolled } from "../lib/poll";
import { fromSteps } from "../lib/scales";
import { link, route } from "../lib/route";
import { Amount } from "../ui/Amount";
import { Facts } from "../ui/Facts";
import { Hash } from "../ui/Hash";
import { Panel } from "../ui/Panel";
import { Table } from "../ui/Table";
import { RecordTable } from "./RecordTable";
import { Withdrawals } from "./Withdrawals";

const POLL_MS = 2_500;

export default function AccountPage() {
  const named = route.value[1] ?? "";
  const polled = usePolled(() => get<Account>(`/v1/accounts/${named}`), POLL_MS, [named]);
  const account = polled.value.data;
  const number = account?.account;
  const ledger = usePolled(
    async () =>
      number === undefined
        ? []
        : (await get<{ entries: LedgerEntry[] }>(`/v1/history/ledger/${number}?limit=100`)).entries,
    POLL_MS,
    [number],
  );
  const records = usePolled(
    async () =>
      number === undefined
        ? []
        : (await get<{ records: PastRecord[] }>(`/v1/history/records/${number}?limit=50`)).records,
    POLL_MS,
    [number],
  );
  const decimals = info.value?.collateral.decimals ?? 6;
  const entries = ledger.value.data ?? [];
  const held = (account?.positions ?? []).filter((each) => each.size !== "0");
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>Account {number ?? named}</h1>
      {polled.value.error && <p class="said bad">{polled.value.error}</p>}
      {account && (
        <Panel
          title="Money and health"
          aside={
            <span class="quiet">
              in {info.value?.collateral.symbol}, owned by <Hash text={account.owner} />
            </span>
          }
        >
          <Facts
            rows={[
              ["Equity", <Amount units={account.equity} decimals={decimals} />],
              ["Collateral", <Amount units={account.collateral} decimals={decimals} />],
              ["Free", <Amount units={account.free} decimals={decimals} />],
              ["Initial margin", <Amount units={account.requirement} decimals={decimals} />],
              ["Maintenance margin", <Amount units={account.maintenance} decimals={decimals} />],
              ["Beyond maintenance", <Amount units={account.buffer} decimals={decimals} />],
              ["Orders", group(account.order_count)],
              ["Next nonce", group(account.next_nonce)],
            ]}
          />
        </Panel>
      )}
      {held.length > 0 && (
        <Panel title="Positions">
          <Table
            label="Positions"
            head={["Market", "#Size", "#Entry", "#Mark", "#Profit", "#Liquidation"]}
            rows={held.map((each) => [
              each.symbol,
              <span class={tone(each.size)}>{signed(each.decimal.size)}</span>,
              group(each.entry_price),
              group(each.decimal.mark),
              <Amount units={each.profit} decimals={decimals} isSigned />,
              each.liquidation_price === null ? "none" : group(fromSteps(each.liquidation_price, tick(each.market))),
            ])}
          />
        </Panel>
      )}
      {account && <Withdrawals entries={entries} owner={account.owner} />}
      {account && (
        <Panel title="Ledger" aside={<span class="quiet">every change of the collateral, to the unit</span>}>
          {ledger.value.error && <p class="said bad">{ledger.value.error}</p>}
          <Table
            label="Ledger"
            head={["Why", "#Amount", "Market", "#Time", "#Batch", "#Input"]}
            nothing={ledger.value.data ? "Nothing has changed it yet." : "…"}
            keys={entries.map((entry) => entry.entry)}
            rows={entries.map((entry) => [
              entry.kind,
              <span class={tone(entry.amount)}>{signed(entry.decimal.amount, decimals)}</span>,
              entry.market === null ? "–" : nameMarket(entry.market),
              moment(entry.time_ms),
              <a href={link("batch", entry.batch)}>{group(entry.batch)}</a>,
              entry.kind === "deposit" ? (
                <a href={link("message", `${entry.batch}:${entry.input_index}`)}>{group(entry.input_index)}, from L1</a>
              ) : (
                group(entry.input_index)
              ),
            ])}
          />
        </Panel>
      )}
      {account && (
        <Panel title="Records" aside={<span class="quiet">the latest 50</span>}>
          <RecordTable
            records={records.value.data ?? []}
            nothing={records.value.data ? "It has sent none yet." : "…"}
          />
        </Panel>
      )}
    </main>
  );
}

function tick(market: number): string {
  return markets.value.find((each) => each.market === market)?.tick_size ?? "1";
}

function nameMarket(number: number): string {
  return markets.value.find((each) => each.market === number)?.symbol ?? String(number);
}
