"""The exchange, run again from what L1 holds: what became of every message, and any account, without asking anybody.

Batches come from the nodes, held against what inbox and queue are proven to have; the machine does the rest. It begins
at genesis, so a long history takes its time; what is posted later is only added.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.errors import ChainError, DataError, InputError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.batch import Batch, Header
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.machine import Machine
from setoff.shared.wire.withdrawals import WithdrawalProof, prove_withdrawal


class InclusionResult(NamedTuple):
    """What became of a message: where it was consumed, and its outcome (`shared/errors.py`).

    For a record that had to wait: the input that took it out at last. While it waits, where it was parked, and PARKED.
    For a crank that only let go on what comes before it: BUSY.
    """

    batch: int
    input_index: int
    outcome: int


class Replay:
    """A machine that follows the batches on L1. `machine` stands at the end of the last batch that was run."""

    def __init__(self, reader: ChainReader, report: Callable[[int], None] = lambda batch: None) -> None:
        """`report` hears of every batch before it runs."""
        self.reader = reader
        self._report = report
        self._first = self._block = reader.deployment.block
        self._headers: list[Header] = []
        self._results: list[InclusionResult] = []
        self._parked: dict[int, int] = {}  # number of a parked record to that of its message
        self._begin()

    @property
    def batches(self) -> int:
        """Batches run so far."""
        return len(self._headers)

    @property
    def consumed(self) -> int:
        """Messages consumed so far."""
        return len(self._results)

    def advance(self, until: int | None = None) -> None:
        """Run the batches that are posted, at most up to number `until` (not included).

        A reorg that replaced a batch is noticed here; then it begins anew. Raises ChainError, and DataError if the node
        does not have what L1 commits to.
        """
        if self._headers and self.reader.batch_hash(self.batches - 1) != self._headers[-1].hash():
            self._begin()
        until_block = self.reader.proven.block().number
        messages = {message.index: message.body for message in self.reader.messages(self._first, until_block)}
        found = self.reader.batches(self._block, until_block)
        if self._headers and not found:
            raise ChainError("rpc_unreachable", f"{self.reader.l1.hosts} does not show batch {self.batches - 1} now")
        for posted in found:
            header = posted.header
            if header.number < self.batches:
                continue
            if until is not None and header.number >= until:
                break
            last = self._headers[-1] if self._headers else None
            if header.number != self.batches or header.parent != (last.hash() if last else ZERO):
                raise DataError("data_mismatch", f"batch {header.number} does not follow on what was run")
            self._report(header.number)
            wanted = range(header.first_message, header.first_message + header.message_count)
            known = [messages[index] for index in wanted if index in messages]
            if len(known) < len(wanted):
                known = self.reader.messages_of(posted)
            self._run(self.reader.assemble(posted, known, last.queue_hash if last else ZERO))
            self._headers.append(header)
            self._block = posted.block_number

    def result(self, message: int) -> InclusionResult | None:
        """What became of message `message` of the queue; None while no batch that was run has consumed it."""
        return self._results[message] if message < self.consumed else None

    def waiting(self) -> list[bytes]:
        """The bodies of the messages whose effect is still to come: parked, or not consumed yet; oldest first."""
        regs, state = self.machine.regs, self.machine.state
        width = records.RECORD_BYTES
        parked = [state.parked(index).message[:width] for index in range(regs.parked_first, regs.parked_end)]
        found = self.reader.messages(self._first, self.reader.proven.block().number)
        return parked + [message.body[:width] for message in found if message.index >= self.consumed]

    def prove_withdrawal(self, index: int) -> WithdrawalProof:
        """Proof of a withdrawal under the state after the last batch run, which must be the last of an epoch.

        Raises InputError("not_found") if there is no such withdrawal by then, or the epoch is not complete.
        """
        count = self.reader.deployment.epoch_batches
        if self.batches == 0 or self.batches % count or not 0 <= index < self.machine.regs.withdrawals:
            raise InputError("not_found", f"no complete epoch has granted withdrawal {index}")
        self.machine.state.commit()
        root = self.machine.state.tree.root
        return prove_withdrawal(self.machine, self.batches // count - 1, index, self.machine.regs.hash(), root)

    def note_input(self, batch: Batch, input_index: int, outcome: int) -> None:
        """An input was run, `machine` is as it left it; for whoever wants to know more of it."""

    def note_batch(self, batch: Batch) -> None:
        """A batch was run, `machine` is as it left it; for whoever wants to know more of it."""

    def _run(self, batch: Batch) -> None:
        """Run a batch, and note what becomes of its messages, and of earlier ones whose turn has come."""
        header, regs = batch.header, self.machine.regs
        if not header.inputs:
            self.machine.run_batch(batch)
        for input_index in range(header.inputs):
            first, end = regs.parked_first, regs.parked_end
            is_busy = self.machine.is_busy
            result = InclusionResult(header.number, input_index, self.machine.run_input(batch, input_index))
            if input_index < header.message_count:
                own = result
                if regs.parked_end != end:
                    self._parked[end] = len(self._results)
                    own = result._replace(outcome=errors.PARKED)
                elif is_busy and batch.body(input_index)[0] == records.CRANK:
                    own = result._replace(outcome=errors.BUSY)
                self._results.append(own)
            if regs.parked_first != first:
                self._results[self._parked.pop(first)] = result
            self.note_input(batch, input_index, result.outcome)
        self.note_batch(batch)

    def _begin(self) -> None:
        self.machine = Machine.genesis(*self.reader.deployment.genesis)
        self._headers = []
        self._results = []
        self._parked = {}
        self._block = self._first
