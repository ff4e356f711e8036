"""The page beside the pictures of bad days: what one sees in them, every number taken from the curves that are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from textwrap import fill
from typing import Final

from setoff.deploy.simulation.market_lab.pictures.flow import SQUEEZED, STAKED
from setoff.deploy.simulation.market_lab.pictures.moments import Moment
from setoff.deploy.simulation.market_lab.pictures.stories import STORIES
from setoff.deploy.simulation.market_lab.pictures.told import Telling, Told
from setoff.deploy.simulation.market_lab.terms import BITCOIN, USD
from setoff.shared.rules.phases import MAX_FUNDING_TIME

ROLES: Final = ("longs", "shorts", "makers", "takers", "squeezer", "backstop", "insurance")
CAP: Final = f"{int(BITCOIN['backstop_cap']) // 10_000} %"
"""Of its equity, which the backstop's position may be worth."""

INTRODUCTION: Final = """\
# Four bad days

Four days of real prices, played on the present rules and on those of commit `{commit}`, before the rulebook was gone
over with an attacker's eyes; on the terms of the preset `bitcoin.toml`, but that in the third story an index stays
fresh for two minutes. Each picture has a column for either, and its rows have one scale. Everybody does the same on
both (`deploy/simulation/market_lab/pictures/flow.py`): the same deposits, orders, quotes, reports and cranks, made of
the prices alone, so that what differs is the rules' doing. Who trades: {pairs} pairs of a long and a short, one of
them with 3 to 16 times leverage; makers who offer less the more the price moves, and lean with it by a hundredth at
most; takers who mostly follow the price; a staker with {staked} in the backstop. Three of four oracle signers report,
all the truth.

The prices are Coinbase's hourly BTC/USD (`prices.py` there says where from), four an hour: opening, extremes, close.
In the first, second and fourth story an hour of the record takes a minute, so that a day's fall is a crash; in the
third an hour takes an hour, with a report each minute between these prices. What the two formats of records do not
share: {unknown} are terms of a market that the earlier rules did not know, and a deposit into the backstop took
effect at once then (now it waits; here it was asked for long before). Nothing else is left out, but one set of rules
may refuse what the other takes: `earlier_rules.json` and `present_rules.json` count inputs by outcome, beside the
curves.

In all eight plays accounts owe {owed} more than they have, at the worst moment that is drawn.

```console
$ python -m setoff.deploy.tools.market_pictures                      # the present rules anew, pictures and this page
$ git worktree add --detach ../earlier {commit}
$ python -m setoff.deploy.tools.market_pictures --earlier ../earlier # the earlier rules, too
```
"""


def write_page(earlier: Telling, present: Telling) -> str:
    """The whole page, as Markdown."""
    every = [moment for telling in (earlier, present) for told in telling.stories.values() for moment in told.moments]
    introduction = INTRODUCTION.format(
        commit=earlier.rules[:7],
        pairs=present.pairs,
        staked=_usd(STAKED / USD),
        unknown=" and ".join(f"`{term}`" for term in earlier.unknown_terms),
        owed=_usd(max(moment.owed for moment in every)),
    )
    return "\n".join([_fill(introduction), *(_write_story(name, earlier, present) for name in STORIES)])


def _fill(text: str) -> str:
    """With lines of the same length: numbers are longer or shorter than their places in the text."""
    return "\n\n".join(
        part if part.startswith(("#", "```")) else fill(part, 120, break_long_words=False, break_on_hyphens=False)
        for part in text.split("\n\n")
    )


def _write_story(name: str, earlier: Telling, present: Telling) -> str:
    before, now = earlier.stories[name], present.stories[name]
    title = STORIES[name].title
    table = "\n".join(_make_table(before, now))
    return f"## {title}\n\n![{title}]({name}.svg)\n\n{_fill(TEXTS[name](before, now))}\n\n{table}\n"


def _make_table(before: Told, now: Told) -> Iterator[str]:
    """The same figures of both."""

    def row(name: str, describe: Callable[[Told], str]) -> str:
        return f"| {name} | {describe(before)} | {describe(now)} |"

    def range_row(name: str, choose: Callable[[Sequence[float]], float], field: str) -> str:
        return row(name, lambda told: f"{_usd(choose(_pick(told, field)))}, {_usd(_pick(told, field)[-1])}")

    yield "| | earlier rules | present rules |"
    yield "|---|--:|--:|"
    yield row(
        "open interest, BTC: first, last",
        lambda told: ", ".join(f"{_pick(told, 'open_interest')[n]:,.1f}" for n in (0, -1)),
    )
    yield row("closed through the book, BTC", lambda told: f"{told.moments[-1].liquidated:,.1f}")
    yield row("taken over by the backstop, BTC", lambda told: f"{told.moments[-1].taken:,.1f}")
    yield row("deleveraged, BTC", lambda told: f"{told.moments[-1].deleveraged:,.1f}")
    yield range_row("the backstop's equity: lowest, last", min, "backstop")
    yield range_row("the backstop's position: largest, last", max, "exposure")
    yield range_row("insurance: highest, last", max, "insurance")
    yield row("funding that a long of one BTC has paid, $", lambda told: f"{told.moments[-1].funding:,.1f}")
    for role in ROLES:
        if role in now.gains:
            yield row(f"gain of the {role}", partial(_gain, role))
            if now.undisturbed and role in now.undisturbed:
                yield row("— without a squeezer", partial(_gain_undisturbed, role))


def _gain(role: str, told: Told) -> str:
    return _usd(told.gains[role])


def _gain_undisturbed(role: str, told: Told) -> str:
    return _usd((told.undisturbed or {})[role])


def _usd(dollars: float) -> str:
    whole = round(dollars)
    return f"{'-' if whole < 0 else ''}${abs(whole):,}"


def _tell_gain(dollars: float) -> str:
    return f"gains {_usd(dollars)}" if dollars >= 0 else f"loses {_usd(-dollars)}"


def _pick(told: Told, field: str) -> list[float]:
    return [getattr(moment, field) for moment in told.moments]


def _find_end(told: Told) -> Moment:
    """The first moment at which the backstop has lost nearly everything; the last one where there is none."""
    return next((moment for moment in told.moments if moment.backstop < STAKED / USD / 100), told.moments[-1])


def _tell_flash_crash(before: Told, now: Told) -> str:
    last, earlier, prices = now.moments[-1], before.moments[-1], _pick(now, "price")
    return f"""\
Bitcoin from {_usd(prices[0])} to {_usd(min(prices))} and back to {_usd(prices[-1])}, 4 to 7 February 2018.

**Earlier**, the backstop took whatever the book did not, {earlier.taken:,.1f} BTC, as long as its margin allowed: up
to twenty times its equity. Its position grew to {_usd(max(_pick(before, "exposure")))}, its equity fell to
{_usd(min(_pick(before, "backstop")))}, and that it ended with {_usd(earlier.backstop)} it owed to the price, which
came back. **Now** it takes {last.taken:,.1f} BTC, and its equity is never below {_usd(min(_pick(now, "backstop")))}:
what it takes over leaves it with a position of no more than {CAP} of its equity. That has a price.
{last.deleveraged:,.1f} BTC are closed against the shorts, and with them goes what these would have won later
({_usd(now.gains["shorts"])} instead of {_usd(before.gains["shorts"])}). They close at the mark; where the failed
account owes more than the insurance fund has, at the price at which it owes nothing. Liquidation fees feed that fund,
up to {_usd(max(_pick(now, "insurance")))}. The mark follows the makers below the index, and shorts pay funding for
it; earlier they hardly did."""


def _tell_squeeze(before: Told, now: Told) -> str:
    dead, prices = _find_end(before), _pick(now, "price")
    calm, calmer = before.undisturbed or {}, now.undisturbed or {}
    return f"""\
Somebody trades {_usd(SQUEEZED * STAKED / USD)} with an account of his own, {SQUEEZED} times what is in the backstop,
and takes out of the short all that its margin lets go. Then the price rises from {_usd(prices[0])} to
{_usd(max(prices))}, 6 to 8 December 2017, and the short fails. Makers offer a quarter of the usual.

**Earlier**, the backstop took over nearly all of the short. The first step back of the price brought it to
{_usd(max(_pick(before, "backstop")))}, the next ones up took everything: at hour {dead.hours:g} its stakers had
{_usd(dead.backstop)} left of {_usd(STAKED / USD)}. **Now** its largest position is
{_usd(max(_pick(now, "exposure")))}, and it ends with {_usd(now.moments[-1].backstop)}; the rest of the short is
closed against those who are long, as it fails.

What no rule takes from him is that the price goes on to rise. Others' longs, with more leverage than his, are closed
before it, with all that they had won until then; what the price does afterwards is won by those who are left, and he
is one of them. He ends with {_usd(now.gains["squeezer"])} (earlier: {_usd(before.gains["squeezer"])}), and the other
longs with {_usd(now.gains["longs"])} where they would have had {_usd(calmer.get("longs", 0))} without him (earlier:
{_usd(before.gains["longs"])} and {_usd(calm.get("longs", 0))}). His liquidation brings the insurance fund to
{_usd(max(_pick(now, "insurance")))}; it ends near zero with him and without, for it pays the debts of whoever a report
finds below zero, the price having jumped by several percent since the one before. In this rise the earlier backstop
failed without a squeezer, too."""


def _tell_outage(before: Told, now: Told) -> str:
    begins, ends = STORIES["oracle-outage"].weather.silence
    moments = list(zip(before.moments, now.moments, strict=True))
    silent = [pair for pair in moments if begins / 4 < pair[0].hours < ends / 4]
    after = next(pair for pair in moments if pair[0].hours >= ends / 4 + 1)
    earlier, later = (silent[-1][number].funding - after[number].funding for number in (0, 1))
    return f"""\
For {(ends - begins) // 96} days nobody reports, 3 to 6 February 2018. Meanwhile the price goes from
{_usd(silent[0][0].price)} up to {_usd(max(pair[0].price for pair in silent))} and down to
{_usd(silent[-1][0].price)}. Without a price nobody is liquidated, on either rules, and positions may only be closed;
index and mark stand still. Then the index comes back, by a tenth at a time at most.

**Earlier**, the first crank afterwards paid up to 24 missed hours of funding at once, at the premium as it was then:
in the first hour a long of one BTC got ${earlier:,.1f} of the shorts. **Now** a sample pays for
{MAX_FUNDING_TIME // 60} minutes at most, and time in which nothing was measured is not made up for: ${later:,.1f} in
the same hour. Of the positions that fell below their margin on the way down the backstop took
{before.moments[-1].taken:,.1f} BTC, sold them to the makers within hours, near the lowest price, and lost
{_usd(-before.gains["backstop"])}; now it {_tell_gain(now.gains["backstop"])} by {now.moments[-1].taken:,.1f} BTC,
and {now.moments[-1].deleveraged:,.1f} BTC are closed against the shorts."""


def _tell_empty_book(before: Told, now: Told) -> str:
    dead = _find_end(before)
    just = before.moments[before.moments.index(dead) - 1]
    return f"""\
The prices of the first story, but no makers, so that whatever is liquidated goes beside the book.

**Earlier**, the backstop took over {before.moments[-1].taken:,.1f} BTC, and hardly anybody was deleveraged as long as
it could. At hour {dead.hours:g} it failed itself, and open interest fell from {just.open_interest:,.1f} to
{dead.open_interest:,.1f} BTC at once: the shorts had won {_usd(before.gains["shorts"])}, of which
{_usd(-before.gains["backstop"])} were the stakers'. **Now** it takes {now.moments[-1].taken:,.1f} BTC;
{now.moments[-1].deleveraged:,.1f} BTC are closed step by step against the shorts. The stakers keep
{_usd(now.moments[-1].backstop)} of {_usd(STAKED / USD)}, and the shorts win {_usd(now.gains["shorts"])}, which is
what the longs had to lose."""


TEXTS: Final[dict[str, Callable[[Told, Told], str]]] = {
    "flash-crash": _tell_flash_crash,
    "squeeze": _tell_squeeze,
    "oracle-outage": _tell_outage,
    "empty-book": _tell_empty_book,
}
"""What one sees in each picture."""
