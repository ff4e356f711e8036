"""The invariants fail where a rule is broken: each lie told in a rule is found by the one that is meant to find it."""

from types import ModuleType
from typing import Any

import pytest
from tests.support.machines.checked import run_traffic_checked

from setoff.shared.rules import bitmaps, book, liquidation, margin, matching, oracle
from setoff.shared.state.leaves import Account, Market, Order, Position

_trade, _fill, _pass = matching.apply_trade, matching.apply_fill, liquidation.pass_visited
_discount = book.discount_order


def charge_too_little(market: Market, account: Any, *rest: Any) -> None:
    """The insurance fund gets a unit that nobody paid."""
    market.insurance += 1
    _trade(market, account, *rest)


def fill_more(position: Position, delta: int, price: int, market: Market) -> None:
    """A buyer gets a lot more than the seller sold."""
    _fill(position, delta + (delta > 0), price, market)


def fill_quietly(position: Position, delta: int, price: int, market: Market) -> None:
    """Positions net, but the cost of the open lots is lost."""
    _fill(position, delta, price, market)
    position.cost = 0


def discount_half(account: Account, order: Order, order_slot: int) -> None:
    """The slot counts as taken for ever."""
    _discount(account, order, order_slot)
    account.orders |= 1 << order_slot


LIES: list[tuple[ModuleType, str, Any, str]] = [
    (matching, "apply_trade", charge_too_little, "check_money"),
    (matching, "apply_fill", fill_more, "check_positions"),
    (matching, "apply_fill", fill_quietly, "check_positions"),
    # A refused order keeps its reservation.
    (margin, "release", lambda *_: None, "check_reservations"),
    # An order is put into the book, or taken out of it, and its account does not notice.
    (book, "count_order", lambda *_: None, "check_reservations"),
    (book, "discount_order", discount_half, "check_reservations"),
    # The best price stays where it was when a better level comes or the best one goes.
    (book, "set_best", lambda *_: None, "check_bitmaps"),
    # An order rests where it could have traded.
    (matching, "is_crossing", lambda *_: False, "check_bitmaps"),
    # The next level is taken from the wrong end of a bitmap word.
    (bitmaps, "get_best_bit", lambda word, is_highest: (word & -word).bit_length() - 1, "check_bitmaps"),
    # Whose position opens is not entered among the holders.
    (matching, "enrol", lambda *_: None, "check_holders"),
    # A sweep finds nothing to reduce, or leaves every other holder out.
    (liquidation, "find_target", lambda *_: None, "run_checked"),
    (liquidation, "pass_visited", lambda word: _pass(_pass(word) or 1), "run_checked"),
    # A report sets no work off: nobody is visited, and no stop fires.
    (oracle, "begin_work", lambda regs: regs.finish(), "run_checked"),
]


@pytest.mark.parametrize(("module", "name", "lie", "finder"), LIES)
def test_a_broken_rule_is_found(
    module: ModuleType, name: str, lie: Any, finder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, lie)
    with pytest.raises(AssertionError) as found:
        for seed in range(6):
            run_traffic_checked(seed, batches=6, inputs=60)
    assert finder in [entry.name for entry in found.traceback]
