// The ranking for deleveraging, both sides.
import { info } from "../api/exchange";
import type { Market } from "../api/types";
import { group, signed, tone } from "../lib/format";
import { link } from "../lib/route";
import { Amount } from "../ui/Amount";
import { Panel } from "../ui/Panel";
import { Table } from "../ui/Table";
import { fromSteps } from "../lib/scales";
import type { Holder } from "./accounts";
import { rank } from "./ranking";

interface Props {
  holders: readonly Holder[] | undefined;
  terms: Market | undefined;
}

export function RankingPanel({ holders, terms }: Props) {
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
        <Ranking name="Longs, if a short cannot pay" isLong holders={holders} terms={terms} />
        <Ranking name="Shorts, if a long cannot pay" isLong={false} holders={holders} terms={terms} />
      </div>
    </Panel>
  );
}

function Ranking({ name, isLong, holders, terms }: Props & { name: string; isLong: boolean }) {
  const ranked = rank(holders ?? [], isLong);
  const decimals = info.value?.collateral.decimals ?? 6;
  return (
    <div>
      <h3 class="inside-head">{name}</h3>
      <Table
        label={name}
        nothing={holders ? "Nobody." : "…"}
        head={["#Rank", "Account", "#Size", "#Profit", "#Score, ppm"]}
        keys={ranked.map(({ account }) => account.account)}
        rows={ranked.map(({ account, position, factor }, at) => [
          at + 1,
          <a href={link("account", account.account)}>{account.account}</a>,
          <span class={tone(position.size)}>
            {terms ? signed(fromSteps(BigInt(position.size), terms.lot_size)) : position.size}
          </span>,
          <Amount units={position.profit} decimals={decimals} isSigned />,
          factor ? group((factor * 1_000_000).toFixed(2)) : <span class="quiet">in loss</span>,
        ])}
      />
    </div>
  );
}
