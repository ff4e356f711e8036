// The ranking for deleveraging, both sides, by the machine's own score.
import { info } from "../api/exchange";
import type { Ranked, Risk } from "../api/types";
import { group, signed, tone } from "../lib/format";
import { Amount } from "../ui/Amount";
import { Panel } from "../ui/Panel";
import { Table } from "../ui/Table";
import { AccountName } from "./AccountName";

interface Side {
  name: string;
  /** Of its positions. */
  count: number | undefined;
  ranked: readonly Ranked[] | undefined;
  /** Of a size, behind its point. */
  places: number;
}

export function RankingPanel({ risk, places }: { risk: Risk | undefined; places: number }) {
  return (
    <Panel
      title="Deleveraging rank"
      aside={
        <span class="quiet">
          profit to cost × worth to equity: the highest is closed against first, at the mark, without a fee
        </span>
      }
    >
      <div class="two">
        <Ranking name="Longs, if a short cannot pay" count={risk?.longs} ranked={risk?.ranked_longs} places={places} />
        <Ranking name="Shorts, if a long cannot pay" count={risk?.shorts} ranked={risk?.ranked_shorts} places={places} />
      </div>
    </Panel>
  );
}

function Ranking({ name, count, ranked, places }: Side) {
  const decimals = info.value?.collateral.decimals ?? 6;
  return (
    <div>
      <h3 class="inside-head">
        {name}
        {count !== undefined && <span class="quiet apart">{tellCount(count, ranked?.length ?? 0)}</span>}
      </h3>
      <Table
        label={name}
        nothing={ranked ? "Nobody." : "…"}
        head={["#Rank", "Account", "#Size", "#Profit", "#Score, ppm"]}
        keys={(ranked ?? []).map(({ account }) => account)}
        rows={(ranked ?? []).map((one, at) => [
          at + 1,
          <AccountName account={one.account} />,
          <span class={tone(one.size)}>{signed(one.decimal.size ?? one.size, places)}</span>,
          <Amount units={one.profit} decimals={decimals} isSigned />,
          one.factor ? (
            group(one.factor.toFixed(2))
          ) : (
            <span class="quiet">{one.profit.startsWith("-") ? "in loss" : "0"}</span>
          ),
        ])}
      />
    </div>
  );
}

function tellCount(count: number, shown: number): string {
  const positions = `${group(count)} position${count === 1 ? "" : "s"}`;
  return shown < count ? `the first ${group(shown)} of ${positions}` : positions;
}
