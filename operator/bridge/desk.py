"""What the API needs of a sequencer: a place that takes records, and the exchange as it is. The sequencer itself is
one, and so is the end of a line to it (`remote.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from setoff.operator.sequencer.exchange import Exchange
from setoff.operator.sequencer.sequencer import Status
from setoff.operator.sequencer.submissions import Answer
from setoff.shared.errors import StateError


class Signed(NamedTuple):
    """Who signed a record: found once, and not again where the machine looks."""

    digest: bytes
    signer: bytes


class Desk(Protocol):
    """See `Sequencer` for each of these."""

    @property
    def status(self) -> Status:
        """What the sequencer is doing."""
        ...

    @property
    def exchange(self) -> Exchange:
        """For reading, between two awaits."""
        ...

    @property
    def turns(self) -> int:
        """The exchange is the same as long as this is."""
        ...

    @property
    def l1_time(self) -> int:
        """Timestamp of L1 at the last look."""
        ...

    @property
    def unposted(self) -> int:
        """Closed batches that are not on L1 yet."""
        ...

    @property
    def paced_until(self) -> int:
        """When L1 takes the next batch."""
        ...

    @property
    def commit(self) -> int:
        """Number of the journal's last commit."""
        ...

    @property
    def is_copy(self) -> bool:
        """Whether `exchange` is a copy, which follows."""
        ...

    @property
    def is_fresh(self) -> bool:
        """Whether `exchange` has all that was acknowledged."""
        ...

    async def refresh(self) -> None:
        """Until it has all that had happened when this was called. Raises StateError if the sequencer is gone."""
        ...

    def obstacle(self) -> StateError | None:
        """Why no record can be taken now, if so."""
        ...

    def enter(self, record: bytes, leg_pages: Sequence[bytes], answer: Answer, signed: Signed | None = None) -> None:
        """Have a record taken; `answer` is called with what comes of it."""
        ...
