"""When a price is reported, with which time, and when past the operator."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setoff.shared.oracle.decision import (
    AGE,
    CHANGE,
    FIRST,
    Outage,
    Reported,
    choose_time,
    find_reason,
    is_to_force,
)

LAST = Reported(78_000, 1_000)
TICKS = st.integers(1, 2**24 - 1)


@pytest.mark.parametrize(
    ("ticks", "now", "reason"),
    [
        (78_000, 1_019, ""),
        (78_000, 1_020, AGE),
        (78_038, 1_001, ""),  # five basis points are 39 ticks
        (78_039, 1_001, CHANGE),
        (77_961, 1_001, CHANGE),
        (78_039, 1_000, CHANGE),
    ],
)
def test_a_price_is_due_by_change_or_age(ticks: int, now: int, reason: str) -> None:
    assert find_reason(ticks, now, LAST, change=5.0, age=20.0) == reason


def test_the_first_one_is_due_at_once() -> None:
    assert find_reason(1, 0, None, change=5.0, age=20.0) == FIRST


@given(TICKS, TICKS, st.integers(0, 10**6), st.floats(0, 10_000), st.floats(0.1, 10**6))
def test_no_price_is_older_than_the_age_or_farther_than_the_change_without_being_due(
    ticks: int, last: int, passed: int, change: float, age: float
) -> None:
    reason = find_reason(ticks, 1_000 + passed, Reported(last, 1_000), change=change, age=age)
    if not reason:
        assert passed < age and abs(ticks - last) * 10_000 <= change * last
    if reason == CHANGE:
        assert ticks != last


@given(st.lists(st.integers(0, 100), max_size=20))
def test_times_rise_whatever_the_clock_does(clock: list[int]) -> None:
    last, times = None, []
    for now in clock:
        last = Reported(1, choose_time(now, last))
        times.append(last.time)
    assert all(before < after for before, after in pairwise(times))
    assert all(time >= now for time, now in zip(times, clock, strict=True))


@pytest.mark.parametrize(
    ("outage", "now", "forced_at", "forces"),
    [
        (None, 100.0, None, False),
        (Outage(70.1, "not_ready"), 100.0, None, False),
        (Outage(70.0, "not_ready"), 100.0, None, True),
        (Outage(0.0, "unknown_signer"), 100.0, None, True),  # whatever an operator says
        (Outage(0.0, "not_ready"), 100.0, 99.0, False),
        (Outage(0.0, "not_ready"), 400.0, 100.0, True),
    ],
)
def test_a_report_goes_through_l1_when_the_operator_has_had_its_time(
    outage: Outage | None, now: float, forced_at: float | None, forces: bool
) -> None:
    assert is_to_force(outage, now, patience=30.0, forced_at=forced_at, interval=300.0) is forces
    assert not is_to_force(outage, now, patience=30.0, forced_at=forced_at, interval=0.0)
