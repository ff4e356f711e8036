"""What comes before the queue: form and signature of what clients send, checked beside the event loop, one in turn.

The machine checks every record again; here it is seen to that what cannot be taken costs nobody else's time. Signatures
are recovered in a thread, some records of one client, then some of the next, so a flood makes nobody wait for more than
a handful of records. A client has no more records on their way than its share; and what it sends with a wrong signature
is answered late, while it still counts.

A client is an address on the network: behind a proxy all are one, and the proxy has to keep them apart.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

from setoff.operator.sequencer.exchange import Exchange
from setoff.shared import errors
from setoff.shared.codec import eip712, records, signatures
from setoff.shared.errors import InputError, StateError
from setoff.shared.rules.fetch import decode_record
from setoff.shared.state import keys

TURN: Final = 16
"""Records of one client that are checked before it is the next one's turn."""
PENALTY: Final = 0.005
"""Seconds for which a wrong signature is not answered."""
FORGED: Final = frozenset(("bad_signature", "unknown_signer"))
"""Reasons that tell of a wrong signature."""
_UNSIGNED: Final = frozenset(
    number for number, kind in records.TYPES.items() if number < records.FIRST_MESSAGE and not kind.is_signed
)
"""Records that nobody signs: they are the machine's to judge."""

Recovered = list[bytes | None]


class Admission:
    """Recovers signers for one domain; `share` is how many records of one client may be on their way at once."""

    def __init__(self, domain: bytes, share: int) -> None:
        self._domain = domain
        self._share = share
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="admission")
        self._inside: Counter[str] = Counter()
        self._queues: OrderedDict[str, deque[_Check]] = OrderedDict()
        self._worker: asyncio.Task[None] | None = None

    @contextmanager
    def admit(self, client: str, count: int) -> Iterator[None]:
        """Let a client's records in until they are answered. Raises StateError("overloaded") beyond its share."""
        inside = self._inside[client]
        if inside and inside + count > self._share:
            raise StateError("overloaded", f"{inside} records of this client are on their way")
        self._inside[client] += count
        try:
            yield
        finally:
            self._inside[client] -= count
            if not self._inside[client]:
                del self._inside[client]

    async def recover(self, client: str, bodies: Sequence[bytes]) -> Recovered:
        """The signer of each record of 124 bytes, None where there is none."""
        check = _Check(bodies)
        self._queues.setdefault(client, deque()).append(check)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await check.answer

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _work(self) -> None:
        """Go round the clients until nobody waits."""
        loop = asyncio.get_running_loop()
        while self._queues:
            client, queue = next(iter(self._queues.items()))
            check = queue[0]
            part = check.bodies[len(check.found) : len(check.found) + TURN]
            check.found += await loop.run_in_executor(self._thread, self._recover, part)
            if len(check.found) == len(check.bodies):
                queue.popleft()
                if not check.answer.done():
                    check.answer.set_result(check.found)
            self._queues.move_to_end(client)
            if not queue:
                del self._queues[client]

    def _recover(self, bodies: Sequence[bytes]) -> Recovered:
        return [
            None
            if body[0] not in records.SIGNED or not records.is_canonical(body)
            else signatures.recover_ahead(eip712.digest(self._domain, body), body[records.BODY_BYTES :])
            for body in bodies
        ]


class _Check:
    """Records of one request, and how far they are checked."""

    __slots__ = ("answer", "bodies", "found")

    def __init__(self, bodies: Sequence[bytes]) -> None:
        self.bodies = bodies
        self.found: Recovered = []
        self.answer: asyncio.Future[Recovered] = asyncio.get_running_loop().create_future()


def check_signed(exchange: Exchange, body: bytes, signer: bytes | None) -> None:
    """Refuse what the machine would refuse for its form or its signature, with the same reason.

    Raises InputError. An agent that is being named by a record on its way is not known here yet.
    """
    kind = body[0]
    if kind in _UNSIGNED:
        return
    if kind not in records.SIGNED or not records.is_canonical(body):
        raise InputError("malformed_record")
    machine = exchange.machine
    regs = machine.regs.copy()
    regs.clear()
    regs.kind = kind
    outcome = decode_record(regs, body)
    if outcome != errors.ACCEPTED:
        raise InputError(errors.OUTCOMES[outcome])
    state, master = machine.state, keys.get_master(regs.account)
    if signer is None:
        raise InputError("bad_signature")
    if kind == records.REPORT:
        signers = state.signers()
        if regs.account >= signers.count or signers.owners[regs.account] != signer:
            raise InputError("unknown_signer")
    elif signer != (state.agent(master, regs.agent).address if regs.agent else state.account(master).owner):
        raise InputError("bad_signature")
