"""Payments of funding: each with the rate that held, and the position that it was paid for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from setoff.shared.gateway.assets import Json, Universe
from setoff.shared.gateway.views.fills import FillBook
from setoff.shared.gateway.views.market_views import show_rate
from setoff.shared.sdk import SetoffClient

MOST: Final = 20_000
"""Samples of a market's premium, one a minute, that are looked through for the rate of a payment."""
PAGE: Final = 1000


async def show_fundings(
    client: SetoffClient, universe: Universe, book: FillBook, entries: Sequence[Mapping[str, Any]]
) -> list[Json]:
    """Entries of an account's ledger, oldest first, as payments. Raises Refusal, Unavailable."""
    if not entries:
        return []
    await book.read()
    first = int(entries[0]["time"])
    samples = {market: await _read_samples(client, market, first) for market in {int(e["market"]) for e in entries}}
    return [_show(universe, book, entry, samples[int(entry["market"])]) for entry in entries]


async def _read_samples(client: SetoffClient, market: int, first: int) -> list[tuple[int, Any]]:
    """(time, rate) of a market's samples, oldest first, from the last one before `first` (seconds) on."""
    found: list[tuple[int, Any]] = []
    place: dict[str, int] = {}
    while len(found) < MOST:
        page = await client.history("funding", market, limit=PAGE, **place)
        found += [(int(sample["time"]), sample["rate"]) for sample in page["rates"]]
        if page["next"] is None or found[-1][0] < first:
            break
        place = {"before": int(page["next"])}
    return found[::-1]


def find_rate(samples: Iterable[tuple[int, Any]], time: int) -> Any:
    """The rate that held just before `time`, in ppm; 0 where no sample is so old."""
    known = list(samples)
    place = bisect_right([at for at, _ in known], time - 1) - 1
    return known[place][1] if place >= 0 else 0


def _show(universe: Universe, book: FillBook, entry: Mapping[str, Any], samples: list[tuple[int, Any]]) -> Json:
    asset = universe.of_market(int(entry["market"]))
    size = book.size_before(asset.market, int(entry["batch"]), int(entry["input_index"]))
    return {
        "time": int(entry["time_ms"]),
        "hash": "0x" + "00" * 32,
        "delta": {
            "type": "funding",
            "coin": asset.coin,
            "usdc": universe.show_amount(int(entry["amount"])),
            "szi": asset.show_size(size),
            "fundingRate": show_rate(find_rate(samples, int(entry["time"]))),
            "nSamples": None,
        },
    }
