"""Pages of the exchange's history, read on from where one was."""

from __future__ import annotations

from typing import Any, Final

from setoff.shared.sdk import SetoffClient

Json = dict[str, Any]
PAGE: Final = 1000
"""Rows that are asked for at once."""


async def read_after(
    client: SetoffClient, what: str, name: str, rows: str, key: str, last: int, **query: str
) -> list[Json]:
    """All rows of an account after the one whose `key` is `last`, oldest first; all that there are if that is below 0.

    Raises Refusal, Unavailable.
    """
    found: list[Json] = []
    if last >= 0:
        while True:
            page = await client.history(what, name, after=last, limit=PAGE, **query)
            found += page[rows]
            if page["next"] is None:
                return found
            last = int(page["next"])
    place: dict[str, int] = {}  # the first row may have the number 0, behind which nothing can be asked for
    while True:
        page = await client.history(what, name, limit=PAGE, **query, **place)
        found += page[rows]
        if page["next"] is None:
            return found[::-1]
        place = {"before": int(page["next"])}


async def read_latest(client: SetoffClient, what: str, name: str, rows: str, most: int, **query: str) -> list[Json]:
    """The latest rows of an account, newest first, at most so many. Raises Refusal, Unavailable."""
    found: list[Json] = []
    place: dict[str, int] = {}
    while len(found) < most:
        page = await client.history(what, name, limit=min(PAGE, most - len(found)), **query, **place)
        found += page[rows]
        if page["next"] is None:
            break
        place = {"before": int(page["next"])}
    return found
