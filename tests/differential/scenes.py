"""Rare cases by hand: what random traces meet seldom or never, on a bench, input by input."""

from __future__ import annotations

from tests.differential.generator import TRADERS, Generator, listing_edges
from tests.differential.harness import Bench, Step
from tests.differential.invariants import check_conservation

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.records import CancelBody, ListMarketBody, OrderBody, WithdrawBody
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases

BUY, SELL, GTC, IOC = records.BUY, records.SELL, records.GTC, records.IOC


class Play:
    """A scene on a bench: inputs by name, one batch each call."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.generator = Generator(1, self.bench.machine)
        self.nonce = 0
        self.steps: list[Step] = []

    def batch(self, messages: list[bytes] = [], inputs: list[bytes] = []) -> list[str]:  # noqa: B006
        """Run a batch; returns the outcomes of its inputs."""
        steps = self.bench.run(self.generator.time, messages, inputs)
        for taken in steps:
            check_conservation(taken)
        self.steps += steps
        ends = [taken for taken in steps if taken.after.phase == phases.IDLE and taken.kind[:3] not in ("idl", "unu")]
        return [errors.OUTCOMES[taken.after.outcome] for taken in ends]

    def begin(self, *, markets: int = 1, money: int = 10_000, mark: int = 100, margin_ppm: int = 100_000) -> None:
        listings = [
            records.encode_list_market(ListMarketBody(m, 1, margin_ppm, 1, 500, -100, 1_000_000))
            for m in range(1, markets + 1)
        ]
        deposits = [self.generator.deposit_of(account, money) for account in (1, 2, 3, 4)]
        reports = [self.generator.report_of(0, self.generator.time, m, mark) for m in range(1, markets + 1)]
        outcomes = self.batch([*deposits, *listings, self.generator.signer(0, 1, 60)], reports)
        assert set(outcomes) == {"accepted"}

    def price(self, price: int) -> bytes:
        self.generator.time += 1
        return self.generator.report_of(0, self.generator.time, 1, price)

    def sign(self, account: int, body: bytes) -> bytes:
        return self.generator.sign(TRADERS[account], body)

    def order(
        self, account: int, side: int, price: int, size: int, *, place: int = 0, market: int = 1, flags: int = GTC
    ) -> bytes:
        self.nonce += 1
        body = OrderBody(account, self.nonce, market, side, flags, place, price, size)
        return self.sign(account, records.encode_order(body))

    def cancel(self, account: int, place: int) -> bytes:
        self.nonce += 1
        return self.sign(account, records.encode_cancel(CancelBody(account, self.nonce, place)))


def play_position_limit(play: Play) -> None:
    """Four of the largest orders fill a position up; one more lot is refused, on either side."""
    play.begin(money=10**13, margin_ppm=1, mark=1)
    most = phases.MAX_ORDER_SIZE
    full = [play.order(1, BUY, 1, most, place=place) for place in range(4)]
    short = [play.order(2, SELL, 2, most, place=place) for place in range(4)]
    over = [play.order(1, BUY, 1, 1, place=9), play.order(2, SELL, 2, 1, place=9)]
    assert play.batch([], full + short + over) == ["accepted"] * 8 + ["position_limit"] * 2


def play_too_many_positions(play: Play) -> None:
    """The ninth market finds no free place, until an order is cancelled."""
    play.begin(markets=9)
    eight = [play.order(1, BUY, 90, 1, place=market, market=market) for market in range(1, 9)]
    ninth = play.order(1, BUY, 90, 1, place=9, market=9)
    again = play.order(1, BUY, 90, 1, place=9, market=9)
    outcomes = play.batch([], [*eight, ninth, play.cancel(1, 3), again])
    assert outcomes == ["accepted"] * 8 + ["too_many_positions", "accepted", "accepted"]


def play_under_water(play: Play) -> None:
    """A long loses its equity: its orders are pruned, it may close at a price good enough, and nothing else."""
    play.begin(money=2_000)
    open_both = [play.order(1, SELL, 100, 100), play.order(2, BUY, 100, 100), play.order(2, BUY, 60, 10, place=1)]
    open_both.append(play.order(2, SELL, 95, 10, place=2))
    assert set(play.batch([], open_both)) == {"accepted"}
    # At 85 account 2 is worth 500 less what it needs (850): the close at 95 is taken as a maker, the bid pruned.
    assert play.batch([], [play.price(85), play.order(3, BUY, 95, 5)]) == ["accepted"] * 2
    assert play.batch([], [play.order(3, SELL, 60, 5, flags=IOC)]) == ["accepted"]
    # A close as a taker at the mark keeps the ratio but for the fee; to open more is refused.
    assert play.batch([], [play.order(4, BUY, 90, 50), play.order(2, SELL, 90, 20, place=3)]) == ["accepted"] * 2
    assert play.batch([], [play.order(2, BUY, 85, 1, place=4)]) == ["insufficient_margin"]
    # Below zero even a close at the mark makes things no better.
    play.nonce += 1
    out = play.sign(2, records.encode_withdraw(WithdrawBody(2, play.nonce, 1)))
    shut = play.order(2, SELL, 70, 1, place=5)
    outcomes = play.batch([], [play.price(70), shut, out])
    assert outcomes == ["accepted", "insufficient_margin", "insufficient_margin"]


def play_flip(play: Play) -> None:
    """A taker and then a maker go from long to short in one fill."""
    play.begin(money=10**6)
    trades = [
        play.order(1, SELL, 100, 7),
        play.order(2, BUY, 100, 7),
        play.order(3, BUY, 101, 20),
        play.order(2, SELL, 101, 13),  # long 7, short 6 after it
        play.order(1, BUY, 99, 30, place=1),  # short 7, long 23 after it
        play.order(4, SELL, 99, 37, flags=IOC),
    ]
    assert set(play.batch([], trades)) == {"accepted"}


def play_own_order(play: Play) -> None:
    """A taker never trades with itself: its resting order goes, and the next one is met."""
    play.begin(money=10**6)
    trades = [play.order(1, SELL, 100, 5), play.order(2, SELL, 100, 5), play.order(1, BUY, 100, 5, place=1)]
    assert set(play.batch([], trades)) == {"accepted"}


def play_limits(play: Play) -> None:
    """The most makers of an order and the most steps of a batch: set in the registers, as no test gets that far."""
    play.begin(money=10**6)

    def meddle(machine: Machine, slot: int, micro: int) -> None:
        if slot == 1 and machine.regs.phase == phases.MATCH:
            machine.regs.matches = phases.MAX_MATCHES
        if slot == 2 and micro == 0:
            machine.regs.steps = phases.BATCH_STEP_CAP - phases.RECORD_STEP_BOUND - 1
        if slot == 3 and micro == 0:
            machine.regs.steps = phases.BATCH_STEP_CAP - phases.RECORD_STEP_BOUND

    play.bench.meddle = meddle
    trades = [play.order(1, SELL, 100, 5), play.order(2, BUY, 100, 5)]
    trades += [play.order(3, BUY, 90, 5), play.order(3, BUY, 90, 5, place=1)]
    assert play.batch([], trades) == ["accepted", "accepted", "accepted", "step_cap"]
    play.bench.meddle = lambda machine, slot, micro: None
    assert play.batch([play.order(3, BUY, 90, 5, place=2)], []) == ["accepted"]


def play_exact_funds(play: Play) -> None:
    """A maker who can just bear the fill is filled; another a unit poorer is not."""
    play.begin(money=1_089)
    orders = [play.order(2, BUY, 100, 100), play.order(4, BUY, 100, 100)]
    play.nonce += 1
    out = play.sign(4, records.encode_withdraw(WithdrawBody(4, play.nonce, 1)))
    assert play.batch([], [*orders, out, play.price(99)]) == ["accepted"] * 4
    # At 99 the fill costs 100, earns a rebate of 1, and asks for 990: 1089 - 100 + 1 is just that.
    deposit = play.generator.deposit_of(3, 10**6)
    assert play.batch([deposit], [play.order(3, SELL, 100, 200, flags=IOC)]) == ["accepted"] * 2


def play_listing_edges(play: Play) -> None:
    """Every parameter of a listing at its bounds and just over them."""
    for number in range(len(listing_edges(ListMarketBody(1, 1, 2, 1, 1, 0, 1)))):
        m = ListMarketBody(play.bench.machine.regs.markets + 1, 1, 100_000, 50_000, 500, -100, 500_000)
        field, edge = listing_edges(m)[number]
        play.batch([records.encode_list_market(m._replace(**{field: edge}))])


def play_empty_batches(play: Play) -> None:
    """A batch without inputs still begins: its time and number are set."""
    play.begin()
    play.generator.time += 9
    before = play.bench.machine.regs.batch
    assert play.batch() == []
    regs = play.bench.machine.regs
    assert (regs.time, regs.batch, regs.steps) == (play.generator.time, before + 1, 0)


SCENES = (
    play_empty_batches,
    play_listing_edges,
    play_exact_funds,
    play_position_limit,
    play_too_many_positions,
    play_under_water,
    play_flip,
    play_own_order,
    play_limits,
)
