"""What goes over the line: kinds of messages, and how results, refusals and fills are written in them.

From the API: ENTER (number, record, leg pages, digest, signer), REFRESH (), HEARD (whether anybody listens,
and whether to records), UP (), which answers ASK, too.
From the sequencer: SET_UP (settings, deployment, store, whether it is the only line), STATE (see `State`), TAKEN
(number, result), REFUSED (number, which error, reason, detail), BEGIN (), PIECE (leaves) and WHOLE (leaves that were
used since, registers, `Rest`), which are a copy of everything, CHANGES (leaves, registers,
`Rest`, seconds that it took), RECORD (result), FILL (fill), BATCH (header, end), RESTART (), STOP (), ASK ().
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from setoff.operator.sequencer.exchange import NumberedFill, SubmitResult
from setoff.operator.sequencer.submissions import UnknownFate
from setoff.shared.codec.receipts import Receipt
from setoff.shared.errors import InputError, SetoffError, StateError
from setoff.shared.machine.machine import Fill
from setoff.shared.wire.receipts import SignedReceipt

ENTER: Final = 0
REFRESH: Final = 1
HEARD: Final = 2
SET_UP: Final = 3
STATE: Final = 4
TAKEN: Final = 5
REFUSED: Final = 6
WHOLE: Final = 7
CHANGES: Final = 8
RECORD: Final = 9
FILL: Final = 10
BATCH: Final = 11
RESTART: Final = 12
STOP: Final = 13
UP: Final = 14
ASK: Final = 15
BEGIN: Final = 16
PIECE: Final = 17

_ERRORS: Final[tuple[type[SetoffError], ...]] = (InputError, StateError, UnknownFate)


class State(NamedTuple):
    """The sequencer now: its status by name, what keeps it from taking records (reason and detail, "" for nothing), and
    figures of it (see `Sequencer`)."""

    status: str
    reason: str
    detail: str
    l1_time: int
    unposted: int
    paced_until: int
    commit: int
    turns: int


class Rest(NamedTuple):
    """What there is of an exchange beside its machine: the cursor's bytes, inputs of the open batch, fills that the
    other end has not got, and the turns after which all this is."""

    cursor: bytes
    inputs: int
    fills: list[tuple[int, ...]]
    turns: int


def flatten_fill(numbered: NumberedFill) -> tuple[int, ...]:
    """A fill as plain numbers."""
    return (*numbered[:4], *numbered.fill)


def read_fill(plain: tuple[int, ...]) -> NumberedFill:
    """The inverse of `flatten_fill`."""
    number, batch, input_index, time, *fill = plain
    return NumberedFill(number, batch, input_index, time, Fill(*fill))


def flatten_result(result: SubmitResult) -> tuple[Any, ...]:
    """A result without its links."""
    fills = [flatten_fill(numbered) for numbered in result.fills]
    signed = [(*receipt, signature) for receipt, signature in result.signed]
    return (
        result.sequence, result.batch, result.input_index, result.record, fills, result.resting, result.outcome,
        result.leg_pages, result.legs, result.time, result.is_paused, signed,
    )  # fmt: skip


def read_result(plain: tuple[Any, ...]) -> SubmitResult:
    """The inverse of `flatten_result`."""
    sequence, batch, input_index, record, fills, resting, outcome, leg_pages, legs, time, is_paused, signed = plain
    receipts = tuple([SignedReceipt(Receipt(*one[:4]), one[4]) for one in signed])
    return SubmitResult(
        sequence, batch, input_index, record, tuple([read_fill(fill) for fill in fills]), resting, outcome,
        leg_pages, legs, time, (), is_paused, receipts,
    )  # fmt: skip


def flatten_error(error: SetoffError) -> tuple[int, str, str]:
    """A refusal."""
    kind = 2 if isinstance(error, UnknownFate) else 1 if isinstance(error, StateError) else 0
    return kind, error.reason, error.detail


def read_error(kind: int, reason: str, detail: str) -> SetoffError:
    """The inverse of `flatten_error`."""
    return _ERRORS[kind](reason, detail)
