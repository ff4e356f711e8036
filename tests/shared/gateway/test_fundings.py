"""The rate that held when funding was paid."""

import pytest

from setoff.shared.gateway.views.fundings import find_rate

SAMPLES = [(100, 5.0), (160, -2.5), (220, 7.25)]


@pytest.mark.parametrize(("time", "rate"), [(99, 0), (100, 0), (101, 5.0), (160, 5.0), (161, -2.5), (1000, 7.25)])
def test_a_payment_is_of_the_sample_before_it(time: int, rate: float) -> None:
    assert find_rate(SAMPLES, time) == rate
