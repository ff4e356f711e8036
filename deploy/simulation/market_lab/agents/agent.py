"""An agent: somebody who takes turns, sees a view, and answers with records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from random import Random

from setoff.deploy.simulation.market_lab.pen import Pen
from setoff.deploy.simulation.market_lab.view import View


class Agent(ABC):
    """`every`: seconds between two turns; `delay`: before the first one; `market`: where it acts."""

    market: int = 1

    def __init__(self, every: int, *, delay: int = 0, seed: str = "") -> None:
        self.every = every
        self.delay = delay
        self.random = Random(f"{type(self).__name__} {seed}")

    @abstractmethod
    def act(self, view: View, pen: Pen) -> Iterator[bytes]:
        """The records of this turn, in their order."""
