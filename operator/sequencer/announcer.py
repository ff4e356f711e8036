"""Who is told what has happened: only what is durable, in its order."""

from __future__ import annotations

from typing import Protocol

from setoff.operator.sequencer.exchange import NumberedFill, SealedBatch, SubmitResult


class Announcer(Protocol):
    """Takes the news; nothing here may wait."""

    def tell_record(self, result: SubmitResult) -> None:
        """A record was taken, perhaps one of the sequencer's own; its fills follow."""
        ...

    def tell_fill(self, fill: NumberedFill) -> None:
        """Somebody has traded."""
        ...

    def tell_batch(self, sealed: SealedBatch) -> None:
        """A batch is closed."""
        ...

    def restart(self) -> None:
        """Some of what was told is no longer so: whoever listens has to read anew."""
        ...

    def close(self) -> None:
        """There will be no more."""
        ...
