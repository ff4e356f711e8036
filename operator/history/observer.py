"""The machine, run once more over the journal's events, and what there is to tell of each input. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from setoff.operator.history.candles import add_trade
from setoff.operator.history.ledger import BOOK, Changed, compute_fees, explain_changes, list_payments
from setoff.operator.history.orders import Moment, OrderLives
from setoff.operator.history.rows import Rows
from setoff.operator.history.tables import BATCHES, FILLS, FUNDING, LEDGER, PRICES, RECORDS
from setoff.operator.sequencer.journal_events import Closed, JournalEvent, Opened, Recorded, Rerun
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.integers import PPM
from setoff.shared.errors import ACCEPTED, DataError
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.marks import compute_funding
from setoff.shared.state import keys, leaves

NOBODYS: Final = frozenset((records.REPORT, records.CRANK))
"""Types of records that no account sends: what stands in a report's place of it is the oracle signer's number."""


@dataclass
class Numbers:
    """Running numbers: of the next batch, record, message, fill and order, and of the rows of ledger, prices and
    funding."""

    batch: int = 0
    record: int = 0
    message: int = 0
    fill: int = 1
    order: int = 1
    ledger: int = 0
    price: int = 0
    funding: int = 0


class Observer:
    """Follows events; `rows` is what they have brought since somebody took them."""

    def __init__(self, machine: Machine, numbers: Numbers, live: Mapping[int, tuple[int, int, int, int]]) -> None:
        """`machine` stands between two batches; `live`: see `OrderLives`."""
        self.machine = machine
        self.numbers = numbers
        self.rows = Rows()
        self._lives = OrderLives(numbers.order, live)
        self._opened: Opened | None = None
        self._first = (0, 0)  # record and message of the open batch
        self._bulk = (0, 0, 0)  # account, nonce and agent of the last bulk record

    @property
    def is_between(self) -> bool:
        """Whether no batch is open."""
        return self._opened is None

    def take(self) -> Rows:
        """What there is to write, once."""
        rows, self.rows = self.rows, Rows()
        self.numbers.order = self._lives.next_id
        return rows

    def apply(self, event: JournalEvent) -> None:
        """Follow an event. Raises DataError("data_mismatch") if a batch ends elsewhere than it says."""
        if isinstance(event, Opened):
            self._opened = event
            self._first = self.numbers.record, self.numbers.message
            self.machine.begin(event.number, event.timestamp)
            for message in event.messages:
                body, queued_at = records.split_message(message)
                self._run(body, queued_at)
                self.numbers.message += 1
        elif isinstance(event, Recorded | Rerun):
            self._run(event.record, None)
            self.numbers.record += 1
        elif isinstance(event, Closed):
            self.close(event.end)

    def close(self, end: bytes | None) -> None:
        """The open batch ends, at this machine hash, None where that is not known."""
        opened = self._opened
        if opened is None:
            raise DataError("data_mismatch", "a batch is closed that was never opened")
        if end not in (None, self.machine.hash()):
            raise DataError("data_mismatch", f"batch {opened.number} ends elsewhere than the journal says")
        record, message = self._first
        self.rows.added[BATCHES].append(
            {
                "batch": opened.number, "time": self.machine.regs.time, "first_record": record,
                "records": self.numbers.record - record, "first_message": message,
                "messages": self.numbers.message - message, "hash": "", "end": "0x" + self.machine.hash().hex(),
            }
        )  # fmt: skip
        self.numbers.batch = opened.number + 1
        self._opened = None

    def _run(self, body: bytes, queued_at: int | None) -> None:
        """Run an input, and tell of it."""
        machine = self.machine
        state = machine.state
        state.commit()
        state.seen = {}
        outcome = machine.take(body, queued_at is not None, queued_at)
        state.commit()
        seen, state.seen = state.seen or {}, None
        changed = {key: (before, state.tree.get(key)) for key, before in seen.items()}
        kind, account = body[0], machine.regs.account
        if kind == records.FORCED:
            body = records.decode_forced(body).body.ljust(records.RECORD_BYTES, b"\0")
            kind = body[0]
        moment = Moment(
            machine.regs.batch, machine.regs.input_index, machine.regs.time,
            None if queued_at is not None else self.numbers.record,
        )  # fmt: skip
        if queued_at is None:
            self._add_record(moment, body, outcome)
        if kind == records.LEG_PAGE:
            account = self._bulk[0]
        elif kind < records.FIRST_MESSAGE:
            account = records.get_head(body)[1]
        self._tell(moment, body, kind, account, outcome, changed)

    def _tell(self, moment: Moment, body: bytes, kind: int, account: int, outcome: int, changed: Changed) -> None:
        rows, machine, numbers = self.rows, self.machine, self.numbers
        fills = machine.fills
        fees = compute_fees(machine.regs, machine.state.tree, changed, fills) if fills else []
        orders = self._lives.follow(rows, moment, body, account, outcome, fills, changed)
        told = []
        for fill, (taker_fee, maker_fee), (taker_order, maker_order) in zip(fills, fees, orders, strict=True):
            told.append((numbers.fill, fill, taker_fee, maker_fee))
            value = fill.size * fill.price * machine.state.market(fill.market).unit
            rows.added[FILLS].append(
                {
                    "fill": numbers.fill, "batch": moment.batch, "input_index": moment.input_index,
                    "time": moment.time, "kind": fill.kind, "market": fill.market, "side": fill.side,
                    "price": fill.price, "size": fill.size, "taker": fill.taker, "taker_order": taker_order,
                    "taker_fee": str(taker_fee), "maker": fill.maker, "maker_order": maker_order,
                    "maker_fee": str(maker_fee), "value": str(value),
                }
            )  # fmt: skip
            if fill.kind in BOOK:
                add_trade(rows, fill.market, moment.time, fill.price, fill.size, value)
            numbers.fill += 1
        is_done = outcome == ACCEPTED
        payments = list_payments(kind, body, account, machine.regs.withdrawals - 1) if is_done else []
        treasury = machine.state.terms().treasury
        for entry in explain_changes(machine.state, changed, told, payments, treasury):
            rows.added[LEDGER].append(
                {
                    "id": numbers.ledger, "batch": moment.batch, "input_index": moment.input_index,
                    "time": moment.time, "account": entry.account, "kind": entry.kind, "amount": str(entry.amount),
                    "market": entry.market, "peer": entry.peer, "about": entry.fill,
                }
            )  # fmt: skip
            numbers.ledger += 1
        self._tell_markets(moment, changed)

    def _tell_markets(self, moment: Moment, changed: Changed) -> None:
        rows, numbers = self.rows, self.numbers
        for key, (before, after) in changed.items():
            if key >> keys.BODY_BITS != keys.MARKET or before == after:
                continue
            market = key & (1 << keys.BODY_BITS) - 1
            was, now = leaves.decode_market(before), leaves.decode_market(after)
            if (was.index, was.mark) != (now.index, now.mark):
                rows.added[PRICES].append(
                    {
                        "id": numbers.price, "batch": moment.batch, "market": market, "time": moment.time,
                        "index_price": now.index, "mark": now.mark,
                    }
                )  # fmt: skip
                numbers.price += 1
            if now.sampled != was.sampled:
                hourly = compute_funding(now, now.excess, phases.HOUR)
                rate = hourly * PPM / (max(1, now.index) * now.unit * phases.FUNDING_ONE)
                rows.added[FUNDING].append(
                    {
                        "id": numbers.funding, "batch": moment.batch, "market": market, "time": moment.time,
                        "paid": str(now.funding), "rate": round(rate, 6),
                    }
                )  # fmt: skip
                numbers.funding += 1

    def _add_record(self, moment: Moment, body: bytes, outcome: int) -> None:
        kind, account, nonce = records.get_head(body)
        agent = 0
        if kind in NOBODYS:
            account = 0
        elif kind == records.LEG_PAGE:
            account, nonce, agent = self._bulk
        elif kind in records.TYPES and records.TYPES[kind].fields[-1].name == "agent":
            agent = int(records.decode(body)[-1])
        if kind == records.BULK:
            self._bulk = account, nonce, agent
        self.rows.added[RECORDS].append(
            {
                "sequence": self.numbers.record, "batch": moment.batch, "input_index": moment.input_index,
                "time": moment.time, "type": kind, "account": account, "nonce": str(nonce), "agent": agent,
                "outcome": outcome, "hash": "0x" + keccak(body).hex(), "body": body,
            }
        )  # fmt: skip
