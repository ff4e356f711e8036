"""Why was this record refused? All that an explanation looks at, and how it says numbers."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from setoff.operator.api.views.market_views import get_tree
from setoff.operator.api.views.scales import Scales
from setoff.operator.sequencer.exchange import Exchange
from setoff.shared.codec import records
from setoff.shared.rules.fetch import decode_record
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Agent, Market, Order
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State
from setoff.shared.wire.scales import MarketScale

Numbers = dict[str, str | int | None]


class Explanation(NamedTuple):
    """In words, and what they say in numbers."""

    text: str
    numbers: Numbers


class Question:
    """A refused record of 124 bytes, and the exchange as it is now. What is read here is nobody else's: explanations
    may change it."""

    def __init__(self, scales: Scales, exchange: Exchange, record: bytes) -> None:
        self.scales = scales
        self.record = record
        self.kind = record[0]
        self.regs: Registers = exchange.machine.regs.copy()
        self.state = State(get_tree(exchange))
        self.time = self.regs.time
        self.accounts = self.regs.accounts
        self.markets = self.regs.markets
        self.regs.clear()
        self.regs.kind = self.kind
        decode_record(self.regs, record)

    @cached_property
    def body(self) -> Any:
        """The record's fields."""
        return records.decode(self.record)

    @cached_property
    def account(self) -> Account:
        """The account that it is of."""
        return self.state.account(self.regs.account)

    @cached_property
    def master(self) -> Account:
        """Its master."""
        return self.state.account(keys.get_master(self.regs.account))

    @cached_property
    def agent(self) -> Agent:
        """The agent that it names."""
        return self.state.agent(keys.get_master(self.regs.account), self.regs.agent)

    @cached_property
    def in_slot(self) -> Order:
        """The order in the slot that it names."""
        return self.state.order(keys.order_handle(self.regs.account, self.regs.order_slot))

    @property
    def market_id(self) -> int:
        """The market that it is about: its own, or that of the order which it names."""
        return self.regs.market or self.in_slot.market

    @property
    def market(self) -> Market:
        """Its leaf."""
        return self.state.market(self.market_id)

    @property
    def scale(self) -> MarketScale:
        """Its decimals."""
        return self.scales[self.market_id]

    def price(self, ticks: int) -> str:
        """So many ticks, for people."""
        return f"{self.scale.tick.show(ticks)} {self.scale.quote} ({ticks} ticks)"

    def size(self, lots: int) -> str:
        """So many lots, for people."""
        return f"{self.scale.lot.show(lots)} {self.scale.base} ({lots} lots)"

    def money(self, units: int) -> str:
        """So many token units, for people."""
        return f"{self.scales.tokens.show(units)} {self.scales.currency}"

    def prices(self, **ticks: int) -> Numbers:
        """Prices as numbers, either way."""
        shown: Numbers = {name: self.scale.tick.show(value) for name, value in ticks.items()}
        return shown | {f"{name}_ticks": value for name, value in ticks.items()}

    def sizes(self, **lots: int) -> Numbers:
        """Sizes as numbers, either way."""
        shown: Numbers = {name: self.scale.lot.show(value) for name, value in lots.items()}
        return shown | {f"{name}_lots": str(value) for name, value in lots.items()}

    def amounts(self, **units: int) -> Numbers:
        """Amounts as numbers, either way."""
        shown: Numbers = {name: self.scales.tokens.show(value) for name, value in units.items()}
        return shown | {f"{name}_units": str(value) for name, value in units.items()}
