// The book with its depth: asks above, bids below, the spread between them. A click takes a price to the ticket.
import { useSignal } from "@preact/signals";
import { market } from "../api/exchange";
import { fromSteps } from "../lib/scales";
import { group } from "../lib/format";
import { book, bookChecks, type Row } from "./book";
import { price as ticketPrice } from "./ticket";

const ROWS = 11;

export function BookPanel() {
  const terms = market.value;
  const { bids, asks } = book.value;
  const isCumulative = useSignal(false);
  if (!terms) return <section class="panel book" aria-label="Order book" />;
  const shown = { bids: bids.slice(0, ROWS), asks: asks.slice(0, ROWS) };
  const deepest = max(shown.bids.at(-1)?.total ?? 0n, shown.asks.at(-1)?.total ?? 0n, 1n);
  const best = { bid: bids[0]?.price, ask: asks[0]?.price };
  const spread = best.bid !== undefined && best.ask !== undefined ? best.ask - best.bid : undefined;
  const side = (rows: readonly Row[], name: "bids" | "asks") => {
    const lines = Array.from({ length: ROWS }, (_, at) => rows[at]);
    if (name === "asks") lines.reverse();
    return lines.map((row, at) => (
      <Line
        key={at}
        row={row}
        name={name}
        part={row ? Number((row.total * 1000n) / deepest) / 1000 : 0}
        price={row ? fromSteps(row.price, terms.tick_size) : ""}
        size={row ? fromSteps(isCumulative.value ? row.total : row.size, terms.lot_size) : ""}
      />
    ));
  };
  return (
    <section class="panel book" aria-label="Order book">
      <header class="panel-head">
        <h2>Book</h2>
        <label class="check">
          <input
            type="checkbox"
            checked={isCumulative.value}
            onChange={(event) => (isCumulative.value = event.currentTarget.checked)}
          />
          cumulative
        </label>
      </header>
      <div class="book-head columns" aria-hidden="true">
        <span>Price ({terms.quote})</span>
        <span>Size ({terms.base})</span>
      </div>
      <div class="book-side asks">{side(shown.asks, "asks")}</div>
      <div class="book-middle">
        <strong class="mark">{terms.decimal.mark ? group(terms.decimal.mark, places(terms.tick_size)) : "–"}</strong>
        <span class="quiet">
          {spread === undefined
            ? "no spread"
            : `spread ${group(fromSteps(spread, terms.tick_size))} · ${bps(spread, best.bid ?? 1)}`}
        </span>
      </div>
      <div class="book-side bids">{side(shown.bids, "bids")}</div>
      <footer class="panel-foot quiet" title="Each update carries a checksum of the ten best levels of each side">
        {group(bookChecks.value.right)} {bookChecks.value.right === 1 ? "update" : "updates"} checked
        {bookChecks.value.renewed ? `, asked anew ${bookChecks.value.renewed}×` : ""}
      </footer>
    </section>
  );
}

interface LineProps {
  row: Row | undefined;
  name: "bids" | "asks";
  part: number;
  price: string;
  size: string;
}

function Line({ row, name, part, price, size }: LineProps) {
  if (!row) return <div class="level empty" />;
  return (
    <button
      type="button"
      class={`level ${name}`}
      tabIndex={-1}
      title="Take this price"
      onClick={() => (ticketPrice.value = price)}
    >
      <span class="depth" style={{ transform: `scaleX(${part})` }} />
      <span class="num price">
        <span class="sr">{name === "bids" ? "Bid " : "Ask "}</span>
        {group(price)}
      </span>
      <span class="num">{group(size)}</span>
    </button>
  );
}

function max(...values: bigint[]): bigint {
  return values.reduce((most, value) => (value > most ? value : most));
}

function places(step: string): number {
  return step.split(".")[1]?.length ?? 0;
}

function bps(spread: number, price: number): string {
  return `${((spread / price) * 10_000).toFixed(1)} bps`;
}
