"""The market falls by a third, liquidity is gone, and nobody helps: the rules alone must carry it."""

import pytest
from tests.support.machines.flash_crash import Crash, summarise

from setoff.deploy.simulation.market_lab.pictures.prices import fetch_prices, find_crash, make_up_crash


def test_a_crash_is_carried_by_the_rules() -> None:
    # Every visit and every report is checked on the way: see Crash.watch_visit and Crash.check_solvency.
    hours = make_up_crash()
    crash = Crash(300, round(hours[0][0]))
    moments = crash.run(hours)
    first, last = moments[0], moments[-1]
    assert min(moment.price for moment in moments) < first.price * 0.7
    assert last.accounts > 50
    assert last.liquidated > 0
    assert last.taken > 0
    assert last.deleveraged > 0
    assert last.open_interest < first.open_interest


@pytest.mark.long
def test_ten_thousand_accounts_through_the_worst_day_of_the_record() -> None:
    hours = find_crash(fetch_prices())
    crash = Crash(10_000, round(hours[0][0]))
    moments = crash.run(hours)
    assert min(moment.price for moment in moments) < moments[0].price * 0.75
    assert moments[-1].accounts > 1_000
    assert moments[-1].deleveraged > 0, summarise(crash)
