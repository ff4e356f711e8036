// What is one's own: positions, orders, fills, agents.
import { useSignal } from "@preact/signals";
import { info, markets } from "../api/exchange";
import { tell } from "../api/http";
import type { Market } from "../api/types";
import { Amount } from "../ui/Amount";
import { Table } from "../ui/Table";
import { clock, group, percent, signed, tone } from "../lib/format";
import { fromSteps, fromUnits } from "../lib/scales";
import { account, fills } from "../wallet/account";
import { cancel, cancelAll, place, tellOrder } from "../wallet/orders";
import { Agents } from "./Agents";

const TABS = ["Positions", "Orders", "Fills", "Agents"] as const;
type Tab = (typeof TABS)[number];

export function OwnPanel() {
  const tab = useSignal<Tab>("Positions");
  const said = useSignal("");
  const own = account.value;
  const counts: Record<Tab, number> = {
    Positions: held().length,
    Orders: own?.orders.length ?? 0,
    Fills: fills.value.length,
    Agents: own?.agents.length ?? 0,
  };
  const act = (work: () => Promise<unknown>) => {
    said.value = "";
    work().catch((error: unknown) => (said.value = tell(error)));
  };
  return (
    <section class="panel own" aria-label="Your account">
      <header class="panel-head">
        <div class="tabs" role="tablist">
          {TABS.map((each) => (
            <button
              key={each}
              type="button"
              role="tab"
              aria-selected={tab.value === each}
              onClick={() => (tab.value = each)}
            >
              {each} <span class="count">{counts[each] || ""}</span>
            </button>
          ))}
        </div>
        {tab.value === "Orders" && counts.Orders > 0 && (
          <button type="button" class="quiet-button" onClick={() => act(cancelAll)}>
            Cancel all
          </button>
        )}
      </header>
      {said.value && (
        <p class="said bad" role="status">
          {said.value}
        </p>
      )}
      <div role="tabpanel" aria-label={tab.value}>
        {tab.value === "Positions" && <Positions act={act} />}
        {tab.value === "Orders" && <Orders act={act} />}
        {tab.value === "Fills" && <Fills />}
        {tab.value === "Agents" && <Agents act={act} />}
      </div>
    </section>
  );
}

export interface Acting {
  act: (work: () => Promise<unknown>) => void;
}

function held() {
  return (account.value?.positions ?? []).filter((each) => each.size !== "0");
}

function find(number: number): Market | undefined {
  return markets.value.find((each) => each.market === number);
}

function Positions({ act }: Acting) {
  const decimals = info.value?.collateral.decimals ?? 6;
  return (
    <Table
      head={[
        "Market",
        "#Size",
        "#Entry",
        "#Mark",
        "#Value",
        "#Profit",
        "#Liquidation",
        "#Distance",
        "#Maintenance",
        "",
      ]}
      label="Positions"
      nothing="No open position."
      rows={held().map((position) => {
        const terms = find(position.market);
        const tick = terms?.tick_size ?? "1";
        return [
          <strong>{position.symbol}</strong>,
          <span class={tone(position.size)}>{signed(position.decimal.size)}</span>,
          group(position.entry_price),
          group(position.decimal.mark),
          <Amount units={position.value} decimals={decimals} />,
          <Amount units={position.profit} decimals={decimals} isSigned />,
          position.liquidation_price === null ? "none" : group(fromSteps(position.liquidation_price, tick)),
          position.distance === null ? "–" : percent(position.distance),
          <Amount units={position.maintenance} decimals={decimals} />,
          <button
            type="button"
            class="quiet-button"
            onClick={() =>
              act(async () => {
                if (!terms) return;
                const isLong = BigInt(position.size) > 0n;
                const away = (BigInt(terms.mark) * BigInt(Math.min(10_000, terms.band))) / 1_000_000n;
                const wanted = {
                  market: terms,
                  side: isLong ? "sell" : "buy",
                  price: isLong ? BigInt(terms.mark) - away : BigInt(terms.mark) + away,
                  size: BigInt(position.size.replace("-", "")),
                  timeInForce: "ioc",
                  isReduceOnly: true,
                } as const;
                await place(wanted, tellOrder(wanted));
              })
            }
          >
            Close
          </button>,
        ];
      })}
    />
  );
}

function Orders({ act }: Acting) {
  const orders = account.value?.orders ?? [];
  return (
    <Table
      head={["Market", "Side", "#Price", "#Left", "#Trigger", "#Kind", ""]}
      label="Orders"
      nothing="No order stands."
      rows={orders.map((order) => [
        <strong>{order.symbol}</strong>,
        <span class={order.side === "buy" ? "up" : "down"}>{order.side}</span>,
        group(order.decimal.price),
        group(order.decimal.size),
        order.trigger_price === null
          ? "–"
          : group(fromSteps(order.trigger_price, find(order.market)?.tick_size ?? "1")),
        `${order.flags}${order.reduce_only ? ", reduce only" : ""}`,
        <button
          type="button"
          class="quiet-button"
          aria-label={`Cancel the order to ${order.side} at ${order.decimal.price}`}
          onClick={() => act(() => cancel(order.order_slot))}
        >
          Cancel
        </button>,
      ])}
    />
  );
}

function Fills() {
  const own = account.value?.account;
  const decimals = info.value?.collateral.decimals ?? 6;
  return (
    <Table
      head={["#Time", "Market", "Side", "#Price", "#Size", "#Fee", "#As"]}
      label="Fills"
      nothing="Nothing traded yet."
      rows={fills.value.map((fill) => {
        const isTaker = fill.taker === own;
        const bought = isTaker === (fill.side === "buy");
        return [
          clock(fill.time_ms),
          <strong>{fill.symbol}</strong>,
          <span class={bought ? "up" : "down"}>{bought ? "buy" : "sell"}</span>,
          group(fill.decimal.price),
          group(fill.decimal.size),
          fill.fee === undefined ? "–" : group(fromUnits(fill.fee, decimals, 4)),
          `${isTaker ? "taker" : "maker"}${fill.kind === "trade" ? "" : `, ${fill.kind}`}`,
        ];
      })}
    />
  );
}
