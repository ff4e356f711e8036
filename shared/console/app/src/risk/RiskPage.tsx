// Risk: who is liquidated at which mark, and what stands behind an account that cannot pay.
import { info, market, marketNumber, markets } from "../api/exchange";
import { get } from "../api/http";
import type { Backstop, Fill, Risk } from "../api/types";
import { clock, group, percent, signed, tone } from "../lib/format";
import { usePolled } from "../lib/poll";
import { link } from "../lib/route";
import { countPlaces } from "../lib/scales";
import { Amount } from "../ui/Amount";
import { Panel } from "../ui/Panel";
import { Stat } from "../ui/Stat";
import { Table } from "../ui/Table";
import { AccountName } from "./AccountName";
import { RankingPanel } from "./RankingPanel";

/** Positions that the API tells of. */
const SHOWN = 50;
/** Ppm of the mark at which the bar of nearness is half full. */
const NEAR = 50_000;
const CENTS = 2;
const LADDER_MS = 5_000;
const POLL_MS = 3_000;

export default function RiskPage() {
  const number = marketNumber.value;
  const backstop = usePolled(() => get<Backstop>("/v1/backstop"), POLL_MS, []);
  const past = usePolled(
    async () => (await get<{ fills: Fill[] }>(`/v1/history/liquidations?market=${number}&limit=30`)).fills,
    POLL_MS,
    [number],
  );
  const found = usePolled(() => get<Risk>(`/v1/risk/${number}`), LADDER_MS, [number]);
  const terms = market.value;
  const decimals = info.value?.collateral.decimals ?? 6;
  const risk = found.value.data;
  const rungs = risk?.nearest ?? [];
  const shares = backstop.value.data;
  const places = countPlaces(terms?.lot_size ?? "1");
  return (
    <main class="page" id="main" tabIndex={-1}>
      <h1>Risk</h1>
      <p class="lead">
        When an account falls below its maintenance margin the machine closes it by rule: in the book first, then with
        the backstop, then with the market's insurance, and last against those who profit, in the order of a published
        score. <a href={link("film")}>See it happen in a flash crash.</a>
      </p>
      <label class="field inline">
        <span>Market</span>
        <select value={String(number)} onChange={(event) => (marketNumber.value = Number(event.currentTarget.value))}>
          {markets.value.map((each) => (
            <option key={each.market} value={String(each.market)}>
              {each.symbol}
            </option>
          ))}
        </select>
      </label>
      <div class="stats">
        <Stat name="Mark" value={group(terms?.decimal.mark)} about={terms?.quote ?? ""} />
        <Stat name="Open interest" value={group(terms?.decimal.open_interest)} about={terms?.base ?? ""} />
        <Stat name="Insurance" value={group(terms?.decimal.insurance, CENTS)} about={`${terms?.quote ?? ""}, of this market`} />
        <Stat name="Backstop's equity" value={shares ? group(shares.decimal.equity, CENTS) : "–"} about={`${terms?.quote ?? ""}, all its owners'`} />
        <Stat name="Backstop's free margin" value={shares ? group(shares.decimal.free, CENTS) : "–"} about={terms?.quote ?? ""} />
        <Stat
          name="Backstop's exposure"
          value={signed(shares?.positions.find((each) => each.market === number)?.decimal.size ?? "0")}
          about={terms?.base ?? ""}
        />
      </div>
      <Panel
        title="Liquidation ladder"
        aside={
          <span class="quiet">
            {risk ? tellLadder(risk) : found.value.error}
          </span>
        }
      >
        <Table
          label="Liquidation ladder"
          nothing={risk ? "No position that a price could liquidate." : "…"}
          head={["Account", "#Size", "#Liquidated at", "#From the mark", "Nearness", "#Profit", "#Equity"]}
          keys={rungs.map((rung) => rung.account)}
          rows={rungs.map((rung) => [
            <AccountName account={rung.account} />,
            <span class={tone(rung.size)}>{signed(rung.decimal.size ?? rung.size, places)}</span>,
            group(rung.decimal.liquidation_price ?? rung.liquidation_price),
            percent(rung.distance),
            <Distance part={NEAR / (NEAR + rung.distance)} isShort={rung.size.startsWith("-")} />,
            <Amount units={rung.profit} decimals={decimals} isSigned />,
            <Amount units={rung.equity} decimals={decimals} />,
          ])}
        />
      </Panel>
      <RankingPanel risk={risk} places={places} />
      <Panel title="Latest liquidations">
        <Table
          label="Latest liquidations"
          nothing={past.value.data ? "Nobody was liquidated here yet." : "…"}
          head={["#Time", "How", "Account", "With", "#Price", "#Size"]}
          keys={(past.value.data ?? []).map((fill) => fill.fill)}
          rows={(past.value.data ?? []).map((fill) => [
            clock(fill.time_ms),
            HOW[fill.kind] ?? fill.kind,
            <a href={link("account", fill.taker)}>{fill.taker}</a>,
            fill.maker ? <a href={link("account", fill.maker)}>{fill.maker}</a> : "the backstop",
            group(fill.decimal.price),
            group(fill.decimal.size),
          ])}
        />
      </Panel>
    </main>
  );
}

function tellLadder({ nearest, longs, shorts, as_of_ms }: Risk): string {
  const all = longs + shorts;
  const which =
    nearest.length === SHOWN
      ? `the ${SHOWN} nearest of ${group(all)} positions`
      : `${group(nearest.length)} of ${group(all)} positions: no price of this market alone liquidates the others`;
  return `${nearest.length === all ? `all ${group(all)} positions` : which}; as of ${clock(as_of_ms)}`;
}

function Distance({ part, isShort }: { part: number; isShort: boolean }) {
  return (
    <span class="bar" aria-hidden="true">
      <i class={isShort ? "down" : "up"} style={{ transform: `scaleX(${part})` }} />
    </span>
  );
}

const HOW: Record<string, string> = {
  liquidation: "in the book",
  unwind: "the backstop, in the book",
  takeover: "taken over by the backstop",
  deleverage: "against a position in profit",
};
