"""Random inputs of a machine: realistic trading, every edge of every field, forgeries and noise.

A `Generator` reads the machine it plays on, so that its cancels meet orders, its withdrawals hit the last unit of free
collateral, and its prices drive accounts under water.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.support.generator.inputs import MESSAGES, RECORDS, Inputs
from tests.support.generator.listings import CALLING
from tests.support.generator.players import (
    ACCOUNTS,
    SIGNERS,
    SUBS,
    TRADERS,
)

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.rules import phases
from setoff.shared.state import keys
from setoff.shared.state.store import State

NO_FAVOUR: Mapping[str, int] = {}


class Generator(Inputs):
    """Draws batches for `machine`; the same seed on the same machine gives the same batches."""

    def opening(self) -> tuple[int, list[bytes], list[bytes]]:
        """The first batch: funded accounts, markets, signers, prices."""
        messages = [self.deposit_of(account, self.funds()) for account in TRADERS]
        messages += [records.encode(self.listing(market)) for market in range(1, 4)]
        messages += [self.signer(index, 1, 60) for index in range(SIGNERS)]
        reports = [self.report_of(0, self.time, market, self.first_price(market)) for market in range(1, 4)]
        agents = [self.name_agent(account, 1, self.time + 10**6) for account in range(1, ACCOUNTS + 1)]
        return self.time, messages, reports + agents

    def batch(self, inputs: int = 40, favour: Mapping[str, int] = NO_FAVOUR) -> tuple[int, list[bytes], list[bytes]]:
        """(timestamp, messages, records) of the next batch; `favour` adds to the weights of messages and records."""
        rng = self.rng
        self.time += rng.choices((0, 1, 5, 30, 61, 600, 3601, 10**5), (8, 8, 8, 8, 6, 1, 0.5, 0.1))[0]
        self.state = State(self.machine.state.tree)
        refused = {kind: weight for kind, weight in favour.items() if kind.startswith("refuse ")}
        queued = {kind: refused.pop(kind) for kind in list(refused) if kind.removeprefix("refuse ") in MESSAGES}
        weights = {kind: weight + favour.get(kind, 0) for kind, weight in MESSAGES.items()} | queued
        wanted = sum(weights.values()) > sum(MESSAGES.values())
        messages = [
            body for _ in range(inputs if wanted else rng.randint(0, 6)) for body in self.draw(weights, "message")
        ]
        messages = [body if len(body) > records.RECORD_BYTES else self.queue(body) for body in messages]
        weights = {kind: weight + favour.get(kind, 0) for kind, weight in RECORDS.items()} | refused
        inputs_drawn = [body for _ in range(inputs) for body in self.draw(weights, "record")]
        regs = self.machine.regs
        if regs.parked_first != regs.parked_end and rng.random() < 0.8:
            # Nothing else is taken before what is parked, as an operator would know.
            inputs_drawn = [self.crank() for _ in range(regs.parked_end - regs.parked_first)] + inputs_drawn
        if rng.random() < 0.7:
            # Fresh prices first, as an operator would have it.
            markets = rng.sample((1, 2, 3), rng.randint(1, 3))
            signers = rng.sample(range(SIGNERS), rng.choice((1, SIGNERS)))
            fresh = [
                self.report_of(index, self.time, market, self.next_price(market))
                for market in markets
                for index in signers
            ]
            inputs_drawn = fresh + inputs_drawn
        return self.time, messages, inputs_drawn

    def crisis(self) -> tuple[int, list[bytes], list[bytes]]:
        """A batch in which everybody takes as much as he may of one market, and its price then breaks away."""
        rng = self.rng
        self.time += rng.choice((1, 61))
        self.state = State(self.machine.state.tree)
        market = rng.choice((1, 1, 1, CALLING))
        leaf = self.read_market(market)
        mark = leaf.mark or self.first_price(market)
        lot = max(1, mark * leaf.unit * leaf.initial_margin // PPM)
        money = {account: lot * rng.choice((20, 200, 2000)) for account in range(1, ACCOUNTS + 1)}
        messages = [self.deposit_of(account, min(money[account], 2**95)) for account in money]
        inputs = [self.report_of(index, self.time, market, mark) for index in range(3)]
        if rng.random() < 0.5:
            inputs.append(self.backstop_deposit())
        accounts = rng.sample(list(money), len(money))
        for seller, buyer in zip(accounts[::2], accounts[1::2], strict=True):
            amount = min(money[seller], money[buyer])
            size = min(max(1, amount * 9 // (10 * lot)), leaf.max_position, phases.MAX_ORDER_SIZE)
            sides = [keys.sub_account(master, rng.choice((0, 1, SUBS, SUBS))) for master in (seller, buyer)]
            inputs += [self.transfer_of(keys.get_master(to), to, amount) for to in sides if to > keys.MAX_ACCOUNT]
            inputs.append(self.order_of(sides[0], records.SELL, mark, size, market=market))
            inputs.append(self.order_of(sides[1], records.BUY, mark, size, market=market))
        price = mark + mark * rng.choice((-40, -20, -8, -5, -3, 3, 5, 8, 20, 40)) // 100
        price = min(max(1, price), keys.MAX_TICK)
        for _ in range(rng.choice((0, 3))):
            account = keys.sub_account(rng.choice(accounts), rng.choice((0, 1)))
            inputs.append(self.order_of(account, rng.randint(0, 1), price, rng.randint(1, 300), market=market))
        inputs += [
            self.report_of(index, self.time + 1, market, price) for index in range(rng.choice((1, SIGNERS, SIGNERS)))
        ]
        return self.time, messages, inputs

    def batches(self, count: int, inputs: int) -> Iterator[tuple[int, list[bytes], list[bytes]]]:
        """The opening, then by turns a batch of so many inputs and a crisis: each after the one before was run."""
        yield self.opening()
        for number in range(1, count):
            yield self.batch(inputs) if number % 2 else self.crisis()
