// Keys that may trade for the account and no more than trade: who they are, one more, one less.
import { useSignal } from "@preact/signals";
import { isAddress, type Hex } from "viem";
import { info, markets, status } from "../api/exchange";
import { group, moment } from "../lib/format";
import { Field } from "../ui/Field";
import { Hash } from "../ui/Hash";
import { Table } from "../ui/Table";
import { account } from "../wallet/account";
import { nameAgent, removeAgent } from "../wallet/agents";
import type { Acting } from "./OwnPanel";

const DAY = 86_400;

export function Agents({ act }: Acting) {
  const agents = account.value?.agents ?? [];
  return (
    <>
      <Table
        head={["#Agent", "Key", "May", "Markets", "#Until", ""]}
        label="Agents"
        nothing="No other key may trade for this account."
        keys={agents.map((agent) => agent.agent)}
        rows={agents.map((agent) => [
          agent.agent,
          <Hash text={agent.key} />,
          `${agent.kinds.join(", ") || "trade"}${agent.closes_only ? ", only to close" : ""}`,
          agent.markets.map(nameMarket).join(", ") || "all",
          moment(agent.expiry * 1000),
          <button
            type="button"
            class="quiet-button"
            aria-label={`Revoke agent ${agent.agent}`}
            onClick={() => act(() => removeAgent(agent.agent))}
          >
            Revoke
          </button>,
        ])}
      />
      {account.value && <NewAgent act={act} taken={agents.map((agent) => agent.agent)} />}
    </>
  );
}

function NewAgent({ act, taken }: Acting & { taken: readonly number[] }) {
  const key = useSignal("");
  const days = useSignal("30");
  const market = useSignal(0);
  const closesOnly = useSignal(false);
  const isBusy = useSignal(false);
  const free = Array.from({ length: info.value?.limits.max_agent ?? 0 }, (_, at) => at + 1).find(
    (number) => !taken.includes(number),
  );
  const span = Number(days.value);
  const isSound = isAddress(key.value.trim()) && span > 0 && span <= 3650 && free !== undefined;
  return (
    <form
      class="agent-form"
      aria-label="Name an agent"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isSound || isBusy.value) return;
        isBusy.value = true;
        act(() =>
          nameAgent({
            number: free,
            key: key.value.trim() as Hex,
            expiry: Math.floor((status.value?.l1_time ?? Date.now() / 1000) + span * DAY),
            market: market.value,
            closesOnly: closesOnly.value,
          })
            .then(() => (key.value = ""))
            .finally(() => (isBusy.value = false)),
        );
      }}
    >
      <Field name="agent-key" label="Address" value={key} placeholder="0x…" />
      <Field name="agent-days" label="For" value={days} unit="days" />
      <select
        aria-label="Markets of the agent"
        value={String(market.value)}
        onChange={(event) => (market.value = Number(event.currentTarget.value))}
      >
        <option value="0">all markets</option>
        {markets.value.map((each) => (
          <option key={each.market} value={String(each.market)}>
            {each.symbol} only
          </option>
        ))}
      </select>
      <label class="check">
        <input
          type="checkbox"
          checked={closesOnly.value}
          onChange={(event) => (closesOnly.value = event.currentTarget.checked)}
        />
        only to close
      </label>
      <button type="submit" disabled={!isSound || isBusy.value}>
        {free === undefined ? `All ${group(info.value?.limits.max_agent)} are named` : `Name agent ${free}`}
      </button>
    </form>
  );
}

function nameMarket(number: number): string {
  return markets.value.find((each) => each.market === number)?.symbol ?? String(number);
}
