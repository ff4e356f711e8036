// The market: what a trader keeps open.
import { BookPanel } from "./BookPanel";
import { Chart } from "./Chart";
import { MarketHeader } from "./MarketHeader";
import { MoneyPanel } from "./MoneyPanel";
import { OwnPanel } from "./OwnPanel";
import { Ticket } from "./Ticket";
import { TradesPanel } from "./TradesPanel";

export default function MarketPage() {
  return (
    <main class="market-page" id="main">
      <h1 class="sr">Market</h1>
      <MarketHeader />
      <Chart />
      <BookPanel />
      <TradesPanel />
      <Ticket />
      <OwnPanel />
      <MoneyPanel />
    </main>
  );
}
