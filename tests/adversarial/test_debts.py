"""Who makes an account fail on purpose, to have others pay what it owes: they never pay what they did not gain, and
the one who tries never gains. Money is counted after all costs, and a debt left behind costs nothing: the account is
given up.
"""

from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.support.machines.world import BACKSTOP, BUY, IOC, SELL, World

from setoff.deploy import contracts
from setoff.deploy.contracts.listing import load_terms
from setoff.shared.codec.integers import PPM, div_up
from setoff.shared.rules import phases

INDEX = 100_000
LOTS = 50_000
"""Half a million dollars at the index."""
FAILING, WINNING, HONEST, BYSTANDER, OTHER = 1, 2, 3, 4, 5
TERMS = load_terms(Path(contracts.__file__).parent / "presets" / "bitcoin.toml") | {"impact": 2**40}
"""Nothing but reports sets the mark."""
FREE = {"taker_fee": 0, "maker_fee": 0}
"""In the attacker's favour."""


class Outcome(NamedTuple):
    """Changes of money, token units."""

    attacker: int
    honest: int


def market_of(**terms: int) -> World:
    world = World()
    for account in (FAILING, WINNING, HONEST, BYSTANDER, OTHER):
        assert world.deposit(account, 10**13) == "accepted"
    assert world.list_market(1, **(TERMS | terms)) == "accepted"
    assert world.set_signer() == "accepted"
    assert world.report(0, INDEX) == "accepted"
    return world


def open_both(world: World, side: int) -> int:
    """A position on `side` with the least margin, and the other side of it; returns what the first could take out."""
    assert world.order(WINNING, 1 - side, INDEX, LOTS) == "accepted"
    assert world.order(FAILING, side, INDEX, LOTS, flags=IOC) == "accepted"
    terms = world.market()
    spare = world.equity(FAILING) - div_up(LOTS * INDEX * terms.unit * terms.initial_margin, PPM) - terms.order_margin
    assert world.withdraw(FAILING, spare) == "accepted"
    return spare


def move(world: World, price: int) -> None:
    """The mark goes to `price`, in as many reports as the step band needs."""
    while world.market().mark != price:
        world.wait(60)
        assert world.report(0, price) == "accepted"


def drift(world: World, side: int) -> None:
    """The mark goes against the position until it has hardly more than the maintenance margin."""
    terms = world.market()
    sign = 1 if side == BUY else -1
    above = PPM - sign * terms.initial_margin
    below = PPM - sign * terms.maintenance_margin
    price = INDEX * above // below + (1 if side == BUY else 0)
    move(world, price)
    world.wait(phases.HALT_TIME)
    assert world.report(0, price) == "accepted"
    assert world.position(FAILING).size == sign * LOTS


def sell_at_the_worst(world: World, account: int, side: int, true: int, other: int) -> None:
    """`account` trades all lots with `other` at the true price, or as near to it as the rules let it come."""
    mark, terms = world.market().mark, world.market()
    sign = 1 if side == BUY else -1
    bands = (terms.band, terms.maintenance_margin)
    for width in sorted({abs(mark - true), *(mark * band // PPM for band in bands)}, reverse=True):
        price = mark - sign * width
        if width <= abs(mark - true) and world.order(account, side ^ 1, price, LOTS) == "accepted":
            assert world.order(other, side, price, LOTS, flags=IOC) == "accepted"
            return
    raise AssertionError("no price was taken")


def trade_before_the_report(side: int, fall: int, is_drifting: bool, **terms: int) -> Outcome:
    """The price moves by `fall` ppm against `side`, but the mark does not know it yet: the other side is sold now."""
    world = market_of(**(FREE | terms))
    spare = open_both(world, side)
    if is_drifting:
        drift(world, side)
    mark = world.market().mark
    true = mark - (1 if side == BUY else -1) * mark * fall // PPM
    sell_at_the_worst(world, HONEST, side, true, WINNING)
    assert world.position(WINNING).size == 0
    move(world, true)
    attacker = max(0, world.equity(FAILING)) + world.equity(WINNING) + spare - 2 * 10**13
    return Outcome(attacker, world.equity(HONEST) - 10**13)


@pytest.mark.parametrize(("initial", "maintenance"), [(10_000, 5_000), (50_000, 30_000), (200_000, 100_000)])
@pytest.mark.parametrize("side", [BUY, SELL])
def test_who_trades_before_the_mark_knows_pays_no_debt_and_who_lets_him_gains_nothing(
    initial: int, maintenance: int, side: int
) -> None:
    for fall, band, is_drifting in product((8_000, 40_000, 80_000, 150_000), (4_000, 100_000, PPM), (False, True)):
        found = trade_before_the_report(
            side,
            fall,
            is_drifting,
            initial_margin=initial,
            maintenance_margin=maintenance,
            close_out=maintenance // 3,
            band=band,
        )
        assert found.attacker <= 0, (fall, band, is_drifting, found)
        assert found.honest >= 0, (fall, band, is_drifting, found)


def test_on_the_terms_of_the_preset_the_same_costs_thousands() -> None:
    found = trade_before_the_report(BUY, 80_000, False)
    assert found.attacker <= -9_900 * 10**6
    assert found.honest >= 0


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("is_first", [False, True], ids=["debtor first", "winner first"])
def test_margins_raised_before_a_fall_bring_no_bystander_in(side: int, is_first: bool) -> None:
    """The winner's position, below the new margins, is not closed against a bystander's quote before the debt is."""
    sign = 1 if side == BUY else -1
    failing, winning = (WINNING, FAILING) if is_first else (FAILING, WINNING)
    world = market_of(**FREE)
    assert world.order(winning, 1 - side, INDEX, LOTS) == "accepted"
    assert world.order(failing, side, INDEX, LOTS, flags=IOC) == "accepted"
    spare = 0
    for account in (failing, winning):
        needed = div_up(LOTS * INDEX * 100 * TERMS["initial_margin"], PPM) + TERMS["order_margin"]
        spare += world.equity(account) - needed
        assert world.withdraw(account, world.equity(account) - needed) == "accepted"
    raised = TERMS | FREE | {"initial_margin": 300_000, "maintenance_margin": 250_000}
    assert world.set_market(1, **raised) == "accepted"
    # The true price is 8 % away, and the bystander quotes there, as the new terms let it.
    assert world.order(BYSTANDER, 1 - side, INDEX - sign * 7_500, LOTS) == "accepted"
    move(world, INDEX - sign * 8_000)
    assert world.equity(BYSTANDER) >= 10**13
    for _ in range(3):
        world.wait(1)
        assert world.report(0, INDEX - sign * 8_000) == "accepted"
    assert world.position(failing).size == world.position(winning).size == 0
    attacker = max(0, world.equity(failing)) + max(0, world.equity(winning)) + spare - 2 * 10**13
    assert attacker <= 0 and world.equity(BYSTANDER) >= 10**13


# --- what the backstop is left with ----------------------------------------------------------------------------------


def backstop_holding(world: World) -> int:
    """The backstop has taken over a long position at its cap; returns its lots. The book is empty, the mark rests."""
    assert world.backstop_deposit(OTHER, 10**12) == "accepted"
    open_both(world, BUY)
    move(world, 95_900)  # what is left is less than the close-out margin
    assert world.position(FAILING).size == 0
    held = world.position(BACKSTOP).size
    assert held > 0
    return held


def pass_minutes(world: World, minutes: int) -> None:
    for _ in range(minutes):
        world.wait(60)
        assert world.report(0, 95_900) == "accepted"
        assert world.crank() == "accepted"


def test_between_honest_quotes_the_backstop_is_rid_of_its_position_within_hours() -> None:
    world = market_of()
    held = backstop_holding(world)
    assert world.order(HONEST, BUY, 95_890, 4 * LOTS) == "accepted"  # a basis point below the mark
    assert world.order(BYSTANDER, SELL, 95_910, 4 * LOTS) == "accepted"
    before = world.equity(BACKSTOP)
    pass_minutes(world, 180)
    assert world.position(BACKSTOP).size <= held // 100
    assert world.equity(BACKSTOP) >= before - held * 100 * 10


def test_who_is_alone_in_the_book_gains_half_a_percent_of_what_it_holds_at_most() -> None:
    """And less than the account brought in that failed for it."""
    world = market_of(**FREE)
    held = backstop_holding(world)
    before, money = world.equity(BACKSTOP), world.equity(HONEST)
    half = div_up(95_900 * phases.UNWIND_STEP * phases.UNWIND_WAITS, PPM)
    assert world.order(HONEST, BUY, 95_900 - half, LOTS) == "accepted"
    bought = []
    for _ in range(240):
        pass_minutes(world, 1)
        bought.append(world.position(HONEST).size)
    assert bought[phases.UNWIND_WAITS - 1] == 0 < bought[phases.UNWIND_WAITS]
    assert len(set(bought)) <= 2 + 240 // (phases.UNWIND_WAITS // 2)
    gain = world.equity(HONEST) - money
    assert 0 < gain <= bought[-1] * 100 * half
    assert before - world.equity(BACKSTOP) == gain
    assert gain <= 10**12 * TERMS["backstop_cap"] // PPM * 5_000 // PPM  # an eighth of a percent of what is in it
    assert before - 10**12 - gain >= 0  # what the one that failed had left was more
    assert held > bought[-1]
