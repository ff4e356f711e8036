"""What comes before the queue: how much may wait, whose turn it is, and whether what was sent can be taken at all.

Everything that is on its way counts towards one bound, wherever it waits, and towards its client's share; what is over
either is refused at once, before anybody has looked at it. Who has little on its way is let in even where the others
have filled the bound: however many flood, nobody is kept out. What was let in waits here, one queue a client, and the
machine is given a few groups ahead and no more: so a client's turn comes record by record, whoever else has sent
however much in one request or over however many connections. A client who is alone has as much ahead as makes the
machine quick; beside others it has so little that those who send little are answered nearly as soon as if they were
alone. What has waited for too long is refused, too.

The machine checks every record again; here it is seen to that what cannot be taken costs nobody else's time. A group's
signatures are recovered together, and what has a wrong one is answered late, one after the other, while it counts
towards its client's share, and towards nothing else.

Who a client is: `clients.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from functools import partial
from typing import Final

from setoff.operator.bridge.desk import Desk, Signed
from setoff.operator.sequencer.exchange import SubmitResult
from setoff.operator.sequencer.submissions import Answer
from setoff.operator.settings import OperatorSettings
from setoff.shared import errors
from setoff.shared.codec import eip712, records, signatures
from setoff.shared.errors import InputError, SetoffError, StateError
from setoff.shared.monotonic import LONG_AGO
from setoff.shared.rules.fetch import decode_record
from setoff.shared.state import keys
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State
from setoff.shared.wire.leg_pages import check_leg_pages

GROUP: Final = 32
"""Records whose signatures are recovered together, with nothing in between: about a millisecond."""
AHEAD: Final = 192
"""Records that the machine has got and not answered, at most: a group is written, one runs, one waits."""
LITTLE: Final = 32
"""Records of one client that may be on their way though the others' fill the bound: as many clients as there are
connections cannot make more of that than memory holds."""
LEAST_AHEAD: Final = 64
"""With fewer, commits would be for a handful."""
TARGET: Final = 0.02
"""Seconds from the machine's getting a record to its answer. Where it takes longer, the machine is given less ahead:
who comes new waits behind that, and behind nothing else."""
CROWDED: Final = 1.0
"""Seconds after two clients have sent for which a client is not alone."""
LEAST_BESIDE: Final = 8
"""Records of one client that the machine has beside others', at least."""
REFUSED_BESIDE: Final = 3
"""The same of a client that was refused for too much just now: a flood costs itself."""
LONGER: Final = 2.0
"""An answer may take so many times what it takes while nobody sends much; then each client has less ahead."""
FEW: Final = 4
"""Records ahead while nobody sends much."""
UNREAD: Final = 1 / 100_000
READ: Final = 1 / 1000
"""Seconds between two refusals for too much from which on a client's connections are read no further for a moment:
those of frames that nobody looked at, and those of requests."""
BURST: Final = 0.02
LONGEST: Final = 0.05
"""Seconds of refusals that may come at once, and for which reading rests at most at a time."""
MAX_REFUSED: Final = 10_000
"""Clients whose refusals are remembered."""
PENALTY: Final = 0.005
"""Seconds from one answer to a wrong signature to the next one of the same client."""
FORGED: Final = frozenset(("bad_signature", "unknown_signer"))
"""Reasons that tell of a wrong signature."""
DATED: Final = FORGED | {"unknown_account", "unknown_market"}
"""Reasons that a copy of the exchange may have because it is not the newest."""
_UNSIGNED: Final = frozenset(
    number for number, kind in records.TYPES.items() if number < records.FIRST_MESSAGE and not kind.is_signed
)
"""Records that nobody signs: they are the machine's to judge."""


class _Entry:
    """A record with its leg pages (124 bytes each) on its way; `due`: when it has waited for too long; `is_ahead`:
    whether it has had its turn."""

    __slots__ = ("answer", "client", "due", "group", "is_ahead")

    def __init__(self, client: str, group: Sequence[bytes], answer: Answer, due: float) -> None:
        self.client = client
        self.group = group
        self.answer = answer
        self.due = due
        self.is_ahead = False


class Admission:
    """Lets records in to one sequencer, of one domain."""

    def __init__(self, desk: Desk, domain: bytes, settings: OperatorSettings) -> None:
        self._desk = desk
        self._domain = domain
        self._most = settings.max_waiting
        self._share = settings.max_per_client
        self._patience = settings.max_wait
        self._waiting = 0  # records, here and in the machine's queue
        self._inside: Counter[str] = Counter()  # the same, by client
        self._ahead = 0  # records that have had their turn
        self._ahead_of: Counter[str] = Counter()  # the same, by client
        self._most_ahead = float(AHEAD)
        self._most_beside = float(LEAST_BESIDE)  # of one client beside others
        self._usual = TARGET  # seconds that an answer takes while nobody sends much
        self._last = ""  # who has sent last
        self._crowded_until = 0.0
        self._queues: OrderedDict[str, deque[_Entry]] = OrderedDict()
        self._held: dict[str, deque[_Entry]] = {}  # queues of clients who have enough ahead
        self._forged: dict[str, float] = {}  # when a client's last wrong signature is answered
        self._again: set[asyncio.Task[None]] = set()
        self._refused: dict[str, float] = {}  # until when a client's refusals are spread
        self._room = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Records on their way."""
        return self._waiting

    def find_obstacle(self, client: str, count: int = 1) -> StateError | None:
        """Why so many records of a client cannot be let in now, if so. Whoever is alone may send what one request
        takes."""
        obstacle = self._desk.obstacle()
        if obstacle is not None:
            return obstacle
        inside = self._inside.get(client, 0)
        if self._waiting and self._waiting + count > self._most and inside + count > LITTLE:
            text = f"{self._waiting} records are on their way, {self._most} at most: send again in a second"
            return StateError("overloaded", f"{text}, or no more than {LITTLE} at a time")
        if inside and inside + count > self._share:
            text = f"{inside} records of this client are on their way, {self._share} at most: wait for their answers"
            return StateError("overloaded", text)
        return None

    def count_refused(self, client: str, seconds: float) -> float:
        """Refusals for too much of so many seconds (READ, UNREAD): refusing costs something, too. Seconds for which
        nothing more is to be read of that client."""
        if not seconds:
            return 0.0
        now = time.monotonic()
        until = max(now, self._refused.get(client, 0.0)) + seconds
        if len(self._refused) > MAX_REFUSED:
            self._refused.clear()
        self._refused[client] = min(until, now + 1.0)
        return min(until - now - BURST / 2, LONGEST) if until - now > BURST else 0.0

    async def hold_back(self, client: str) -> None:
        """After a request was refused for too much, before more is read of its client."""
        if (wait := self.count_refused(client, READ)) > 0:
            await asyncio.sleep(wait)

    def enter(self, client: str, group: Sequence[bytes], answer: Answer) -> None:
        """Let a record in, with the leg pages behind it; `find_obstacle` was asked before. Never raises: `answer` is
        called with what comes of it."""
        now = time.monotonic()
        if client != self._last:
            self._crowded_until = now + CROWDED if self._last else 0.0
            self._last = client
        entry = _Entry(client, group, answer, now + self._patience)
        self._waiting += len(group)
        self._inside[client] += len(group)
        if (queue := self._held.get(client)) is not None:
            queue.append(entry)
        else:
            self._queues.setdefault(client, deque()).append(entry)
            self._room.set()
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    async def submit(self, client: str, groups: Sequence[Sequence[bytes]]) -> list[SubmitResult | SetoffError]:
        """What became of records, each with the leg pages behind it, in their order. Raises StateError if they are not
        let in."""
        if (obstacle := self.find_obstacle(client, sum(map(len, groups)))) is not None:
            raise obstacle
        loop = asyncio.get_running_loop()
        answers: list[asyncio.Future[SubmitResult | SetoffError]] = [loop.create_future() for _ in groups]
        for group, answer in zip(groups, answers, strict=True):
            self.enter(client, group, partial(_settle, answer))
        return [await answer for answer in answers]

    async def _work(self) -> None:
        """Go round the clients until nobody waits."""
        while self._queues or self._held:
            if (obstacle := self._desk.obstacle()) is not None:
                self._refuse_all(obstacle)
            elif group := self._take_group():
                self._check(group)
                await asyncio.sleep(0)
            elif not self._queues and self._held:
                self._room.clear()
                await self._room.wait()

    def _take_group(self) -> list[_Entry]:
        """The next record of one client, then that of the next; those that have waited for too long are refused, and
        clients who have enough ahead wait for the answers."""
        now, group = time.monotonic(), list[_Entry]()
        while self._queues and len(group) < GROUP:
            client, queue = next(iter(self._queues.items()))
            if queue[0].due < now:
                entry = queue.popleft()
                text = f"others came first for {self._patience:g} s: send fewer at a time, or again later"
                self._finish(entry, StateError("overloaded", text))
            elif self._ahead_of[client] >= self._get_most(client, now):
                self._held[client] = self._queues.pop(client)
                continue
            else:
                entry = queue.popleft()
                entry.is_ahead = True
                self._ahead += len(entry.group)
                self._ahead_of[client] += len(entry.group)
                group.append(entry)
            if queue:
                self._queues.move_to_end(client)
            else:
                del self._queues[client]
        return group

    def _get_most(self, client: str, now: float) -> float:
        """Records that a client may have ahead."""
        if self._ahead >= self._most_ahead:
            return 1
        if now >= self._crowded_until:
            return self._most_ahead
        return REFUSED_BESIDE if self._refused.get(client, LONG_AGO) > now - CROWDED else self._most_beside

    def _check(self, entries: Sequence[_Entry]) -> None:
        """Hand to the machine what can be taken. What a copy of the exchange does not know may have come since."""
        signed = [self._recover(entry.group[0]) for entry in entries]
        refusals = self._find_refusals(entries, signed)
        if self._desk.is_copy and any(refusal is not None and refusal.reason in DATED for refusal in refusals):
            doubted = {
                entry.client
                for entry, refusal in zip(entries, refusals, strict=True)
                if refusal is not None and refusal.reason in DATED
            }
            held = [place for place, entry in enumerate(entries) if entry.client in doubted]
            again = self._check_again([entries[place] for place in held], [signed[place] for place in held])
            task = asyncio.create_task(again)
            self._again.add(task)
            task.add_done_callback(self._again.discard)
            kept = [place for place, entry in enumerate(entries) if entry.client not in doubted]
            entries, signed = [entries[place] for place in kept], [signed[place] for place in kept]
            refusals = [refusals[place] for place in kept]
        self._hand_on(entries, signed, refusals)

    async def _check_again(self, entries: Sequence[_Entry], signed: Sequence[Signed | None]) -> None:
        """With the exchange as it is now; others' turns go on meanwhile."""
        with contextlib.suppress(StateError):
            await self._desk.refresh()
        self._hand_on(entries, signed, self._find_refusals(entries, signed))

    def _hand_on(
        self, entries: Sequence[_Entry], signed: Sequence[Signed | None], refusals: Sequence[InputError | None]
    ) -> None:
        for entry, one, refusal in zip(entries, signed, refusals, strict=True):
            if refusal is not None:
                self._refuse(entry, refusal)
            else:
                self._desk.enter(entry.group[0], entry.group[1:], self._answering(entry), one)

    def _find_refusals(self, entries: Sequence[_Entry], signed: Sequence[Signed | None]) -> list[InputError | None]:
        """Why records cannot be taken."""
        machine = self._desk.exchange.machine
        regs, found = machine.regs.copy(), list[InputError | None]()
        for entry, one in zip(entries, signed, strict=True):
            try:
                check_leg_pages(entry.group[0], entry.group[1:])
                check_signed(machine.state, regs, entry.group[0], None if one is None else one.signer)
                found.append(None)
            except InputError as refusal:
                found.append(refusal)
        return found

    def _answering(self, entry: _Entry) -> Answer:
        handed_on, ahead = time.monotonic(), self._ahead

        def answer(came: SubmitResult | SetoffError) -> None:
            self._note_answer(time.monotonic() - handed_on, ahead)
            self._finish(entry, came)

        return answer

    def _note_answer(self, seconds: float, ahead: int) -> None:
        """An answer of the machine has taken so long, with so many records ahead: how many there may be."""
        if ahead <= FEW:
            self._usual += 0.05 * (seconds - self._usual)
        if seconds > TARGET:
            self._most_ahead = max(LEAST_AHEAD, 0.98 * self._most_ahead)
        else:
            self._most_ahead = min(AHEAD, self._most_ahead + 0.5)
        if seconds > min(TARGET, LONGER * self._usual):
            self._most_beside = max(LEAST_BESIDE, 0.98 * self._most_beside)
        else:
            self._most_beside = min(AHEAD, self._most_beside + 0.05)

    def _refuse(self, entry: _Entry, refusal: InputError) -> None:
        if refusal.reason not in FORGED:
            self._finish(entry, refusal)
            return
        self._release(entry)
        self._waiting -= len(entry.group)  # from here on it takes nobody's room but its sender's
        loop = asyncio.get_running_loop()
        at = self._forged[entry.client] = max(loop.time(), self._forged.get(entry.client, 0.0)) + PENALTY
        loop.call_at(at, self._tell, entry, refusal)

    def _refuse_all(self, obstacle: StateError) -> None:
        queues, self._queues = self._queues, OrderedDict()
        held, self._held = self._held, {}
        for queue in (*queues.values(), *held.values()):
            for entry in queue:
                self._finish(entry, obstacle)

    def _finish(self, entry: _Entry, came: SubmitResult | SetoffError) -> None:
        self._waiting -= len(entry.group)
        self._tell(entry, came)

    def _tell(self, entry: _Entry, came: SubmitResult | SetoffError) -> None:
        self._release(entry)
        left = self._inside[entry.client] - len(entry.group)
        if left:
            self._inside[entry.client] = left
        else:
            del self._inside[entry.client]
            self._forged.pop(entry.client, None)
        entry.answer(came)

    def _release(self, entry: _Entry) -> None:
        """It is ahead no more: its client may have another one there."""
        if not entry.is_ahead:
            return
        entry.is_ahead = False
        client = entry.client
        self._ahead -= len(entry.group)
        left = self._ahead_of[client] - len(entry.group)
        if left:
            self._ahead_of[client] = left
        else:
            del self._ahead_of[client]
        if (queue := self._held.pop(client, None)) is not None:
            self._queues[client] = queue
            self._room.set()

    def _recover(self, body: bytes) -> Signed | None:
        """Who signed a record, None where nobody did."""
        if body[0] not in records.SIGNED or not records.is_canonical(body):
            return None
        digest = eip712.digest(self._domain, body)
        signer = signatures.recover_ahead(digest, body[records.BODY_BYTES :])
        return None if signer is None else Signed(digest, signer)


def _settle(answer: asyncio.Future[SubmitResult | SetoffError], came: SubmitResult | SetoffError) -> None:
    if not answer.done():
        answer.set_result(came)


def check_signed(state: State, regs: Registers, body: bytes, signer: bytes | None) -> None:
    """Refuse what the machine would refuse for its form or its signature, with the same reason; `regs` are a copy of
    the machine's, used up for it.

    Raises InputError. An agent that is being named by a record on its way is not known here yet.
    """
    kind = body[0]
    if kind in _UNSIGNED:
        return
    if kind not in records.SIGNED or not records.is_canonical(body):
        raise InputError("malformed_record")
    regs.clear()
    regs.kind = kind
    outcome = decode_record(regs, body)
    if outcome != errors.ACCEPTED:
        raise InputError(errors.OUTCOMES[outcome])
    master = keys.get_master(regs.account)
    if signer is None:
        raise InputError("bad_signature")
    if kind == records.REPORT:
        signers = state.signers()
        if regs.account >= signers.count or signers.owners[regs.account] != signer:
            raise InputError("unknown_signer")
    elif signer != (state.agent(master, regs.agent).address if regs.agent else state.account(master).owner):
        raise InputError("bad_signature")
