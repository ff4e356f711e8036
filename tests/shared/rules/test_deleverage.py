"""Who is deleveraged: the rank, exactly, and in its order.

The rank is BitMEX's ("What is Auto-Deleveraging": ranking = PNL percentage * effective leverage, the PNL percentage to
the average entry value, the leverage the mark value over what is left of the margin), with the account's equity as that
margin, since margin is cross.
"""

import pytest
from tests.support.machines.holders import enter_holders
from tests.support.machines.world import BACKSTOP, BUY, SELL, World, sub

from setoff.shared.machine.machine import DELEVERAGE, TAKEOVER
from setoff.shared.rules import deleveraging
from setoff.shared.rules.deleveraging import compute_score
from setoff.shared.rules.phases import LIQUIDATION_PAUSE, MAX_SCORE, SCORE_ONE
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State

ONE = SCORE_ONE


def score_of(collateral: int, size: int, cost: int, mark: int = 120, unit: int = 10, side: int = SELL) -> int:
    """Score of a position against one in liquidation that is closed on `side`."""
    state, regs = State(), Registers()
    regs.market, regs.side = 1, side
    market = state.market(1)
    market.mark, market.unit = mark, unit
    account = state.account(5)
    account.collateral = collateral
    position = account.positions[3]
    position.market, position.size, position.cost = 1, size, cost
    return compute_score(regs, state, account)


@pytest.mark.parametrize(
    ("collateral", "size", "cost", "score"),
    [
        # Short 10 at 150, now 120: 20 % of profit on an entry value of 15,000; notional 12,000.
        # Equity 36,000 - 12,000 = 24,000: half leverage. Rank 0.2 * 0.5 = 0.1.
        (36_000, -10, -15_000, ONE + (3_000 * ONE // 15_000) * (12_000 * ONE // 24_000)),
        # Equity 3,000: fourfold. Rank 0.8.
        (15_000, -10, -15_000, ONE + (3_000 * ONE // 15_000) * (12_000 * ONE // 3_000)),
        # No profit and no loss.
        (36_000, -10, -12_000, ONE),
        # A loss of a quarter, of all, of more than all.
        (36_000, -10, -9_600, ONE - ONE // 4),
        (36_000, -10, -6_000, 1),
        (36_000, -10, -1_000, 1),
        # On the same side, and without a position.
        (36_000, 10, 15_000, 0),
        (36_000, 0, 0, 0),
        # In profit, though the equity is gone elsewhere: the highest leverage there is.
        (0, -10, -15_000, ONE + (3_000 * ONE // 15_000) * (12_000 * ONE)),
    ],
)
def test_the_score(collateral: int, size: int, cost: int, score: int) -> None:
    assert score_of(collateral, size, cost) == score


def test_a_long_is_scored_like_a_short() -> None:
    # long 10 at 96, now 120: 25 % of 9,600; equity 24,000
    assert score_of(12_000, 10, 9_600, side=BUY) == ONE + (2_400 * ONE // 9_600) * (12_000 * ONE // 24_000)


def test_both_factors_are_bounded() -> None:
    # 2^38 lots at 2^24 - 1 with a unit of 2^32 - 1, sold for one unit and bought for nothing
    assert score_of(0, 2**38, 1, mark=2**24 - 1, unit=2**32 - 1, side=BUY) == ONE + MAX_SCORE * (
        (2**38 * (2**24 - 1) * (2**32 - 1) * ONE) // (2**38 * (2**24 - 1) * (2**32 - 1))
    )
    assert score_of(-(2**127), 2**38, 1, mark=2**24 - 1, unit=2**32 - 1, side=BUY) == ONE + MAX_SCORE**2
    assert ONE + MAX_SCORE**2 < 2**128


def shorts(funds: dict[int, tuple[int, int, int]], loser: int = 9) -> World:
    """Account 9 is long of everything; `funds`: account -> (deposit, price it sold at, lots). No fees; mark 100."""
    world = World.trading(accounts=0, taker_fee=0, maker_fee=0, initial_margin=50_000, maintenance_margin=20_000)
    world.deposit(loser, 10**7)
    for account, (deposit, price, lots) in funds.items():
        world.deposit(account, deposit)
        world.set_mark(price)
        assert world.order(account, SELL, price, lots) == "accepted"
        assert world.order(loser, BUY, price, lots) == "accepted"
        assert world.position(account).size == -lots
    world.set_mark(100)
    return world


def bankrupt(world: World, mark: int, loser: int = 9, left: int = 100) -> None:
    """Take the loser's money but for `left` units at `mark`; a report then lets the machine close it."""
    spare = world.account(loser).collateral + world.position(loser).size * mark * 10 - left
    world.machine.state.account(loser).collateral -= spare
    world.machine.state.account(1).collateral += spare
    world.set_mark(mark)


def test_the_highest_score_goes_first_then_the_next() -> None:
    world = shorts({2: (10**6, 100, 10), 3: (10**5, 100, 10), 4: (10**5, 110, 10), 5: (10**6, 90, 10)})
    world.deposit(1, 1)
    bankrupt(world, mark=95)
    # At 95: 4 has 13.6 % on high leverage, 3 has 5 % on high, 2 has 5 % on low leverage, 5 has a loss.
    order = [maker for _, maker, _, _ in world.trades(DELEVERAGE)]
    assert list(dict.fromkeys(order)) == [4, 3, 2, 5]


def test_of_equal_scores_the_lower_number_goes_first() -> None:
    world = shorts({4: (10**5, 100, 10), 3: (10**5, 100, 10), 2: (10**5, 100, 10)})
    world.deposit(1, 1)
    bankrupt(world, mark=95)
    order = [maker for _, maker, _, _ in world.trades(DELEVERAGE)]
    assert list(dict.fromkeys(order)) == [2, 3, 4]


def test_a_sub_account_is_ranked_by_itself() -> None:
    world = shorts({2: (10**6, 100, 10), 3: (10**6, 100, 10)})
    world.deposit(1, 1)
    world.deposit(2, 10**6)
    world.transfer(2, sub(2), 10_000)
    world.order(sub(2), SELL, 100, 10)
    world.order(9, BUY, 100, 10)
    bankrupt(world, mark=95)
    assert world.trades(DELEVERAGE)[0][1] == sub(2)  # the leanest, though its master is rich


def test_the_backstop_first_closes_what_it_has_on_the_other_side() -> None:
    world = shorts({2: (10**6, 100, 10)})
    world.deposit(1, 10**6)
    state = world.machine.state
    # The backstop holds the most profitable short, and could not carry the long left of taking three lots over.
    backstop, giver = state.account(BACKSTOP), state.account(2)
    place = backstop.positions[0]
    place.market, place.size, place.cost = 1, -1, -2_000
    backstop.collateral = 1_000
    giver.positions[0].size, giver.positions[0].cost = -9, -9_000
    giver.collateral -= 1_000
    enter_holders(state)
    bankrupt(world, mark=95, left=90)
    assert world.trades(TAKEOVER) == [(9, BACKSTOP, 95, 2)]  # its short, and a long that it can carry
    assert world.position(BACKSTOP).size == 1


def test_the_size_is_that_of_the_smaller_position_and_the_price_the_zero_price() -> None:
    world = shorts({2: (10**5, 100, 3), 3: (10**5, 100, 37)})
    world.deposit(1, 1)
    world.set_market(1, taker_fee=0, maker_fee=0, initial_margin=50_000, maintenance_margin=20_000, close_out=20_000)
    bankrupt(world, mark=95, left=40)
    # Below close-out: all at once, at one price. 40 units for 40 lots are no tick for each.
    assert world.trades(DELEVERAGE) == [(9, 3, 95, 37), (9, 2, 95, 3)]
    assert world.account(9).collateral == 40
    assert world.market().open_interest == 0


def test_nobody_else_is_touched() -> None:
    world = shorts({2: (10**5, 100, 10), 3: (10**5, 110, 50)})
    world.deposit(1, 1)
    before = world.account(2)
    bankrupt(world, mark=95, left=500)
    # 500 of 1,140: deep below. Of 855 it is more than half: a pause. Then 500 of 627, and of 456.
    assert world.trades(DELEVERAGE) == [(9, 3, 95, 15)]
    world.set_mark(95)
    assert world.trades(DELEVERAGE) == []
    world.wait(LIQUIDATION_PAUSE)
    world.set_mark(95)
    assert world.trades(DELEVERAGE) == [(9, 3, 95, 12), (9, 3, 95, 9)]
    after = world.account(2)
    assert (after.collateral, after.positions[0].size) == (before.collateral, before.positions[0].size)


# --- one ranking for many ---------------------------------------------------------------------------------------------


def count_rankings(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """A list that gets (account, market) of each ranking that begins from now on."""
    begun: list[tuple[int, int]] = []
    begin = deleveraging.begin_ranking

    def count(regs: Registers) -> None:
        begun.append((regs.account, regs.market))
        begin(regs)

    monkeypatch.setattr(deleveraging, "begin_ranking", count)
    return begun


def test_a_ranking_closes_eight_before_there_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    world = shorts({account: (10**5 + account, 100, 1) for account in range(10, 30)}, loser=8)
    world.deposit(1, 1)
    begun = count_rankings(monkeypatch)
    bankrupt(world, mark=95, loser=8, left=0)
    assert [maker for _, maker, _, _ in world.trades(DELEVERAGE)] == list(range(10, 30))
    assert begun == [(8, 1)] * 3  # for eight, for eight and for four


def test_a_ranking_serves_all_that_are_closed_on_its_side(monkeypatch: pytest.MonkeyPatch) -> None:
    world = shorts({2: (10**6, 100, 10), 3: (10**5, 100, 10)}, loser=8)
    world.deposit(1, 1)
    for account in (5, 6, 7):
        world.deposit(account, 10**6)
        world.order(2, SELL, 100, 4)
        world.order(account, BUY, 100, 4)
    for account in (5, 6, 7):
        own = world.machine.state.account(account)
        spare = own.collateral + 4 * 95 * 10
        own.collateral -= spare
        world.machine.state.account(1).collateral += spare
    begun = count_rankings(monkeypatch)
    bankrupt(world, mark=95, loser=8, left=0)
    # 3 has the higher leverage and keeps its place until it is gone; 2 serves all that are left.
    assert [(taker, maker, size) for taker, maker, _, size in world.trades(DELEVERAGE)] == [
        (5, 3, 4), (6, 3, 4), (7, 3, 2), (7, 2, 2), (8, 2, 20),
    ]  # fmt: skip
    assert begun == [(5, 1)]


def test_who_has_traded_out_since_it_was_ranked_is_passed_over() -> None:
    world = shorts({2: (10**6, 100, 10), 3: (2_000, 100, 10)}, loser=8)
    world.deposit(1, 1)
    world.deposit(5, 10**6)
    world.order(2, SELL, 100, 4)
    world.order(5, BUY, 100, 4)
    world.order(3, BUY, 95, 6)
    state = world.machine.state
    spare = world.account(5).collateral + 4 * 95 * 10
    state.account(5).collateral -= spare
    state.account(1).collateral += spare
    # 5 is closed against 3, who then buys the other six from 8, in the book: nothing is left to close against.
    bankrupt(world, mark=95, loser=8, left=10)
    assert [(taker, maker, size) for taker, maker, _, size in world.trades(DELEVERAGE)][:1] == [(5, 3, 4)]
    assert world.position(3).size == 0
    assert {maker for taker, maker, _, _ in world.trades(DELEVERAGE) if taker == 8} == {2}


def test_another_market_and_another_sweep_have_rankings_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    world = shorts({2: (10**6, 100, 10)}, loser=8)
    world.deposit(1, 1)
    world.list_market(2, taker_fee=0, maker_fee=0, initial_margin=50_000, maintenance_margin=20_000)
    world.report(0, 100, market=2)
    world.order(2, SELL, 100, 5, market=2)
    world.order(8, BUY, 100, 5, market=2)
    begun = count_rankings(monkeypatch)
    state = world.machine.state
    spare = world.account(8).collateral + 15 * 100 * 10
    state.account(8).collateral -= spare
    state.account(1).collateral += spare
    world.set_mark(100)
    assert begun == [(8, 1), (8, 2)]
    assert world.equity(8) == 0


def test_dust_on_the_other_side_shares_its_rankings() -> None:
    """64 accounts with a lot each, closed by one that failed: the steps are those of eight rankings."""
    crowd = range(10, 74)
    world = shorts({account: (10**5 + account, 100, 1) for account in crowd}, loser=8)
    world.deposit(1, 1)
    bankrupt(world, mark=95, loser=8, left=0)  # in a batch of its own
    assert len(world.trades(DELEVERAGE)) == len(crowd)
    ranking, closing, sweep = 2 * len(crowd) + 6, 2 * len(crowd), 4 * len(crowd)
    assert 8 * len(crowd) < world.machine.regs.steps <= 8 * ranking + closing + sweep
