// A market at a glance: prices, funding, open interest; and which market that is.
import { info, market, marketNumber, markets } from "../api/exchange";
import { group, percent, span, tone } from "../lib/format";
import { fromUnits } from "../lib/scales";

export function MarketHeader() {
  const terms = market.value;
  if (!terms) return <header class="market-head panel" />;
  const places = terms.tick_size.split(".")[1]?.length ?? 0;
  const decimals = info.value?.collateral.decimals ?? 6;
  const age = Math.max(Math.round(Date.now() / 1000 - terms.index_time), 0);
  return (
    <header class="market-head panel">
      <select
        class="market-choice"
        aria-label="Market"
        value={String(marketNumber.value)}
        onChange={(event) => (marketNumber.value = Number(event.currentTarget.value))}
      >
        {markets.value.map((each) => (
          <option key={each.market} value={String(each.market)}>
            {each.symbol}
          </option>
        ))}
      </select>
      <dl class="glance">
        <Figure name="Mark" value={terms.mark ? group(terms.decimal.mark, places) : "–"} isLarge />
        <Figure name="Index" value={terms.index ? group(terms.decimal.index, places) : "–"} />
        <Figure
          name="Funding, an hour"
          value={percent(terms.funding_rate, 4)}
          tone={tone(terms.funding_rate.toFixed(9))}
          about="What a long lot pays a short one an hour, while the book stays as it is"
        />
        <Figure name="Open interest" value={`${group(terms.decimal.open_interest)} ${terms.base}`} />
        <Figure name="Insurance" value={`${group(fromUnits(terms.insurance, decimals))} ${terms.quote}`} />
        <Figure
          name="Index's age"
          value={terms.index ? (terms.is_fresh ? span(age) : `${span(age)}, old`) : "no price yet"}
          tone={terms.is_fresh ? "" : "warn"}
          about="How long ago the oracle's signers last reported; without a fresh price nothing is traded"
        />
      </dl>
    </header>
  );
}

interface FigureProps {
  name: string;
  value: string;
  tone?: string;
  about?: string;
  isLarge?: boolean;
}

function Figure({ name, value, tone: kind = "", about, isLarge = false }: FigureProps) {
  return (
    <div title={about}>
      <dt>{name}</dt>
      <dd class={`num ${kind} ${isLarge ? "large" : ""}`}>{value}</dd>
    </div>
  );
}
