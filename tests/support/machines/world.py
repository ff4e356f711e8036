"""A small exchange for tests: inputs of the sample traffic, run one by one on a machine, outcomes as reason strings."""

from collections.abc import Sequence
from typing import Any

from tests.support.machines.state_view import StateView

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.records import Leg
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state import keys

BUY, SELL = records.BUY, records.SELL
GTC, IOC, POST_ONLY, FOK = records.GTC, records.IOC, records.POST_ONLY, records.FOK
REDUCE_ONLY, ABOVE, BELOW = records.REDUCE_ONLY, records.ABOVE, records.BELOW
BACKSTOP = keys.BACKSTOP
WIDE = {"initial_margin": 10**6, "maintenance_margin": 10**6}
"""Margins with which orders may meet anywhere within the price band."""


def sub(master: int, number: int = 1) -> int:
    """Id of a sub-account."""
    return keys.sub_account(master, number)


class World(StateView):
    """`World()` is empty; `World.trading(...)` has a market 1 with a price, and funded accounts."""

    def __init__(self) -> None:
        self.traffic = SampleTraffic()
        self.machine = Machine.genesis(self.traffic.domain)
        self.machine.begin(0, self.traffic.time)

    @classmethod
    def trading(cls, accounts: int = 3, funds: int = 1_000_000, mark: int = 100, **market: int) -> "World":
        world = cls()
        for account in range(1, accounts + 1):
            assert world.deposit(account, funds) == "accepted"
        assert world.list_market(**market) == "accepted"
        assert world.set_signer() == "accepted"
        assert world.report(0, mark) == "accepted"
        return world

    def take(self, body: bytes, is_message: bool = False, queued_at: int | None = None) -> str:
        return errors.OUTCOMES[self.machine.take(body, is_message, queued_at)]

    def deposit(self, account: int, amount: int) -> str:
        return self.take(self.traffic.deposit(account, amount), is_message=True)

    def list_market(self, market: int = 1, **parameters: int) -> str:
        return self.take(self.traffic.list_market(market, **parameters), is_message=True)

    def set_market(self, market: int = 1, **parameters: int) -> str:
        return self.take(self.traffic.set_market(market, **parameters), is_message=True)

    def set_signer(self, number: int = 0, quorum: int = 1, max_age: int = 60) -> str:
        return self.take(self.traffic.set_signer(number, quorum, max_age), is_message=True)

    def set_terms(self, **terms: int) -> str:
        return self.take(self.traffic.set_terms(**terms), is_message=True)

    def order(self, account: int, side: int, price: int, size: int, **fields: int) -> str:
        return self.take(self.traffic.order(account, side, price, size, **fields))

    def cancel(self, account: int, order_slot: int, nonce: int | None = None, **fields: int) -> str:
        return self.take(self.traffic.cancel(account, order_slot, nonce, **fields))

    def cancel_all(self, account: int, **fields: int) -> str:
        return self.take(self.traffic.cancel_all(account, **fields))

    def amend(self, account: int, order_slot: int, price: int, size: int, **fields: int) -> str:
        return self.take(self.traffic.amend(account, order_slot, price, size, **fields))

    def schedule_cancel(self, account: int, deadline: int, **fields: int) -> str:
        return self.take(self.traffic.schedule_cancel(account, deadline, **fields))

    def set_agent(self, account: int, agent: int, expiry: int, address: bytes | None = None, **fields: Any) -> str:
        return self.take(self.traffic.set_agent(account, agent, expiry, address, **fields))

    def bulk(self, account: int, legs: Sequence[Leg], **fields: int) -> list[str]:
        """Outcomes of the bulk record and of each page."""
        return [self.take(body) for body in self.traffic.bulk(account, legs, **fields)]

    def transfer(self, account: int, peer: int, amount: int) -> str:
        return self.take(self.traffic.transfer(account, peer, amount))

    def withdraw(self, account: int, amount: int) -> str:
        return self.take(self.traffic.withdraw(account, amount))

    def backstop_deposit(self, account: int, amount: int) -> str:
        return self.take(self.traffic.backstop_deposit(account, amount))

    def backstop_withdraw(self, account: int, shares: int) -> str:
        return self.take(self.traffic.backstop_withdraw(account, shares))

    def report(self, number: int, price: int, *, market: int = 1, time: int | None = None) -> str:
        return self.take(self.traffic.report(number, price, market=market, time=time))

    def crank(self, market: int = 1) -> str:
        return self.take(self.traffic.crank(market))

    def set_mark(self, price: int, market: int = 1, seconds: int = 1) -> None:
        """A new batch, and in it a report that is accepted."""
        self.wait(seconds)
        assert self.report(0, price, market=market) == "accepted"

    def press(self, price: int, market: int = 1) -> None:
        """The same price before and after a pause of those in liquidation."""
        self.set_mark(price, market)
        self.set_mark(price, market, seconds=phases.LIQUIDATION_PAUSE)

    def wait(self, seconds: int) -> None:
        """A new batch, later."""
        self.traffic.time += seconds
        self.machine.begin(self.machine.regs.batch + 1, self.traffic.time)

    # --- what the last record did ------------------------------------------------------------------------------------

    def fills(self) -> list[tuple[int, int, int]]:
        """(maker, price, size) of the last record's trades."""
        return [(fill.maker, fill.price, fill.size) for fill in self.machine.fills]

    def trades(self, kind: int) -> list[tuple[int, int, int, int]]:
        """(taker, maker, price, size) of the last record's trades of one kind (`machine.LIQUIDATION` …)."""
        return [(f.taker, f.maker, f.price, f.size) for f in self.machine.fills if f.kind == kind]
