"""What L1 has of batches and epochs: in which transaction a batch was posted, its epoch claimed, and its end confirmed.

The last blocks are read again each time, so that what a reorg has changed is changed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import Engine, delete, func, insert, select

from setoff.operator.history.tables import LANDINGS, METADATA
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.l1.answers import Log
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import COURT, INBOX

AGAIN: Final = 64
"""Blocks that are read again."""
SPAN: Final = 2_000
"""Blocks that are read at a time."""
_CONTRACTS: Final = (
    (INBOX, "BatchPosted", "number", "posted", 0),
    (COURT, "Claimed", "epoch", "claimed", 0),
    (COURT, "Advanced", "epoch", "confirmed", -1),  # the confirmed start of an epoch is the end of the one before
)


class Landings:
    """Follows the inbox and the court of one deployment."""

    def __init__(self, engine: Engine, l1: L1, deployment: Deployment) -> None:
        METADATA.create_all(engine)
        self._engine = engine
        self._l1 = l1
        self._first = deployment.block
        self._reached = 0
        self._addresses = [bytes.fromhex(each.removeprefix("0x")) for each in (deployment.inbox, deployment.court)]

    def step(self) -> bool:
        """Read a stretch of blocks; whether there is more. Raises ChainError and SQLAlchemyError."""
        head = self._l1.head().number
        with self._engine.connect() as database:
            last = database.execute(select(func.max(LANDINGS.c.block))).scalar()
        first = self._first if last is None else max(self._first, last + 1 - AGAIN)
        first = max(first, self._reached - AGAIN)
        until = min(head, first + SPAN)
        rows = list(list_landings(self._l1.logs(self._addresses, first, until)))
        with self._engine.begin() as database:
            database.execute(delete(LANDINGS).where(LANDINGS.c.block >= first))
            for row in rows:
                same = (LANDINGS.c.stage == row["stage"], LANDINGS.c.number == row["number"])
                database.execute(delete(LANDINGS).where(*same))
            if rows:
                database.execute(insert(LANDINGS), rows)
        self._reached = until
        return until < head


def list_landings(logs: Iterable[Log]) -> Iterator[dict[str, Any]]:
    """The rows that events of inbox and court make; of one stage and number the last counts."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for log in logs:
        for interface, name, field, stage, behind in _CONTRACTS:
            kind = interface.events[name]
            if log.topics and log.topics[0] == kind.topic:
                number = int(kind.decode(log)[field]) + behind
                if number >= 0:
                    found[stage, number] = {
                        "stage": stage,
                        "number": number,
                        "transaction": "0x" + log.transaction.hex(),
                        "block": log.block_number,
                    }
    yield from found.values()
