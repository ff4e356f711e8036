"""Who stands behind liquidations: a depositor of the backstop."""

from __future__ import annotations

from collections.abc import Iterator

from setoff.deploy.simulation.market_lab.agents.agent import Agent
from setoff.deploy.simulation.market_lab.pen import Pen
from setoff.deploy.simulation.market_lab.view import View


class Staker(Agent):
    """Deposits once, and stays."""

    def __init__(self, account: int, amount: int) -> None:
        super().__init__(every=10**9)
        self.account = account
        self.amount = amount

    def act(self, view: View, pen: Pen) -> Iterator[bytes]:
        """The deposit."""
        yield pen.backstop_deposit(self.account, self.amount)
