"""Frames of the order entry over a WebSocket (`/v1/entry`): a record in, what became of it out, numbered by the client.

All integers are big-endian. A binary frame of a client:

    4   number      the client's own; the answer has it, in whatever order answers come
    124 record      and behind a bulk record its leg pages, 124 bytes each

The answer to a record that was taken and is durable, 150 bytes and what follows them:

    4   number
    1   status      0
    1   outcome     a reason's number: 0, but where an order traded before it met its owner's own
    1   flags       bit 0: the machine goes on with it, and this is what came of it so far
    1   legs        what is told of below
    2   fills       how many trades it made
    8   first_fill  the gap-free number of the first, 0 if there is none; the others follow it
    8   filled      lots traded
    8   resting     lots left in the book
    8   sequence    number among all posted records
    8   batch
    4   input_index
    8   deadline    of the receipt, unix seconds; 0: there is no receipt
    32  running     of the receipt
    64  signature   of the receipt, and of those of its leg pages
    …   path        what is behind the signature: a byte, how many hashes, and so many times 32 bytes; and the same of
                    each leg page that was taken, whose running hash is an extension of the one before
    8   each leg    lots that then rest in it, for a cancel 0

The answer to any other, 6 bytes and what follows them:

    4   number
    1   status      1: refused, nothing has changed; 2: nothing was taken, send it again later; 3: whether it was taken
                    is not known
    1   length      of the reason
    …   reason      of the shared list, ASCII
    …   detail      for people: what is wrong, and what to do; UTF-8

A text frame is JSON: {"number": 7, …} with the members of `POST /v1/records`, and its answer those of the answer there.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from struct import error as StructError
from typing import Final, NamedTuple

from setoff.shared.codec import receipts
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.receipts import Receipt
from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.errors import DataError, InputError, SetoffError, StateError
from setoff.shared.wire.receipts import SignedReceipt

TAKEN: Final = 0
REFUSED: Final = 1
LATER: Final = 2
UNKNOWN: Final = 3
LATER_REASONS: Final = frozenset(("not_ready", "overloaded", "paced", "pending"))
"""Reasons that say nothing about the record: nothing was taken, and it may be sent again; "pending": nobody knows
whether it was taken, so only the same bytes may be sent again."""

NUMBER: Final = Struct(">I")
MAX_NUMBER: Final = 2**32 - 1
_PAUSED: Final = 1
_TAKEN: Final = Struct(">IBBBBHQQQQQIQ32s64s")
_REFUSED: Final = Struct(">IBB")
_LEG: Final = Struct(">Q")
_HASH: Final = 32
_SIGNATURE: Final = 64
_NO_RECEIPT: Final = SignedReceipt(Receipt(0, bytes(_HASH), bytes(_HASH), 0), bytes(_SIGNATURE))


class Taken(NamedTuple):
    """What became of a record that was taken; names as above. `signed`: the receipts for it and its pages."""

    sequence: int
    batch: int
    input_index: int
    outcome: int
    resting: int
    filled: int
    fills: int
    first_fill: int
    legs: tuple[int, ...]
    is_paused: bool
    signed: tuple[SignedReceipt, ...]


def encode_request(number: int, record: bytes, leg_pages: Sequence[bytes] = ()) -> bytes:
    """A client's frame."""
    return NUMBER.pack(number) + record + b"".join(leg_pages)


def split_request(frame: bytes) -> tuple[int, list[bytes]]:
    """Its number, the record and the pages behind it. Raises InputError("malformed_record") on another length."""
    count, rest = divmod(len(frame) - NUMBER.size, RECORD_BYTES)
    if rest or count < 1:
        raise InputError("malformed_record", f"a frame is a number of 4 bytes and records of {RECORD_BYTES} bytes")
    parts = [frame[at : at + RECORD_BYTES] for at in range(NUMBER.size, len(frame), RECORD_BYTES)]
    return read_number(frame), parts


def read_number(frame: bytes) -> int:
    """The number that a frame begins with, 0 of one that is too short."""
    return int(NUMBER.unpack_from(frame)[0]) if len(frame) >= NUMBER.size else 0


def encode_taken(number: int, taken: Taken) -> bytes:
    """The answer to a record that was taken."""
    signed = taken.signed[0] if taken.signed else _NO_RECEIPT
    head = _TAKEN.pack(
        number, TAKEN, taken.outcome, _PAUSED if taken.is_paused else 0, len(taken.legs), min(taken.fills, 0xFFFF),
        taken.first_fill, taken.filled, taken.resting, taken.sequence, taken.batch, taken.input_index,
        signed.receipt.deadline, signed.receipt.running, signed.signature[:_SIGNATURE],
    )  # fmt: skip
    parts = [head]
    for one in taken.signed:
        path = one.signature[_SIGNATURE:]
        parts += (bytes([len(path) // _HASH]), path)
    parts += [_LEG.pack(resting) for resting in taken.legs]
    return b"".join(parts)


def encode_refusal(number: int, status: int, reason: str, detail: str) -> bytes:
    """The answer to any other."""
    return _REFUSED.pack(number, status, len(reason)) + reason.encode() + detail.encode()


def decode_answer(frame: bytes, body: Sequence[bytes]) -> Taken | SetoffError:
    """The answer to a record and its pages (`body`, 124 bytes each), without its number. A refusal is an InputError,
    what may be sent again, or may have been taken, a StateError.

    Raises DataError("data_mismatch") on a frame that is no answer.
    """
    try:
        return _decode_taken(frame, body) if frame[NUMBER.size] == TAKEN else _decode_refusal(frame)
    except (IndexError, ValueError, StructError) as error:
        raise DataError("data_mismatch", f"the exchange's answer cannot be read: {error}") from None


def _decode_taken(frame: bytes, body: Sequence[bytes]) -> Taken:
    (
        _, _, outcome, flags, leg_count, fills, first_fill, filled, resting, sequence, batch, input_index, deadline,
        running, signature,
    ) = _TAKEN.unpack_from(frame)  # fmt: skip
    at, end = _TAKEN.size, len(frame) - leg_count * _LEG.size
    signed: list[SignedReceipt] = []
    for place, record in enumerate(body):
        if at >= end or not deadline:
            break
        hashed = keccak(record)
        running = receipts.extend(running, hashed) if place else running
        path = frame[at + 1 : at + 1 + frame[at] * _HASH]
        signed.append(SignedReceipt(Receipt(sequence + place, hashed, running, deadline), signature + path))
        at += 1 + frame[at] * _HASH
    if at != end:
        raise ValueError("it has another length than it says")
    legs = tuple(_LEG.unpack_from(frame, i)[0] for i in range(at, len(frame), _LEG.size))
    is_paused = bool(flags & _PAUSED)
    return Taken(
        sequence, batch, input_index, outcome, resting, filled, fills, first_fill, legs, is_paused, tuple(signed)
    )


def _decode_refusal(frame: bytes) -> SetoffError:
    _, status, length = _REFUSED.unpack_from(frame)
    at = _REFUSED.size + length
    reason, detail = frame[_REFUSED.size : at].decode("ascii"), frame[at:].decode()
    if status not in (REFUSED, LATER, UNKNOWN):
        raise ValueError(f"status {status}")
    return InputError(reason, detail) if status == REFUSED else StateError(reason, detail)
