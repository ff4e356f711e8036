"""Who holds something is visited when its price changes, and nobody else; that costs what holding costs."""

from collections import Counter

import pytest
from tests.support.machines.holders import list_entered, read_words
from tests.support.machines.world import BACKSTOP, BUY, FOK, GTC, IOC, SELL, World, sub

from setoff.shared.codec import records
from setoff.shared.rules import phases
from setoff.shared.rules.fetch import step_fetch
from setoff.shared.rules.holders import get_visited
from setoff.shared.rules.step import apply_step


def list_holders(world: World, market: int = 1) -> list[int]:
    state = world.machine.state
    state.commit()
    return [account for each, account in list_entered(read_words(state.tree.items())) if each == market]


def take_steps(world: World, body: bytes) -> list[tuple[int, int]]:
    """Run an input; returns its phases, each with the account that a sweep or a ranking visits in it."""
    regs, state = world.machine.regs, world.machine.state
    regs.steps += 1
    step_fetch(regs, state, body, False)
    taken: list[tuple[int, int]] = []
    while regs.phase != phases.IDLE:
        visited = -1
        if regs.phase in (phases.SWEEP, phases.STRIKE):
            visited = get_visited(regs.sweep_end, regs.sweep_word)
        elif regs.phase == phases.RANK:
            visited = get_visited(regs.rank_end, regs.rank_word)
        taken.append((regs.phase, visited))
        apply_step(regs, state)
    return taken


def trade(world: World, seller: int, buyer: int, size: int = 1, market: int = 1) -> None:
    """A trade at 100, by orders that leave nothing."""
    assert world.order(seller, SELL, 100, size, market=market) == "accepted"
    assert world.order(buyer, BUY, 100, size, market=market) == "accepted"


def list_visited(steps: list[tuple[int, int]], phase: int = phases.SWEEP) -> list[int]:
    return [account for each, account in steps if each == phase]


def report(world: World, price: int, market: int = 1) -> list[tuple[int, int]]:
    """The steps of a report that is news."""
    world.wait(1)
    return take_steps(world, world.traffic.report(0, price, market=market))


def test_both_sides_of_a_trade_are_entered_at_once() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 5)
    assert list_holders(world) == []  # an open order holds nothing
    steps = take_steps(world, world.traffic.order(2, BUY, 100, 5))
    at = [phase for phase, _ in steps]
    assert at[at.index(phases.FILL) :] == [
        *(phases.FILL, phases.ENROL, phases.ENROL, phases.UNLINK, phases.UNLIST, phases.SEEK),
    ]
    assert list_holders(world) == [1, 2]
    assert list(read_words(world.machine.state.tree.items()).values()) == [1, 1, 0b110]


def test_only_who_opens_is_entered() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 5)
    world.order(2, BUY, 100, 5)
    world.order(3, SELL, 100, 2)
    steps = Counter(phase for phase, _ in take_steps(world, world.traffic.order(2, BUY, 100, 1)))
    assert (steps[phases.FILL], steps[phases.ENROL]) == (1, 1)
    world.order(1, BUY, 100, 2)
    steps = Counter(phase for phase, _ in take_steps(world, world.traffic.order(3, SELL, 100, 2)))
    assert (steps[phases.FILL], steps[phases.ENROL]) == (1, 0)


def test_a_position_that_changes_sides_stays_entered_and_one_that_reopens_is_entered_again() -> None:
    world = World.trading(taker_fee=0, maker_fee=0)
    world.order(1, SELL, 100, 5)
    world.order(2, BUY, 100, 5)
    world.order(3, BUY, 100, 5)
    steps = Counter(phase for phase, _ in take_steps(world, world.traffic.order(2, SELL, 100, 5)))
    assert steps[phases.ENROL] == 1 and list_holders(world) == [1, 2, 3]
    # Closed and not visited yet, its bit still stands; to set it again changes nothing.
    world.order(2, SELL, 101, 3)
    steps = Counter(phase for phase, _ in take_steps(world, world.traffic.order(3, BUY, 101, 3)))
    assert steps[phases.ENROL] == 1 and list_holders(world) == [1, 2, 3]
    world.order(3, SELL, 100, 1)
    steps = Counter(phase for phase, _ in take_steps(world, world.traffic.order(2, BUY, 100, 9)))
    assert steps[phases.ENROL] == 0 and world.position(2).size == -2


def test_accounts_that_hold_nothing_there_are_not_visited() -> None:
    world = World.trading(accounts=9)
    world.list_market(2)
    world.report(0, 100, market=2)
    trade(world, 1, 2)
    trade(world, 8, 9, market=2)
    world.order(5, BUY, 90, 1)
    world.transfer(1, sub(1, 7), 10)
    assert list_visited(report(world, 101)) == [1, 2]
    assert list_visited(report(world, 101, market=2)) == [8, 9]


def test_the_lowest_account_comes_first_and_sub_accounts_last() -> None:
    world = World.trading(accounts=3)
    for account, peer in ((sub(3, 2), 1), (sub(1, 15), sub(2))):
        for each in (account, peer):
            if each > 2**20:
                world.transfer(each & 2**20 - 1, each, 10_000)
        trade(world, account, peer)
    assert list_visited(report(world, 101)) == [1, sub(2), sub(3, 2), sub(1, 15)]


def test_who_closed_is_visited_once_more_and_then_taken_out() -> None:
    world = World.trading(taker_fee=0, maker_fee=0)
    trade(world, 1, 2)
    trade(world, 2, 3)
    assert list_holders(world) == [1, 2, 3] and world.position(2).size == 0
    steps = report(world, 101)
    assert list_visited(steps) == [1, 2, 3] and list_visited(steps, phases.STRIKE) == [2]
    assert list_holders(world) == [1, 3]
    assert list_visited(report(world, 102)) == [1, 3]


def test_a_word_that_becomes_empty_is_left_out() -> None:
    world = World.trading(taker_fee=0, maker_fee=0)
    for account in (sub(1), sub(2)):
        world.transfer(account & 2**20 - 1, account, 10_000)
    trade(world, 3, sub(1))
    trade(world, sub(1), sub(2))
    assert phase_counts(report(world, 100))[phases.GATHER] == 3  # two words, and none behind them
    trade(world, sub(2), 3)
    assert list_visited(report(world, 101), phases.STRIKE) == [3, sub(2)]
    assert list_holders(world) == [] and read_words(world.machine.state.tree.items()) == {}
    assert phase_counts(report(world, 102))[phases.GATHER] == 1


def phase_counts(steps: list[tuple[int, int]]) -> Counter[int]:
    return Counter(phase for phase, _ in steps)


def test_a_visit_is_two_steps_and_a_word_two_more() -> None:
    world = World.trading(accounts=40, taker_fee=0, maker_fee=0)
    for account in range(1, 40, 2):
        trade(world, account, account + 1)
    # report; choice and word; choice and visit of each; choice and no word behind; choice and trigger; choice
    assert len(report(world, 100)) == 1 + 2 + 2 * 40 + 2 + 2 + 1


def test_empty_accounts_cost_the_others_nothing() -> None:
    world = World.trading(accounts=2)
    trade(world, 1, 2)
    before = len(report(world, 101))
    for account in range(3, 400):
        world.deposit(account, 10)
    for number in range(1, 10):
        assert world.transfer(3, sub(3, number), 1) == "accepted"
    assert len(report(world, 102)) == before


def test_only_holders_of_the_market_are_ranked() -> None:
    world = World.trading(accounts=6, funds=10**4, taker_fee=0, maker_fee=0)
    world.list_market(2)
    world.report(0, 100, market=2)
    trade(world, 5, 6, market=2)
    world.deposit(2, 10**7)
    world.order(2, SELL, 100, 90)
    world.order(1, BUY, 100, 90)
    world.deposit(1, 1)
    steps = report(world, 70) + report(world, 50)
    assert set(list_visited(steps, phases.RANK)) == {1, 2}
    assert phase_counts(steps)[phases.DELEVERAGE] >= 1


def test_the_backstop_is_entered_when_it_takes_over_and_visited_first() -> None:
    world = World.trading(accounts=4, funds=10**5, taker_fee=0, maker_fee=0)
    assert world.backstop_deposit(3, 50_000) == "accepted"
    trade(world, 1, 2, size=900)
    steps = report(world, 91)
    at = [phase for phase, _ in steps]
    assert at[at.index(phases.TAKEOVER) : at.index(phases.TAKEOVER) + 3] == [
        *(phases.TAKEOVER, phases.ENROL, phases.WORK),
    ]
    assert world.position(BACKSTOP).size > 0 and BACKSTOP in list_holders(world)
    assert list_visited(report(world, 91))[0] == BACKSTOP


def test_a_settled_market_has_no_holders_left() -> None:
    world = World.trading(accounts=4)
    trade(world, 1, 2)
    trade(world, 3, 4)
    assert world.take(records.encode(records.WindDownBody()), is_message=True) == "accepted"
    assert world.crank(1) == "accepted"
    assert world.market().settled == 1
    assert list_holders(world) == []
    assert {world.position(account).size for account in range(1, 5)} == {0}


@pytest.mark.parametrize("flags", [GTC, IOC, FOK])
def test_an_order_that_meets_many_stays_below_its_bound(flags: int) -> None:
    """Every maker alone on its level, each opening a position: the dearest makers there are."""
    makers = 60
    world = World.trading(accounts=makers + 1, funds=2**60, mark=1_050)
    for maker in range(1, makers + 1):
        assert world.order(maker, SELL, 1_000 + maker, 1) == "accepted"
    steps = phase_counts(take_steps(world, world.traffic.order(makers + 1, BUY, 1_100, makers, flags=flags)))
    each = 7 + 2 * (flags == FOK)
    assert steps[phases.ENROL] == makers + 1
    assert each * makers <= sum(steps.values()) <= each * makers + 32
