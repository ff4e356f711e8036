// Who would be closed against first if nothing else took a failed account's position: the protocol's score (section 9,
// deleveraging), reckoned as the machine reckons it.
import type { Holder } from "./accounts";

const ONE = 65_536n;
const MOST = 281_474_976_710_656n;

export interface Ranked extends Holder {
  /** Of the protocol: more is first. */
  readonly score: bigint;
  /** Profit to cost, times worth to equity; 0 for a position in loss. */
  readonly factor: number;
}

/** Those on one side, the first to be closed against first; of equal ones the lower account. */
export function rank(holders: readonly Holder[], isLong: boolean): Ranked[] {
  return holders
    .filter(({ position }) => position.size.startsWith("-") !== isLong)
    .map((holder) => {
      const score = computeScore(holder);
      return { ...holder, score, factor: Math.max(0, Number(score - ONE) / Number(ONE * ONE)) };
    })
    .sort((one, other) =>
      other.score > one.score ? 1 : other.score < one.score ? -1 : one.account.account - other.account.account,
    );
}

function computeScore({ account, position }: Holder): bigint {
  const profit = BigInt(position.profit);
  const cost = atLeastOne(size(BigInt(position.cost)));
  if (profit <= 0n) return ONE - least((-profit * ONE) / cost, ONE - 1n);
  const ratio = least((profit * ONE) / cost, MOST);
  const leverage = least((size(BigInt(position.value)) * ONE) / atLeastOne(BigInt(account.equity)), MOST);
  return ONE + ratio * leverage;
}

const size = (value: bigint): bigint => (value < 0n ? -value : value);
const atLeastOne = (value: bigint): bigint => (value < 1n ? 1n : value);
const least = (one: bigint, other: bigint): bigint => (one < other ? one : other);
