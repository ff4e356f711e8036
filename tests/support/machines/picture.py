"""Leaves by kind, decoded from their bytes rather than read by the rules: what every check of a state or step reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Account, Level, Market, Order, Position, Request
from setoff.shared.state.registers import Registers

_BODY = 2**keys.BODY_BITS - 1


@lru_cache(4096)
def _read_account(value: bytes) -> tuple[Account, tuple[Position, ...]]:
    """An account, and those of its places that are in use; the others must hold nothing."""
    account = leaves.decode_account(value)
    for position in account.positions:
        assert position.market or not leaves.POSITION.encode(position)
    return account, tuple(position for position in account.positions if position.market)


# Most leaves stay as they are from one step to the next; nothing that looks at a picture changes what was decoded.
_read_order = lru_cache(4096)(leaves.decode_order)
_read_level = lru_cache(4096)(leaves.decode_level)
_read_market = lru_cache(4096)(leaves.decode_market)


def count_credit(regs: Registers) -> tuple[int, int]:
    """(token units, shares of the backstop) that a request came to, and that the next step gives to its account."""
    return (regs.amount, regs.shares) if regs.phase == phases.CREDIT else (0, 0)


@dataclass(slots=True)
class Picture:
    """Some leaves, or all that there are."""

    accounts: dict[int, Account] = field(default_factory=dict)
    positions: dict[int, tuple[Position, ...]] = field(default_factory=dict)
    """Of each account, without the free places."""
    orders: dict[int, Order] = field(default_factory=dict)
    """By handle."""
    levels: dict[tuple[int, int, int], Level] = field(default_factory=dict)
    """By market, side and tick."""
    bitmaps: dict[int, int] = field(default_factory=dict)
    """Words over the levels, by key."""
    holders: dict[int, int] = field(default_factory=dict)
    """Words over the holders, by key."""
    markets: dict[int, Market] = field(default_factory=dict)
    requests: dict[int, Request] = field(default_factory=dict)
    """By account."""
    withdrawn: int = 0
    """Token units of all withdrawals."""

    @classmethod
    def of(cls, items: Iterable[tuple[int, bytes]]) -> Picture:
        """What stands under these keys."""
        picture = cls()
        for key, value in items:
            kind, body = key >> keys.BODY_BITS, key & _BODY
            if kind == keys.ACCOUNT:
                picture.accounts[body], picture.positions[body] = _read_account(value)
            elif kind == keys.ORDER:
                picture.orders[body] = _read_order(value)
            elif kind == keys.LEVEL:
                picture.levels[body >> 26, body >> 24 & 3, body & keys.MAX_TICK] = _read_level(value)
            elif kind == keys.BITMAP:
                picture.bitmaps[key] = int.from_bytes(value, "big")
            elif kind == keys.HOLDERS:
                picture.holders[key] = int.from_bytes(value, "big")
            elif kind == keys.MARKET:
                picture.markets[body] = _read_market(value)
            elif kind == keys.WITHDRAWAL:
                picture.withdrawn += leaves.decode_withdrawal(value).amount
            elif kind == keys.REQUEST:
                picture.requests[body] = leaves.decode_request(value)
        return picture

    def money(self) -> int:
        """Token units owed: collateral, deposits into the backstop that wait, insurance, funding pools, and what
        positions in settled futures are worth.

        Such a position stands, until the sweep visits it, for the cash that it will become.
        """
        total = sum(account.collateral for account in self.accounts.values())
        total += sum(r.amount for r in self.requests.values() if r.kind == records.BACKSTOP_DEPOSIT)
        total += sum(market.insurance + market.pool for market in self.markets.values())
        settled = {number: market for number, market in self.markets.items() if market.settled}
        if settled:
            for market, lots in self.lots().items():
                if leaf := settled.get(market):
                    total += lots * leaf.mark * leaf.unit
        return total

    def lots(self) -> Counter[int]:
        """Sum of all positions, by market."""
        lots: Counter[int] = Counter()
        for positions in self.positions.values():
            for position in positions:
                lots[position.market] += position.size
        return lots
