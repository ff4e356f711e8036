"""Receipts held against what was posted: which are kept, which wait, and what L1 is to be shown of those broken."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import InputError
from setoff.shared.l1 import receipts as contract
from setoff.shared.l1.answers import TransactionReceipt
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.inbox import PostedBatch
from setoff.shared.machine.batch import Batch, Header
from setoff.shared.wire.receipts import SignedReceipt

KEPT: Final = "kept"
WAITING: Final = "waiting"
BROKEN: Final = "broken"


class Posted(Protocol):
    """The batches on L1, as far as they were read."""

    def count(self) -> int:
        """How many there are."""
        ...

    def header(self, number: int) -> Header:
        """Of batch `number`, below `count`."""
        ...

    def batch(self, number: int) -> Batch:
        """Batch `number` with its inputs. Raises ChainError, DataError or StateError where they are not to be had."""
        ...


@dataclass(frozen=True, slots=True)
class Charge:
    """Why a receipt is broken: a call of the receipts contract that takes the bond.

    `kind`: "conflict", "contradiction" or "omission"; `sequence`: the receipt's.
    """

    kind: str
    sequence: int
    calldata: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """`state`: KEPT, WAITING or BROKEN; `batch`: where the receipt's place is, if it is posted; `charge`: if broken."""

    state: str
    batch: int | None = None
    charge: Charge | None = None


def judge(signed: SignedReceipt, posted: Posted) -> Verdict:
    """What became of a receipt, whose signature was checked before. Raises as `Posted.batch`."""
    receipt, signature = signed
    place = find_batch(receipt.sequence, posted)
    if place is not None:
        header, batch = posted.header(place), posted.batch(place)
        input_index = header.message_count + receipt.sequence - header.first_record
        if keccak(batch.body(input_index)) != receipt.record:
            call = contract.prosecute_contradiction(receipt, signature, header, *batch.prove(input_index))
            text = f"batch {place} has another record as number {receipt.sequence}"
            return Verdict(BROKEN, place, Charge("contradiction", receipt.sequence, call, text))
    late = bisect_right(range(posted.count()), receipt.deadline, key=lambda number: posted.header(number).timestamp)
    if late < posted.count():
        header = posted.header(late)
        if header.first_record + header.record_count <= receipt.sequence:
            call = contract.prosecute_omission(receipt, signature, header)
            text = f"batch {late}, after the deadline, ends before record {receipt.sequence}"
            return Verdict(BROKEN, place, Charge("omission", receipt.sequence, call, text))
    return Verdict(WAITING if place is None else KEPT, place)


def find_conflict(first: SignedReceipt, second: SignedReceipt) -> Charge | None:
    """The charge that two receipts are by themselves, None if they agree. Their signatures were checked before."""
    if first.agrees(second):
        return None
    if first.sequence > second.sequence:
        first, second = second, first
    what = "two receipts" if first.sequence == second.sequence else f"receipts {first.sequence} and {second.sequence}"
    call = contract.prosecute_conflict(*first, *second)
    return Charge("conflict", first.sequence, call, f"{what} for number {second.sequence} cannot both be kept")


def find_batch(sequence: int, posted: Posted) -> int | None:
    """Number of the batch that has the record with this number, None if none has."""
    number = bisect_right(range(posted.count()), sequence, key=lambda n: posted.header(n).first_record) - 1
    if number < 0:
        return None
    header = posted.header(number)
    return number if sequence < header.first_record + header.record_count else None


def prosecute(l1: L1, address: str, charge: Charge) -> TransactionReceipt:
    """Show L1 the charge, from the account of `l1`; half of the bond is then owed to it.

    Raises Reverted with the contract's reason, in a dry run before anything is sent.
    """
    l1.dry_run(address, charge.calldata)
    return l1.transact(address, charge.calldata)


class ChainPosted:
    """The batches that L1 shows now, read with one look at the events."""

    def __init__(self, reader: ChainReader) -> None:
        self._reader = reader
        self._posted: Sequence[PostedBatch] = reader.batches(reader.deployment.block, reader.l1.head().number)

    def count(self) -> int:
        """See `Posted`."""
        return len(self._posted)

    def header(self, number: int) -> Header:
        """See `Posted`."""
        return self._posted[number].header

    def batch(self, number: int) -> Batch:
        """See `Posted`."""
        if not 0 <= number < len(self._posted):
            raise InputError("not_found", f"batch {number} is not on L1")
        return self._reader.batch(number, self._posted[number].block_number)
