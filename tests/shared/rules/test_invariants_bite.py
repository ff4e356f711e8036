"""The invariants fail where a rule is broken: each lie told in a rule is found by the one that is meant to find it."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
from tests.support.generator.generator import Generator
from tests.support.judge.bench import Bench
from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.checked import run_checked, run_traffic_checked
from tests.support.machines.conservation import check_conservation
from tests.support.machines.invariants import check_invariants
from tests.support.machines.world import ABOVE, BUY, SELL, World

from setoff.shared.rules import bitmaps, book, liquidation, margin, matching, oracle
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Account, Market, Order, Position
from setoff.shared.state.registers import Registers

_trade, _fill, _pass = matching.apply_trade, matching.apply_fill, liquidation.pass_visited
_discount, _begin = book.discount_order, oracle.begin_work


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


def forget_younger(account: Account, order: Order, order_slot: int) -> None:
    """Who takes an order off its level loses those behind it."""
    _discount(account, order, order_slot)
    order.next = 0


def begin_nowhere(regs: Registers, mark_before: int) -> None:
    """A sweep begins, of no market."""
    _begin(regs, mark_before)
    regs.trigger_market = 0


LIES: list[tuple[ModuleType, str, Any, str]] = [
    (matching, "apply_trade", charge_too_little, "check_money"),
    (matching, "apply_fill", fill_more, "check_positions"),
    (matching, "apply_fill", fill_quietly, "check_positions"),
    # A refused order keeps its reservation.
    (margin, "release", lambda *_: None, "check_reservations"),
    # An order is put into the book, or taken out of it, and its account does not notice.
    (book, "count_order", lambda *_: None, "check_positions or check_reservations"),
    (book, "discount_order", discount_half, "check_reservations"),
    (book, "discount_order", forget_younger, "check_lists"),
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
    (oracle, "begin_work", lambda regs, mark_before: regs.finish(), "run_checked or check_triggers"),
    (oracle, "begin_work", begin_nowhere, "check_work"),
]


@pytest.mark.parametrize(("module", "name", "lie", "finder"), LIES)
def test_a_broken_rule_is_found(
    module: ModuleType, name: str, lie: Any, finder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, name, lie)
    with pytest.raises(AssertionError) as found:
        for seed in range(10):
            run_traffic_checked(seed, batches=6, inputs=60)
    assert found.traceback[-1].name in finder.split(" or ")


def test_a_debt_charged_to_those_who_did_not_gain_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World.trading(accounts=2, funds=10_000)
    world.order(2, SELL, 100, 10)
    world.order(1, BUY, 100, 10)
    for account, change in ((1, -15_000), (2, 15_000)):
        world.machine.state.account(account).collateral += change
    world.wait(1)
    report = world.traffic.report(0, 99)
    with pytest.raises(AssertionError) as found:
        run_checked(world.machine.copy(), report, 20_000)
    assert found.traceback[-1].path.stem == "checked"  # every step is right; at the end the debt is the account's own
    monkeypatch.setattr(liquidation, "compute_loss", lambda *_: 2**100)
    with pytest.raises(AssertionError) as found:
        run_checked(world.machine, report, 20_000)
    assert found.traceback[-1].path.stem == "bearers"


# --- states that no rule leads to ------------------------------------------------------------------------------------


def spoil_account(world: World, spoil: Callable[[Account], None]) -> dict[int, bytes]:
    account = world.account(3)
    spoil(account)
    return {keys.account_key(3): leaves.encode_account(account)}


def disown(account: Account) -> None:
    account.owner = bytes(20)


def hold_nowhere(account: Account) -> None:
    account.positions[0] = Position(market=9, size=1, cost=100)


def use_free_place(world: World) -> dict[int, bytes]:
    """In the bytes: what encodes an account leaves free places empty."""
    value = world.value(keys.account_key(3))
    return {keys.account_key(3): value[:-64] + (1).to_bytes(64, "big")}


def reach_trigger(world: World) -> dict[int, bytes]:
    market = world.market()
    market.mark = market.stop_above
    return {keys.market_key(1): leaves.encode_market(market)}


SPOILT: list[tuple[Callable[[World], dict[int, bytes]], str]] = [
    (lambda world: {keys.agent_key(1, 1): bytes(leaves.AGENT_BYTES)}, "check_invariants"),
    (lambda world: spoil_account(world, disown), "check_positions"),
    (lambda world: spoil_account(world, hold_nowhere), "check_positions"),
    (use_free_place, "_read_account"),
    (reach_trigger, "check_triggers"),
]


@pytest.mark.parametrize(("spoil", "finder"), SPOILT)
def test_a_spoilt_state_is_found(spoil: Callable[[World], dict[int, bytes]], finder: str) -> None:
    world = World.trading(accounts=3, funds=1_000)
    assert world.order(1, BUY, 110, 1, flags=ABOVE, trigger=110) == OK
    check_invariants(world.machine, 3_000)
    world.machine.state.tree.update(spoil(world))
    with pytest.raises(AssertionError) as found:
        check_invariants(world.machine, 3_000)
    assert found.traceback[-1].name == finder


# --- single steps ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "lie"), [("apply_trade", charge_too_little), ("apply_fill", fill_more)])
def test_a_step_that_makes_something_is_found(name: str, lie: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, name, lie)
    bench = Bench(None, choose=lambda kind: False)
    generator = Generator(0, bench.machine)
    for step in bench.run(*generator.opening()):
        check_conservation(step)
    with pytest.raises(AssertionError, match="fill"):
        for _ in range(6):
            for step in bench.run(*generator.batch(60)):
                check_conservation(step)


def test_a_step_that_owes_more_or_grants_more_is_found() -> None:
    world = JudgedWorld(Bench(None, choose=lambda kind: False))
    world.begin()
    assert world.run(world.withdraw(1, 100)) == [OK]
    granted = next(step for step in world.steps if step.kind == "withdraw")
    key = keys.withdrawal_key(0)
    withdrawal = leaves.decode_withdrawal(granted.new[key])
    withdrawal.amount += 1
    with pytest.raises(AssertionError, match="withdraw"):
        check_conservation(replace(granted, new=granted.new | {key: leaves.encode_withdrawal(withdrawal)}))
    idle = replace(granted, new=granted.old)
    with pytest.raises(AssertionError, match="withdraw"):
        check_conservation(idle)
