// The ranking for deleveraging, both sides, by the machine's own score.
import { info } from "../api/exchange";
import type { Ranked, Risk } from "../api/types";
import { group, signed, tone } from "../lib/format";
import { Amount } from "../ui/Amount";
import { Panel } from "../ui/Panel";
import { Table } from "../ui/Table";
import { AccountName } from "./AccountName";

export function RankingPanel({ risk }: { risk: Risk | undefined }) {
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
        <Ranking
          name="Longs, if a short cannot pay"
          about={tellCount(risk?.longs, "long")}
          ranked={risk?.ranked_longs}
        />
        <Ranking
          name="Shorts, if a long cannot pay"
          about={tellCount(risk?.shorts, "short")}
          ranked={risk?.ranked_shorts}
        />
      </div>
    </Panel>
  );
}

function tellCount(count: number | undefined, side: string): string {
  return count === undefined ? "" : `of ${group(count)} ${side} position${count === 1 ? "" : "s"}`;
}

function Ranking({ name, about, ranked }: { name: string; about: string; ranked: readonly Ranked[] | undefined }) {
  const decimals = info.value?.collateral.decimals ?? 6;
  return (
    <div>
      <h3 class="inside-head">
        {name} <span class="quiet">{about}</span>
      </h3>
      <Table
        label={name}
        nothing={ranked ? "Nobody." : "…"}
        head={["#Rank", "Account", "#Size", "#Profit", "#Score, ppm"]}
        keys={(ranked ?? []).map(({ account }) => account)}
        rows={(ranked ?? []).map((one, at) => [
          at + 1,
          <AccountName account={one.account} />,
          <span class={tone(one.size)}>{signed(one.decimal.size ?? one.size)}</span>,
          <Amount units={one.profit} decimals={decimals} isSigned />,
          one.factor ? group(one.factor.toFixed(2)) : <span class="quiet">in loss</span>,
        ])}
      />
    </div>
  );
}
