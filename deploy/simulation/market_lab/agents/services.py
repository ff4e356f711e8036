"""Who keeps a market going: oracle signers with a little noise, and somebody who cranks."""

from __future__ import annotations

from collections.abc import Iterator

from setoff.deploy.simulation.market_lab.agents.agent import Agent
from setoff.deploy.simulation.market_lab.pen import Pen
from setoff.deploy.simulation.market_lab.view import View
from setoff.shared.codec.integers import PPM


class OracleSigner(Agent):
    """Reports what it sees, `noise` ppm (a standard deviation) off."""

    def __init__(self, number: int, every: int = 10, *, noise: int = 0, market: int = 1, seed: str = "") -> None:
        super().__init__(every, seed=f"{number} {market} {seed}")
        self.number = number
        self.noise = noise
        self.market = market
        self.is_silent = False

    def act(self, view: View, pen: Pen) -> Iterator[bytes]:
        """A report, unless it was made to be silent."""
        off = round(view.price * self.random.gauss(0, self.noise) / PPM) if self.noise else 0
        if not self.is_silent:
            yield pen.report(self.number, max(1, view.price + off), market=self.market)


class Cranker(Agent):
    """Cranks a market, for nothing."""

    def __init__(self, every: int = 60, *, delay: int = 0, market: int = 1) -> None:
        super().__init__(every, delay=delay)
        self.market = market

    def act(self, view: View, pen: Pen) -> Iterator[bytes]:
        """A crank."""
        yield pen.crank(self.market)
