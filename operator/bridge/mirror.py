"""A copy of the exchange in a process of the API, for reading: brought up to date by the leaves that have changed."""

from __future__ import annotations

from collections.abc import Sequence

from setoff.operator.bridge.messages import Rest, read_fill
from setoff.operator.sequencer.batch_cursor import BatchCursor
from setoff.operator.sequencer.exchange import Exchange
from setoff.shared.machine.machine import Machine
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


class Mirror(Exchange):
    """An exchange that only follows; what would change it is never called."""

    def __init__(self, machine: Machine, rest: Rest) -> None:
        """`machine` as it is after `rest.turns`."""
        super().__init__(machine, BatchCursor.decode(rest.cursor))
        self.turns = rest.turns
        self._inputs = 0
        self._follow(rest)

    @property
    def inputs(self) -> int:
        """See `Exchange`."""
        return self._inputs

    def change(self, leaves: Sequence[tuple[int, bytes]], regs: bytes, rest: Rest) -> None:
        """Take over what has changed."""
        machine, before = self.machine, self.machine.regs.accounts
        machine.state.tree.update(dict(leaves))
        machine.state = State(machine.state.tree)  # what was decoded may be old
        machine.regs = Registers.decode(regs)
        for account in range(before + 1, machine.regs.accounts + 1):
            self._index(account)
        self.cursor = BatchCursor.decode(rest.cursor)
        self._follow(rest)

    def _follow(self, rest: Rest) -> None:
        self.turns = rest.turns
        self._inputs = rest.inputs
        self.fills.extend(map(read_fill, rest.fills))
