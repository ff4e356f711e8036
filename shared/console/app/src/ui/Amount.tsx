// An amount of the collateral's currency, with two places; the whole of it is in the title.
import { group, signed, tone } from "../lib/format";
import { fromUnits } from "../lib/scales";

interface Props {
  units: string | bigint;
  decimals: number;
  isSigned?: boolean;
}

export function Amount({ units, decimals, isSigned = false }: Props) {
  const text = fromUnits(units, decimals);
  return (
    <span class={isSigned ? tone(text) : ""} title={group(fromUnits(units, decimals, decimals))}>
      {isSigned ? signed(text) : group(text)}
    </span>
  );
}
