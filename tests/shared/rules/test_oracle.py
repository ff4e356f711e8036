"""Signers, quorum, median and age of reports."""

from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.machines.world import World

from setoff.deploy.simulation.sample_traffic import START_TIME, oracle_key, trader_key
from setoff.shared.codec import records
from setoff.shared.codec.signatures import address_of
from setoff.shared.rules.oracle import compute_median
from setoff.shared.state import leaves
from setoff.shared.state.keys import MAX_TICK, signers_key
from setoff.shared.state.keys import oracle_key as oracle_leaf_key


def world_with_signers(count: int, quorum: int, max_age: int = 60) -> World:
    world = World()
    world.list_market(1)
    for number in range(count):
        assert world.set_signer(number, quorum, max_age) == "accepted"
    return world


def test_a_signer_is_registered_with_quorum_and_age() -> None:
    world = world_with_signers(3, quorum=2, max_age=90)
    signers = leaves.decode_signers(world.value(signers_key()))
    assert (signers.count, signers.quorum, signers.max_age) == (3, 2, 90)
    assert signers.owners[:3] == [address_of(oracle_key(n)) for n in range(3)]
    assert signers.owners[3:] == [bytes(20)] * 4


@pytest.mark.parametrize("wrong", [{"number": 7}, {"quorum": 0}, {"quorum": 8}, {"max_age": 0}])
def test_rejects_unsound_signer(wrong: dict[str, int]) -> None:
    world = World()
    assert world.set_signer(**wrong) == "bad_parameters"
    assert world.value(signers_key()) == b""


def test_a_single_quorum_sets_index_and_mark() -> None:
    world = world_with_signers(1, quorum=1)
    assert world.report(0, 250) == "accepted"
    market = world.market()
    assert (market.index, market.mark, market.index_time) == (250, 250, START_TIME)


def test_below_the_quorum_nothing_changes() -> None:
    world = world_with_signers(3, quorum=2)
    assert world.report(0, 250) == "accepted"
    assert world.market().mark == 0
    assert world.report(2, 260) == "accepted"
    assert world.market().mark == 250  # the lower of the two


@pytest.mark.parametrize(
    ("prices", "median"),
    [([5], 5), ([9, 1], 1), ([9, 1, 5], 5), ([9, 1, 5, 7], 5), ([3, 3, 9, 9, 9], 9), ([7, 6, 5, 4, 3, 2, 1], 4)],
)
def test_the_first_index_is_the_median_or_the_lower_of_two(prices: list[int], median: int) -> None:
    world = world_with_signers(7, quorum=len(prices))
    for number, price in enumerate(prices):
        world.report(number, price)
    assert world.market().index == median


@pytest.mark.parametrize(
    ("index", "fresh", "expected"),
    [
        (100, [80, 90, 105, 300], 105),  # of the two in the middle the one that is nearer to what was
        (100, [80, 95, 110, 300], 95),
        (100, [1, 98, 102, 300], 98),  # equally near: the lower
        (100, [90, 105], 105),
        (200, [90, 105], 105),
        (100, [90, 105, 110], 105),
    ],
)
def test_of_two_in_the_middle_the_nearer_to_the_old_index_counts(index: int, fresh: list[int], expected: int) -> None:
    assert compute_median(*reports_of(fresh, quorum=2), START_TIME, index) == expected


def reports_of(prices: list[int], quorum: int) -> tuple[leaves.Oracle, leaves.Signers]:
    """Fresh reports of the first signers."""
    oracle, signers = leaves.Oracle(), leaves.Signers(len(prices), quorum, 60)
    for number, price in enumerate(prices):
        oracle.prices[number], oracle.times[number] = price, START_TIME
    return oracle, signers


@pytest.mark.parametrize("false", [1, 2, 3])
def test_false_signers_cannot_move_the_index_out_of_the_honest_range(false: int) -> None:
    """Every choice of small prices, every number of reports from a quorum of 2f + 1 on, every old index."""
    quorum = 2 * false + 1
    prices = range(1, 8) if false == 1 else range(1, 4)
    for count in range(quorum, min(quorum + 2, leaves.MAX_SIGNERS) + 1):
        for honest in combinations_with_replacement(range(2, len(prices)), count - false):
            for lies in combinations_with_replacement(prices, false):
                for index in range(prices.stop + 1):
                    found = compute_median(*reports_of([*honest, *lies], quorum), START_TIME, index)
                    assert min(honest) <= found <= max(honest)


@given(st.data())
def test_false_signers_cannot_move_the_index_whatever_the_prices(data: st.DataObject) -> None:
    false = data.draw(st.integers(0, 3))
    count = data.draw(st.integers(2 * false + 1, leaves.MAX_SIGNERS))
    price = st.integers(1, MAX_TICK)
    honest = data.draw(st.lists(price, min_size=count - false, max_size=count - false))
    lies = data.draw(st.lists(price, min_size=false, max_size=false))
    oracle, signers = reports_of(data.draw(st.permutations([*honest, *lies])), 2 * false + 1)
    assert min(honest) <= compute_median(oracle, signers, START_TIME, data.draw(st.integers(0, MAX_TICK)))
    assert compute_median(oracle, signers, START_TIME, data.draw(st.integers(0, MAX_TICK))) <= max(honest)


def test_one_more_than_those_decides_it() -> None:
    """The bound is sharp: with a quorum of 2f, f false signers set the index."""
    oracle, signers = reports_of([100, 1], quorum=2)
    assert compute_median(oracle, signers, START_TIME, 0) == 1


def test_one_false_signer_of_four_moves_nothing() -> None:
    world = world_with_signers(4, quorum=3)
    for number in range(3):
        world.report(number, 1_000)
    for lie in (1, 10_000, MAX_TICK):
        world.wait(1)
        assert world.report(3, lie) == "accepted"
        assert (world.market().index, world.market().mark) == (1_000, 1_000)


def test_stale_reports_do_not_count() -> None:
    world = world_with_signers(3, quorum=2, max_age=60)
    world.report(0, 250)
    world.wait(60)
    world.report(1, 270)
    assert world.market().mark == 250  # the first is 60 seconds old: still fresh
    world.wait(1)
    world.report(2, 280)
    assert world.market().mark == 270  # only the last two are fresh
    assert world.market().index_time == START_TIME + 61


def test_rejects_report_older_than_max_age_or_further_ahead() -> None:
    world = world_with_signers(1, quorum=1, max_age=60)
    assert world.report(0, 5, time=START_TIME - 61) == "stale_report"
    assert world.report(0, 5, time=START_TIME + 61) == "future_report"
    assert world.report(0, 5, time=START_TIME - 60) == "accepted"
    assert world.report(0, 6, time=START_TIME + 60) == "accepted"


def test_rejects_report_that_is_not_newer_than_the_signer_s_last() -> None:
    world = world_with_signers(1, quorum=1)
    assert world.report(0, 5, time=START_TIME - 1) == "accepted"
    assert world.report(0, 6, time=START_TIME - 1) == "stale_report"
    assert world.report(0, 6, time=START_TIME - 2) == "stale_report"
    assert world.report(0, 6) == "accepted"
    assert world.market().mark == 6


def test_rejects_report_by_someone_else() -> None:
    world = world_with_signers(2, quorum=1)
    body = records.encode(records.ReportBody(0, START_TIME, 1, 5))
    assert world.take(world.traffic.sign(body, oracle_key(1))) == "unknown_signer"
    assert world.take(world.traffic.sign(body, trader_key(1))) == "unknown_signer"
    assert world.report(2, 5) == "unknown_signer"
    assert world.value(oracle_leaf_key(1)) == b""


def test_rejects_report_on_no_market_or_at_no_price() -> None:
    world = world_with_signers(1, quorum=1)
    assert world.report(0, 5, market=2) == "unknown_market"
    assert world.report(0, 5, market=0) == "unknown_market"
    assert world.report(0, 0) == "price_out_of_range"
    assert world.report(0, MAX_TICK + 1) == "price_out_of_range"
    assert world.report(0, MAX_TICK) == "accepted"


def test_a_replaced_signer_can_no_longer_report() -> None:
    world = world_with_signers(1, quorum=1)
    change = records.SetSignerBody(0, address_of(oracle_key(5)), 1, 60)
    assert world.take(records.encode(change), is_message=True) == "accepted"
    assert world.report(0, 5) == "unknown_signer"
    body = records.encode(records.ReportBody(0, START_TIME, 1, 5))
    assert world.take(world.traffic.sign(body, oracle_key(5))) == "accepted"


def test_each_market_has_its_own_reports() -> None:
    world = world_with_signers(2, quorum=2)
    world.list_market(2)
    world.report(0, 10)
    world.report(1, 20, market=2)
    assert world.market(1).mark == world.market(2).mark == 0
    world.report(1, 12)
    assert (world.market(1).mark, world.market(2).mark) == (10, 0)
