"""A trader's own receipts: a file of JSON lines for each deployment, checked when they come and again when posted.

A line is a receipt (`receipts.py`) with its record as "body", 124 bytes: an omitted one can be forced on L1.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Final, NamedTuple, Self

from setoff.shared.codec import receipts
from setoff.shared.codec.hashing import keccak
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.whole_file import replace_file
from setoff.shared.errors import DataError, InputError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.evidence import BROKEN, WAITING, Charge, Posted, find_conflict, judge
from setoff.shared.l1.receipts import ReceiptsContract
from setoff.shared.machine.batch import Header
from setoff.shared.machine.data import ZERO
from setoff.shared.wire.receipts import SignedReceipt

DEADLINE_SHARE: Final = 2
"""A deadline further away than this part of the exit delay is worth little: the bond could leave before it."""
CLOCK_SLACK: Final = 120
"""Seconds more, for the operator's batch may be a few blocks ahead of the block from which L1's time was read here."""


class Finding(NamedTuple):
    """What became of a kept receipt; `charge` is what L1 can be shown, None where nothing is provable there."""

    sequence: int
    state: str
    text: str
    charge: Charge | None = None


@dataclass(frozen=True, slots=True)
class OperatorBond:
    """What L1 says of the operator: who signs (20 bytes), and for how many seconds at least the bond stays, 0 if there
    is none; `time`: of L1 (unix seconds) when it was asked, at `read_at` of the monotonic clock.
    """

    operator: bytes
    exit_delay: int
    time: int
    read_at: float = field(default_factory=monotonic)

    @property
    def now(self) -> int:
        """L1's time, unix seconds, as far as this machine's clock can tell."""
        return self.time + int(monotonic() - self.read_at)

    @property
    def latest(self) -> int:
        """The latest deadline, unix seconds, of a receipt that is worth something now."""
        return self.now + self.exit_delay // DEADLINE_SHARE + CLOCK_SLACK

    @classmethod
    def read(cls, l1: L1, deployment: Deployment) -> Self:
        """As L1 has it. Raises ChainError."""
        contract = ReceiptsContract(l1, deployment.receipts)
        bond = contract.bond()
        return cls(contract.operator(), bond.exit_delay if bond.stands else 0, l1.head().timestamp)


class ReceiptStore:
    """The receipts of one deployment; `kept` are all of the file, by sequence number."""

    def __init__(self, path: Path, domain: bytes, operator_bond: OperatorBond | None) -> None:
        """Reads the file, if it is there. Without an `operator_bond` (L1 was not asked) what comes is kept unchecked.

        Raises DataError("data_mismatch") on a line that is no receipt.
        """
        self.path = path
        self.kept: dict[int, list[SignedReceipt]] = {}
        self._domain = domain
        self._operator_bond = operator_bond
        if path.exists():
            for number, line in enumerate(path.read_text().splitlines(), 1):
                try:
                    self._add(SignedReceipt.from_json(json.loads(line)))
                except (ValueError, InputError) as error:
                    raise DataError("data_mismatch", f"line {number} of {path} is no receipt: {error}") from None

    @classmethod
    def open(cls, folder: Path, deployment: Deployment, operator_bond: OperatorBond | None) -> Self:
        """The file of a deployment in `folder`, as all commands name it. Raises DataError("data_mismatch")."""
        return cls(folder / f"{deployment.file_name}.jsonl", deployment.domain, operator_bond)

    def __len__(self) -> int:
        return sum(map(len, self.kept.values()))

    def take(self, bodies: Sequence[bytes], shown: Any) -> list[SignedReceipt]:
        """Check the receipts in the answer to a record (with its pages, 124 bytes each), and keep them.

        Whatever the operator signed is kept even if it is wrong: it is the evidence. Raises
        DataError("receipt_broken") if a receipt is missing, wrong or worthless; the record was taken all the same.
        """
        operator_bond = self._operator_bond
        if not isinstance(shown, list) or len(shown) != len(bodies):
            raise DataError("receipt_broken", f"the exchange gave no receipt for each of {len(bodies)} records")
        taken = []
        for body, part in zip(bodies, shown, strict=True):
            try:
                signed = SignedReceipt.from_json(part)
                if operator_bond is not None:
                    signed.check(self._domain, operator_bond.operator)
            except InputError as error:
                raise DataError("receipt_broken", str(error)) from None
            charge = self._find_conflict(signed)
            self._keep(signed, body)
            if charge is not None:
                raise DataError("receipt_broken", f"{charge.text}: `setoff receipts prosecute` takes the bond")
            if signed.receipt.record != keccak(body):
                raise DataError("receipt_broken", f"receipt {signed.sequence} is for another record")
            taken.append(signed)
        if operator_bond is not None and not operator_bond.exit_delay:
            raise DataError("receipt_broken", "the receipt is not bonded: L1 holds no bond that stays")
        if operator_bond is not None and any(signed.receipt.deadline > operator_bond.latest for signed in taken):
            raise DataError("receipt_broken", "the receipt's deadline is so late that the bond may be gone by then")
        return taken

    def check_signatures(self) -> None:
        """Check that the operator has signed all that is kept. Raises InputError("bad_signature")."""
        for signed in (one for there in self.kept.values() for one in there):
            if self._operator_bond is not None:
                signed.check(self._domain, self._operator_bond.operator)

    def check(self, posted: Posted, *, is_recent: bool = False) -> list[Finding]:
        """Hold all kept receipts against the posted batches, in the order of their numbers.

        The running hash is followed through every posted record up to the last receipt: from where an earlier check
        ended, else from the first record there is, with `is_recent` from the first posted receipt (whose own running
        hash is then believed). Raises as `Posted.batch`.
        """
        findings: list[Finding] = []
        before: SignedReceipt | None = None
        for sequence in sorted(self.kept):
            signed = self.kept[sequence]
            neighbours = signed if before is None else [before, *signed]
            conflicts = [find_conflict(one, two) for one, two in itertools.pairwise(neighbours)]
            findings += [Finding(sequence, BROKEN, charge.text, charge) for charge in conflicts if charge is not None]
            for one in signed:
                verdict = judge(one, posted)
                text = verdict.charge.text if verdict.charge else ""
                if verdict.state == WAITING:
                    text = f"to be posted by {one.receipt.deadline}"
                findings.append(Finding(sequence, verdict.state, text, verdict.charge))
            before = signed[-1]
        return findings + self._follow(posted, is_recent)

    def _follow(self, posted: Posted, is_recent: bool) -> list[Finding]:
        """Compare running hashes with those of the posted records."""
        number, running = self._read_anchor(posted)
        last = max(self.kept, default=-1)
        is_believing = is_recent and number == 0
        findings: list[Finding] = []
        while number < posted.count() and posted.header(number).first_record <= last:
            header = posted.header(number)
            covered = range(header.first_record, header.first_record + header.record_count)
            if is_believing and not any(sequence in covered for sequence in self.kept):
                number += 1
                continue
            batch = posted.batch(number)
            for sequence, body in zip(covered, batch.records, strict=True):
                kept = self.kept.get(sequence, [])
                if is_believing and kept:
                    running, is_believing = kept[0].receipt.running, False
                elif not is_believing:
                    running = receipts.extend(running, keccak(body))
                if any(signed.receipt.running != running for signed in kept):
                    text = "the records posted up to it are not those of its running hash"
                    return [*findings, Finding(sequence, BROKEN, text)]
            number += 1
            if not is_believing:
                self._write_anchor(number, header, running)
        return findings

    def _find_conflict(self, signed: SignedReceipt) -> Charge | None:
        for sequence in range(signed.sequence - 1, signed.sequence + 2):
            for kept in self.kept.get(sequence, []):
                if (charge := find_conflict(kept, signed)) is not None:
                    return charge
        return None

    def _add(self, signed: SignedReceipt) -> bool:
        there = self.kept.setdefault(signed.sequence, [])
        if signed in there:
            return False
        there.append(signed)
        return True

    def _keep(self, signed: SignedReceipt, body: bytes) -> None:
        if self._add(signed):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a") as file:
                file.write(json.dumps(signed.to_json() | {"body": "0x" + body.hex()}) + "\n")

    def _read_anchor(self, posted: Posted) -> tuple[int, bytes]:
        """The next batch to follow and the running hash before it, if the batch before is still on L1 and no receipt
        for a place up to it has come since."""
        try:
            anchor = json.loads(self._anchor_path.read_text())
            number, hashed = int(anchor["batches"]), bytes.fromhex(anchor["hash"])
            if 0 < number <= posted.count():
                header = posted.header(number - 1)
                is_same = header.hash() == hashed and self._count_before(header) == anchor["kept"]
                if is_same:
                    return number, bytes.fromhex(anchor["running"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return 0, ZERO

    def _count_before(self, header: Header) -> int:
        """How many kept receipts are for places up to the end of a batch."""
        end = header.first_record + header.record_count
        return sum(len(signed) for sequence, signed in self.kept.items() if sequence < end)

    def _write_anchor(self, number: int, header: Header, running: bytes) -> None:
        kept = self._count_before(header)
        text = json.dumps({"batches": number, "hash": header.hash().hex(), "running": running.hex(), "kept": kept})
        replace_file(self._anchor_path, text + "\n")

    @property
    def _anchor_path(self) -> Path:
        return self.path.with_suffix(".anchor")
