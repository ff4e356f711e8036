// The latest trades.
import { market } from "../api/exchange";
import { clock, group } from "../lib/format";
import { fromSteps } from "../lib/scales";
import { trades } from "./trades";

const ROWS = 40;

export function TradesPanel() {
  const terms = market.value;
  return (
    <section class="panel trades" aria-label="Trades">
      <header class="panel-head">
        <h2>Trades</h2>
      </header>
      <div class="scroll" tabIndex={0} role="group" aria-label="Latest trades">
        <table class="table tight">
          <thead>
            <tr>
              <th class="num">Price</th>
              <th class="num">Size</th>
              <th class="num">Time</th>
            </tr>
          </thead>
          <tbody>
            {terms &&
              trades.value.slice(0, ROWS).map((trade) => (
                <tr key={trade.fill}>
                  <td class={`num ${trade.side === "buy" ? "up" : "down"}`}>
                    <span class="sr">{trade.side === "buy" ? "bought at " : "sold at "}</span>
                    {group(fromSteps(trade.price, terms.tick_size))}
                  </td>
                  <td class="num">{group(fromSteps(BigInt(trade.size), terms.lot_size))}</td>
                  <td class="num quiet">{clock(trade.time_ms)}</td>
                </tr>
              ))}
          </tbody>
        </table>
        {terms && trades.value.length === 0 && <p class="nothing">Nothing was traded yet.</p>}
      </div>
    </section>
  );
}
