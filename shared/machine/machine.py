"""The machine: registers, state, and the ways to run them.

A trace position is (batch of the epoch, input index, micro-step). At micro-step 0 an input is fetched (index 0 also
begins the batch); at later micro-steps the phase in the registers runs, and an idle machine stays as it is. Unused
inputs and batches are idle throughout.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from setoff.shared import errors
from setoff.shared.codec import eip712, records
from setoff.shared.errors import WitnessError
from setoff.shared.machine.batch import Batch
from setoff.shared.rules import phases
from setoff.shared.rules.deleveraging import get_first_ranked
from setoff.shared.rules.fetch import step_fetch
from setoff.shared.rules.parking import is_anything_parked
from setoff.shared.rules.positions import find_position
from setoff.shared.rules.step import apply_step, begin_batch
from setoff.shared.state import keys
from setoff.shared.state.layout import WORD
from setoff.shared.state.registers import FIELDS, Registers, machine_hash
from setoff.shared.state.store import State
from setoff.shared.state.tree import DEPTH, Tree

if TYPE_CHECKING:
    from setoff.shared.machine.columns import Columns
    from setoff.shared.machine.sweep import Sweep

_REGISTERS_BYTES: Final = 32 * len(FIELDS)
_ENTRY: Final = Struct(">BIH")
_TRADING: Final = frozenset((phases.FILL, phases.TAKEOVER, phases.DELEVERAGE, phases.CROSS))
EVERY_STEP: Final = 2**62
"""`many_accounts` of a machine that leaves no visit out."""
MANY_ACCOUNTS: Final[int] = 128 if find_spec("numpy") else EVERY_STEP
"""From so many accounts on, the visits of a sweep that change nothing are left out (`sweep.py`); with fewer, looking at
all of them at once takes longer than the visits. Who only trades has no numpy, and runs every visit."""
COSTLY_STEPS: Final = 256
"""Steps from which on a refused record is kept as a recorded reject: some ms of work."""


# Kinds of fills: of an order in the book, of the machine's own order (a position in liquidation, the backstop's), and
# trades beside the book (a takeover by the backstop, a deleveraging), and of two orders in the book in an auction.
TRADE: Final = 0
LIQUIDATION: Final = 1
UNWIND: Final = 2
TAKEOVER: Final = 3
DELEVERAGE: Final = 4
AUCTION: Final = 5


class Fill(NamedTuple):
    """One trade: `size` lots at `price` ticks; side: the taker's; order_slot: of the account before it.

    In a liquidation, takeover or deleveraging the taker is the account in liquidation; in a deleveraging it may get
    less than the price, at which the other side closes (`deleveraging.charge_levy`). The machine's own orders, and both
    sides of a trade beside the book, have no order slot: theirs is 0. Of an auction the buyer stands as the taker.
    """

    market: int
    taker: int
    taker_order_slot: int
    maker: int
    maker_order_slot: int
    side: int
    price: int
    size: int
    kind: int = TRADE


class OfferResult(NamedTuple):
    """What became of a record that was offered: its outcome, whether it now stands in the batch, its fills, and the
    steps that it took, also where they were undone."""

    outcome: int
    was_taken: bool
    fills: list[Fill]
    steps: int


class Machine:
    """Registers and state. `fills` lists the trades of the last input that ran to idle, in their order.

    With `many_accounts` or more, whole inputs run without the visits of a sweep that change nothing (`sweep.py`): the
    same registers and leaves. `step` takes every step.
    """

    __slots__ = ("_columns", "_next_input", "_sweep", "fills", "many_accounts", "regs", "state")

    def __init__(self, regs: Registers, state: State) -> None:
        self.regs = regs
        self.state = state
        self.fills: list[Fill] = []
        self.many_accounts = MANY_ACCOUNTS
        self._next_input = 0
        self._columns: Columns | None = None
        self._sweep: Sweep | None = None

    @classmethod
    def genesis(cls, domain: bytes, backstop_delay: int = 0) -> Machine:
        """The machine before batch 0: nothing in it but the 32-byte EIP-712 domain separator, and the seconds that a
        request of the backstop waits."""
        return cls(Registers(domain=domain, backstop_delay=backstop_delay), State())

    def copy(self) -> Machine:
        """An independent copy (cheap: trees share what neither has written)."""
        self.state.commit()
        twin = Machine(self.regs.copy(), State(self.state.tree.copy()))
        twin.many_accounts = self.many_accounts
        twin._next_input = self._next_input
        return twin

    @property
    def is_busy(self) -> bool:
        """Whether it has work of its own or parked records left: until cranks let it go on it takes no other record."""
        return self.regs.has_work != 0 or is_anything_parked(self.regs)

    def hash(self) -> bytes:
        """The machine hash, 32 bytes; writes what changed to the tree."""
        self.state.commit()
        return machine_hash(self.state.tree.root, self.regs.hash())

    # --- along the trace -------------------------------------------------------------------------------------------

    def step(self, batch: Batch, input_index: int, micro: int) -> None:
        """Run the micro-step at (input index, micro) of `batch`."""
        regs = self.regs
        if micro:
            apply_step(regs, self.state)
            return
        if input_index == 0:
            begin_batch(regs, batch.header.number, batch.header.timestamp)
        if input_index < batch.header.message_count:
            body, queued_at = records.split_message(batch.messages[input_index])
            self._fetch(input_index, body, True, queued_at)
        elif input_index < batch.header.inputs:
            self._fetch(input_index, batch.body(input_index), False)

    def run_input(self, batch: Batch, input_index: int) -> int:
        """Run a whole input; returns its outcome."""
        if input_index == 0:
            self._begin_signatures(batch)
        self.step(batch, input_index, 0)
        self._run_to_idle()
        return self.regs.outcome

    def run_batch(self, batch: Batch) -> list[int]:
        """Run every input of `batch`; returns their outcomes."""
        if not batch.header.inputs:
            self.step(batch, 0, 0)
        return [self.run_input(batch, input_index) for input_index in range(batch.header.inputs)]

    def walk_input(self, batch: Batch, input_index: int, micro: int = 0) -> Iterator[None]:
        """Take the steps of an input from `micro` on until it is idle; yields after each.

        As `step` one by one; but idle visits of a sweep touch no leaf, so that a hash after them is cheap, too.
        """
        regs = self.regs
        sweep: Sweep | None = None
        if input_index == micro == 0:
            self._begin_signatures(batch)
        while micro == 0 or regs.phase != phases.IDLE:
            if micro and regs.phase == phases.WORK and self._is_visiting():
                sweep = sweep or self._begin_sweep()
                for _ in sweep.walk(regs):
                    micro += 1
                    yield
            self.step(batch, input_index, micro)
            micro += 1
            yield

    # --- as the sequencer builds a batch -----------------------------------------------------------------------------

    def begin(self, number: int, timestamp: int) -> None:
        """Begin batch `number`; the inputs follow through `take` and `offer`."""
        begin_batch(self.regs, number, timestamp)
        self._next_input = 0

    def take(self, body: bytes, is_message: bool, queued_at: int | None = None) -> int:
        """Run the next input, 124 bytes, whatever its outcome; returns the outcome.

        queued_at: since when a message is in the queue, unix seconds; None for the batch's time, and for what is none.
        """
        input_index = self._next_input
        self._next_input = input_index + 1
        self._fetch(input_index, body, is_message, queued_at)
        self._run_to_idle()
        return self.regs.outcome

    def offer(self, body: bytes) -> OfferResult:
        """Run a record as the next input if it is accepted; otherwise nothing changes.

        An order that ends in a reject after it has traded (it met one of its owner's own) is taken, too; and so is a
        crank that took a parked record out, whatever became of that, and what took more than COSTLY_STEPS to refuse: it
        uses up its nonce, or it could be sent for ever, for nothing.
        """
        before = self.regs.copy()
        self.state.begin_journal()
        outcome = self.take(body, is_message=False)
        steps = self.regs.steps - self.regs.started
        is_costly = steps > COSTLY_STEPS
        is_unparking = self.regs.parked_first != before.parked_first
        was_taken = (
            outcome == errors.ACCEPTED or is_unparking or (outcome != errors.BUSY and (is_costly or bool(self.fills)))
        )
        if was_taken:
            self.state.end_journal()
        else:
            self.state.undo()
            self.regs = before
            self.fills = []
            self._next_input -= 1
        return OfferResult(outcome, was_taken, self.fills, steps)

    # --- storage ---------------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """The whole machine as bytes: registers, then every leaf as (kind, body, length, value), keys ascending."""
        return b"".join(self.pieces())

    def pieces(self, leaves: int = 1 << 40) -> Iterator[bytes]:
        """The same piece by piece, of so many leaves each, for who has other things to do in between. Nothing may be
        written to the machine meanwhile: take them from a copy."""
        self.state.commit()
        yield self.regs.encode()
        tree, first = self.state.tree, 0
        while items := tree.part(first, leaves):
            yield b"".join([_ENTRY.pack(key >> 32, key & 0xFFFFFFFF, len(value)) + value for key, value in items])
            first = items[-1][0] + 1
            if len(items) < leaves or first >> DEPTH:
                return

    @classmethod
    def restore(cls, data: bytes, most_nodes: int | None = None) -> Machine:
        """The inverse of `snapshot`. Raises WitnessError("bad_witness") on bytes that are not one, or whose leaves have
        more than `most_nodes` nodes above them: those take time and memory, too, and whoever makes leaves up may lay
        them as far from each other as he likes.

        Whoever got the bytes from somewhere else compares `hash()` with the machine hash they are meant to have.
        """
        items: list[tuple[int, bytes]] = []
        at, last, nodes = _REGISTERS_BYTES, -1, 0
        while at + _ENTRY.size <= len(data):
            high, low, length = _ENTRY.unpack_from(data, at)
            at += _ENTRY.size
            key = high << 32 | low
            if key <= last or not length or length % WORD:
                raise WitnessError("bad_witness", "the snapshot is no list of leaves")
            items.append((key, data[at : at + length]))
            nodes += DEPTH + 1 if last < 0 else (key ^ last).bit_length()
            at, last = at + length, key
        if most_nodes is not None and nodes > most_nodes:
            raise WitnessError("bad_witness", f"leaves that take more than {most_nodes} nodes of a tree")
        if at != len(data) or len(data) < _REGISTERS_BYTES:
            raise WitnessError("bad_witness", "the snapshot is cut short")
        return cls(Registers.decode(data[:_REGISTERS_BYTES]), State(Tree(items)))

    def __reduce__(self) -> tuple[Callable[..., Machine], tuple[object, ...]]:
        """What `pickle` takes to another process, whichever build runs: the tree as it is, so nothing is hashed."""
        self.state.commit()
        return _assemble, (self.regs.encode(), self.state.tree, self.many_accounts, self._next_input)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _begin_signatures(self, batch: Batch) -> None:
        """Signatures are found ahead of the steps that ask for them: the two disturb each other's caches, and threads
        can help with the one alone."""
        eip712.recover_ahead(self.regs.domain, batch.records, is_helped=count_cores() > 1)

    def _fetch(self, input_index: int, body: bytes, is_message: bool, queued_at: int | None = None) -> None:
        self.fills = []
        self.regs.input_index = input_index
        self.regs.steps += 1
        if queued_at is None:
            queued_at = self.regs.time if is_message else 0
        step_fetch(self.regs, self.state, body, is_message, queued_at)

    def _run_to_idle(self) -> None:
        regs, state = self.regs, self.state
        sweep: Sweep | None = None
        while regs.phase != phases.IDLE:
            if regs.phase in _TRADING:
                self._run_trade()
            elif regs.phase == phases.WORK:
                if regs.outcome == errors.ACCEPTED:
                    state.end_journal()  # the machine's own work makes no reject of what began it
                if self._is_visiting():
                    sweep = sweep or self._begin_sweep()
                    sweep.skip(regs)
                apply_step(regs, state)
            else:
                apply_step(regs, state)

    def _is_visiting(self) -> bool:
        """Whether the work to come may be visits enough to leave some out."""
        regs = self.regs
        return regs.accounts >= self.many_accounts and (regs.sweeping != 0 or regs.ranking != 0)

    def _begin_sweep(self) -> Sweep:
        """The visits of this input; found anew only where prices have changed since the last one.

        The arithmetic by columns is loaded where it is needed: it takes a while.
        """
        from setoff.shared.machine.columns import Columns
        from setoff.shared.machine.sweep import Sweep

        if self._columns is None:
            self._columns = Columns(self.state)
        if self._sweep is None or not self._sweep.holds(self.regs):
            self._sweep = Sweep(self._columns, self.regs, self.state)
        return self._sweep

    def _run_trade(self) -> None:
        """Run a step that may trade, and list the fill."""
        regs = self.regs
        phase, kind, cursor = regs.phase, get_fill_kind(regs), regs.cursor
        if phase == phases.FILL:
            maker, maker_order_slot, price, size = (
                keys.handle_account(cursor),
                keys.handle_order_slot(cursor),
                regs.tick,
                regs.lots,
            )
            apply_step(regs, self.state)
        elif phase == phases.CROSS:
            self._run_cross()
            return
        else:
            maker, maker_order_slot = keys.BACKSTOP if phase == phases.TAKEOVER else get_first_ranked(regs), 0
            account = self.state.account(regs.account)
            lots, cash = self._get_size(), account.collateral
            apply_step(regs, self.state)
            size = abs(self._get_size() - lots)
            price = self._get_price_beside(abs(account.collateral - cash), size, phase) if size else 0
        if size:
            self.fills.append(
                Fill(regs.market, regs.account, regs.order_slot, maker, maker_order_slot, regs.side, price, size, kind)
            )

    def _get_price_beside(self, paid: int, size: int, phase: int) -> int:
        """Ticks at which a trade beside the book was made for which the account in flight had `paid` token units: whom
        it was deleveraged against closes at the mark, where that is better."""
        market = self.state.market(self.regs.market)
        price = paid // (size * market.unit)
        if phase == phases.DELEVERAGE:
            price = max(price, market.mark) if self.regs.side == records.SELL else min(price, market.mark)
        return price

    def _run_cross(self) -> None:
        """Run a step that trades two orders of the book; two of one owner lose their lots without a trade."""
        regs = self.regs
        buyer, seller = keys.handle_account(regs.bid), keys.handle_account(regs.ask)
        slots = keys.handle_order_slot(regs.bid), keys.handle_order_slot(regs.ask)
        price, size = regs.clearing, regs.lots
        apply_step(regs, self.state)
        if keys.get_master(buyer) != keys.get_master(seller):
            self.fills.append(
                Fill(regs.market, buyer, slots[0], seller, slots[1], records.BUY, price, size, kind=AUCTION)
            )

    def _get_size(self) -> int:
        """The position of the account in flight in its market, lots."""
        position = find_position(self.state.account(self.regs.account), self.regs.market)
        return position.size if position else 0


def get_fill_kind(regs: Registers) -> int:
    """Kind of the fill that the step to come may make; its phase is one that trades."""
    if regs.phase == phases.TAKEOVER:
        return TAKEOVER
    if regs.phase == phases.DELEVERAGE:
        return DELEVERAGE
    if regs.kind != records.LIQUIDATION:
        return TRADE
    return UNWIND if regs.return_phase == phases.UNWIND else LIQUIDATION


def count_cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _assemble(registers: bytes, tree: Tree, many_accounts: int, next_input: int) -> Machine:
    machine = Machine(Registers.decode(registers), State(tree))
    machine.many_accounts = many_accounts
    machine._next_input = next_input
    return machine
