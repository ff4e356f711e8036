"""A `World` whose batches are run on a bench, each step of them judged: what the scenes play on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.support.judge.bench import Bench, Step
from tests.support.machines.conservation import check_conservation
from tests.support.machines.state_view import StateView
from tests.support.machines.world import BUY, SELL

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import ListMarketBody, MarketParameters
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases

OK = "accepted"


class JudgedWorld(StateView, SampleTraffic):
    """Makes inputs by name, and runs them, one batch each call. Order slots are 0 unless they are given."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.bench = bench
        self.steps: list[Step] = []

    @property
    def machine(self) -> Machine:
        return self.bench.machine

    def wait(self, seconds: int) -> None:
        """Let time pass before the next batch, and before what is signed from now on."""
        self.time += seconds

    def batch(self, messages: list[bytes] = [], inputs: list[bytes] = []) -> list[str]:  # noqa: B006
        """Run a batch; returns the outcomes of its inputs."""
        steps = self.bench.run(self.time, messages, inputs)
        for taken in steps:
            check_conservation(taken)
        self.steps += steps
        ends = [taken for taken in steps if taken.after.phase == phases.IDLE and taken.kind[:3] not in ("idl", "unu")]
        return [errors.OUTCOMES[taken.after.outcome] for taken in ends]

    def run(self, *inputs: bytes) -> list[str]:
        """Run a batch of these records."""
        return self.batch([], list(inputs))

    def begin(
        self, *, markets: int = 1, money: int = 10_000, mark: int = 100, margin_ppm: int = 100_000, **fields: int
    ) -> None:
        """Four traders with the same money, and markets whose mark is set by one signer's reports alone."""
        given = {"max_age": 10**9, "step_band": PPM, "impact": 2**40, **fields}
        listings = [self.listing(market, margin_ppm, **given) for market in range(1, markets + 1)]
        deposits = [self.deposit(account, money) for account in (1, 2, 3, 4)]
        reports = [self.price(mark, market) for market in range(1, markets + 1)]
        outcomes = self.batch([*deposits, *listings, self.set_signer(0, 1, 60)], reports)
        assert set(outcomes) == {OK}

    def listing(self, market: int, margin_ppm: int, **fields: int) -> bytes:
        parameters = MarketParameters(1, margin_ppm, margin_ppm, 500, -100, PPM)
        return records.encode(ListMarketBody(market, replace(parameters, **fields)))

    def price(self, price: int, market: int = 1, *, age: int = 0) -> bytes:
        """A report, of a second later than the one before."""
        self.time += 1
        return self.report(0, price, market=market, time=self.time - age)

    def press(self, price: int, market: int = 1) -> list[str]:
        """The same price before and after a pause of those in liquidation."""
        outcomes = self.run(self.price(price, market))
        self.wait(phases.LIQUIDATION_PAUSE)
        return outcomes + self.run(self.price(price, market))

    def order(
        self, account: int, side: int, price: int, size: int, *, order_slot: int | None = 0, **fields: Any
    ) -> bytes:
        return super().order(account, side, price, size, order_slot=order_slot, **fields)

    def trade(self, seller: int, buyer: int, price: int, size: int, *, order_slot: int = 0, market: int = 1) -> None:
        """One sells to the other."""
        sides = [
            self.order(seller, SELL, price, size, order_slot=order_slot, market=market),
            self.order(buyer, BUY, price, size, order_slot=order_slot, market=market),
        ]
        assert self.run(*sides) == [OK, OK]

    def took(self, kind: str) -> int:
        """How many steps of this kind there were so far."""
        return sum(taken.kind == kind for taken in self.steps)
