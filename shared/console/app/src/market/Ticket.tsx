// The order ticket.
import { useSignal } from "@preact/signals";
import { info, market } from "../api/exchange";
import { tell } from "../api/http";
import type { Result } from "../api/types";
import { Field } from "../ui/Field";
import { group } from "../lib/format";
import { atMost, fromSteps, fromUnits } from "../lib/scales";
import { account } from "../wallet/account";
import { Pending } from "../wallet/errors";
import { place, tellOrder, type TimeInForce } from "../wallet/orders";
import { clearNews } from "../wallet/settle";
import { wallet } from "../wallet/wallet";
import { OnTheWay } from "./OnTheWay";
import { cost, isReduceOnly, kind, lots, obstacle, price, side, size, ticks, timeInForce } from "./ticket";

const ORDERS = ["Order"] as const;
const TIMES: readonly [TimeInForce, string][] = [
  ["gtc", "until cancelled"],
  ["ioc", "at once or not"],
  ["fok", "all at once"],
  ["post_only", "never at once"],
];

export function Ticket() {
  const terms = market.value;
  const isBusy = useSignal(false);
  const said = useSignal<{ text: string; isBad: boolean }>({ text: "", isBad: false });
  if (!terms) return <section class="panel ticket" aria-label="Order ticket" />;
  const decimals = info.value?.collateral.decimals ?? 6;
  const money = (units: bigint | string) => group(fromUnits(units, decimals));
  const reckoned = cost.value;
  const isReady = !obstacle.value && ticks.value && lots.value && !isBusy.value;

  async function send(event: Event): Promise<void> {
    event.preventDefault();
    if (!terms || !ticks.value || !lots.value) return;
    isBusy.value = true;
    said.value = { text: "", isBad: false };
    clearNews("Order");
    try {
      const wanted = {
        market: terms,
        side: side.value,
        price: ticks.value,
        size: lots.value,
        timeInForce: kind.value === "market" ? "ioc" : timeInForce.value,
        isReduceOnly: isReduceOnly.value,
      } as const;
      const result = await place(wanted, tellOrder(wanted));
      said.value = { text: describe(result, terms.lot_size, terms.base), isBad: false };
    } catch (error) {
      // What is pending is told below, until it is known what became of it.
      said.value = error instanceof Pending ? { text: "", isBad: false } : { text: tell(error), isBad: true };
    } finally {
      isBusy.value = false;
    }
  }

  return (
    <section class="panel ticket" aria-label="Order ticket">
      <form onSubmit={(event) => void send(event)}>
        <div class="segments wide" role="group" aria-label="Side">
          {(["buy", "sell"] as const).map((each) => (
            <button
              key={each}
              type="button"
              class={each}
              aria-pressed={side.value === each}
              onClick={() => (side.value = each)}
            >
              {each === "buy" ? "Buy" : "Sell"}
            </button>
          ))}
        </div>
        <div class="segments wide" role="group" aria-label="Kind of order">
          {(["limit", "market"] as const).map((each) => (
            <button key={each} type="button" aria-pressed={kind.value === each} onClick={() => (kind.value = each)}>
              {each === "limit" ? "Limit" : "Market"}
            </button>
          ))}
        </div>
        <Field
          name="price"
          label="Price"
          value={price}
          unit={terms.quote}
          placeholder={terms.decimal.mark ?? ""}
          fixed={kind.value === "market" ? worst(ticks.value, terms.tick_size) : undefined}
        />
        <Field name="size" label="Size" value={size} unit={terms.base} placeholder={terms.lot_size} />
        <div class="ticket-options">
          <label class="check">
            <input
              type="checkbox"
              checked={isReduceOnly.value}
              onChange={(event) => (isReduceOnly.value = event.currentTarget.checked)}
            />
            reduce only
          </label>
          <select
            aria-label="How long it stands"
            disabled={kind.value === "market"}
            value={kind.value === "market" ? "ioc" : timeInForce.value}
            onChange={(event) => (timeInForce.value = event.currentTarget.value as TimeInForce)}
          >
            {TIMES.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </div>
        <dl class="facts">
          <Fact name="Order value" value={reckoned && money(reckoned.value)} unit={terms.quote} />
          <Fact
            name="Margin, at most"
            value={reckoned && group(atMost(reckoned.margin, decimals))}
            unit={terms.quote}
          />
          <Fact name="Fee now, at most" value={reckoned && group(atMost(reckoned.fee, decimals))} unit={terms.quote} />
          <Fact
            name="Trades at once"
            value={reckoned && group(fromSteps(reckoned.crossing, terms.lot_size))}
            unit={terms.base}
          />
          <Fact name="Free" value={account.value && money(account.value.free)} unit={terms.quote} />
        </dl>
        <p class="obstacle" aria-live="polite">
          {obstacle.value}
        </p>
        <button type="submit" class={`primary ${side.value}`} disabled={!isReady}>
          {isBusy.value ? "Signing and sending…" : `${side.value === "buy" ? "Buy" : "Sell"} ${terms.base}`}
        </button>
        <p class={said.value.isBad ? "said bad" : "said"} role="status">
          {said.value.text || (wallet.value ? "\u00a0" : "")}
        </p>
        <OnTheWay kinds={ORDERS} />
      </form>
    </section>
  );
}

function worst(ticks: bigint | undefined, step: string): string {
  return ticks ? `to ${group(fromSteps(ticks, step))}` : "–";
}

function Fact({ name, value, unit }: { name: string; value: string | undefined; unit: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="num">
        {value ?? "–"} <span class="unit">{unit}</span>
      </dd>
    </div>
  );
}

function describe(result: Result, lot: string, base: string): string {
  const filled = result.fills.reduce((sum, fill) => sum + BigInt(fill.size), 0n);
  const parts = [`Record ${result.sequence} taken`];
  if (filled) parts.push(`${group(fromSteps(filled, lot))} ${base} traded`);
  if (BigInt(result.resting)) parts.push(`${group(fromSteps(BigInt(result.resting), lot))} ${base} rest in the book`);
  if (result.outcome !== "accepted") parts.push(`ended: ${result.outcome}`);
  return parts.join(", ");
}
