"""Transactions of one account that build on each other, as many at once as the node can foresee."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from setoff.shared.errors import ChainError
from setoff.shared.l1.answers import TransactionReceipt
from setoff.shared.l1.connection import L1

WAIT_SECONDS: Final = 120.0
"""For a transaction to get into a block, unless it is told otherwise."""


def send_in_waves(
    l1: L1, calls: Sequence[tuple[str | None, bytes]], patience: float = WAIT_SECONDS
) -> Iterator[TransactionReceipt]:
    """Send these calls, (contract or None to create one, calldata), in their order; their receipts, as they come.

    A node tries a call on what waits in its pool as far as that fits into its pending block, and some have none: what
    is refused there is sent again once all before it are in a block. Raises ChainError if it is refused then, too, and
    if one is in no block after `patience` seconds.
    """
    waiting: list[bytes] = []
    for to, data in calls:
        try:
            waiting.append(l1.send(to, data))
        except ChainError as error:
            if not waiting or error.reason == "rpc_unreachable":
                raise
            yield from (l1.wait(sent, patience) for sent in waiting)
            waiting = [l1.send(to, data)]
    yield from (l1.wait(sent, patience) for sent in waiting)
