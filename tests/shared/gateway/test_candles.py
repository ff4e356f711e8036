"""Candles of the intervals that bots ask for, put together of those that the exchange keeps."""

from datetime import UTC, datetime
from typing import Any

import pytest

from setoff.shared.gateway.refusals import Misshapen
from setoff.shared.gateway.views.candles import KEPT, MADE, SECONDS, find_base, find_bucket, fold


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize("interval", [name for name in SECONDS if name != "1w"])
def test_candles_begin_at_multiples_of_their_length(interval: str) -> None:
    first, last = find_bucket(interval, at("2026-05-13T15:47:11"))
    assert first % SECONDS[interval] == 0 and last - first + 1 == SECONDS[interval]


def test_weeks_begin_on_mondays_and_months_on_their_first() -> None:
    assert find_bucket("1w", at("2026-05-13T15:47:11")) == (at("2026-05-11"), at("2026-05-18") - 1)
    assert find_bucket("1M", at("2026-12-31T23:59:59")) == (at("2026-12-01"), at("2027-01-01") - 1)


def test_every_interval_of_the_api_is_kept_or_made_of_one_that_is() -> None:
    assert {*KEPT, *MADE} == {*SECONDS, "1M"}
    for interval, base in MADE.items():
        assert base in KEPT and (interval == "1M" or SECONDS[interval] % SECONDS[base] == 0)
    with pytest.raises(Misshapen):
        find_base("7m")


def test_short_candles_become_longer_ones() -> None:
    def candle(start: int, prices: tuple[int, int, int, int], volume: int) -> dict[str, Any]:
        names = ("open", "high", "low", "close")
        return {"start": start, **dict(zip(names, prices, strict=True)), "volume": str(volume), "trades": 1}

    found = fold([candle(0, (5, 9, 4, 6), 3), candle(120, (6, 7, 2, 3), 4), candle(180, (3, 3, 3, 3), 1)], "3m")
    assert found == [
        {"first": 0, "last": 179, "open": 5, "high": 9, "low": 2, "close": 3, "volume": 7, "trades": 2},
        {"first": 180, "last": 359, "open": 3, "high": 3, "low": 3, "close": 3, "volume": 1, "trades": 1},
    ]
