"""Closed batches on their way to L1: the sequencer puts them, the publisher gets them, in the order of their numbers.

Keys, under the deployment's namespace:
    batch:{number}  hash: header (10 words), messages (132 bytes each), records (124), end (machine hash), fills
    kept_from       number of the first batch that is still there: those before it are on L1 alone
    batches         stream: an entry `{number + 1}-0` for each batch, to wait on
    posted          number of batches that are on L1, which the publisher keeps
    stuck           why the publisher cannot post, as long as it cannot (JSON of `Stuck`)
    publisher:alarm why no fast path is taken any more (`shared/config/fast_path_alarm.py`), by either process
    withdrawals     hash: a withdrawal's index to its proof, once its epoch is complete
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from struct import Struct
from typing import Any, Final, cast

from redis import Redis

from setoff.operator.sequencer.exchange import NumberedFill, SealedBatch
from setoff.operator.sequencer.kept_start import KeptStart
from setoff.shared.codec.records import MESSAGE_BYTES, RECORD_BYTES
from setoff.shared.config.fast_path_alarm import FastPathAlarm
from setoff.shared.errors import DataError
from setoff.shared.l1.da.registry import get_module
from setoff.shared.machine.batch import Batch, Header
from setoff.shared.machine.machine import Fill
from setoff.shared.wire.withdrawals import WithdrawalProof

_FILL: Final = Struct(">QQHQHIHIHBIQB")
BATCHES_KEPT: Final = 100_000
"""Entries of the stream that are kept."""
TRIMMED_AT_ONCE: Final = 1000
"""Batches that one call of `trim` forgets."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """What keeps a batch from L1."""

    batch: str
    """Its hash, hexadecimal."""
    number: int
    reason: str
    """Of the shared list."""
    detail: str
    is_final: bool
    """Whether L1 will never take this batch, so that its records have to go into another one."""


def publisher_alarm(redis: Redis, namespace: str) -> FastPathAlarm:
    """What the operator's two processes know of a wrong fast path."""
    return FastPathAlarm(redis, f"{namespace}:publisher:alarm")


class Outbox:
    """The outbox of one deployment, over a blocking client."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self._redis = redis
        self._namespace = namespace
        self.alarm = publisher_alarm(redis, namespace)
        """That the publisher has found a fast path to be wrong."""
        self.kept_start = KeptStart(redis, namespace)
        """What the publisher keeps beside what is sent: a machine for others."""

    def put(self, sealed: SealedBatch, *, replace: bool = False) -> None:
        """Add the next batch, all or nothing; again the same one does nothing.

        Another batch of its number, and all after that, make way for it if `replace`; otherwise raises
        DataError("data_mismatch").
        """
        header = sealed.batch.header
        there = self.get(header.number)
        if there is not None and (there.batch.header, there.end) == (header, sealed.end):
            return
        if there is not None:
            if not replace:
                raise DataError("data_mismatch", f"the outbox holds another batch {header.number}")
            self.cut(header.number)
        fields = {
            "header": header.encode(),
            "messages": b"".join(sealed.batch.messages),
            "records": b"".join(sealed.batch.records),
            "end": sealed.end,
            "fills": b"".join(_FILL.pack(*fill[:4], *fill.fill) for fill in sealed.fills),
        }
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._key(f"batch:{header.number}"), mapping=cast(Any, fields))
            if sealed.proofs:
                pipe.hset(self.proofs_key, mapping=cast(Any, show_proofs(sealed.proofs)))
            pipe.xadd(self._key("batches"), {"number": header.number}, id=f"{header.number + 1}-0", maxlen=BATCHES_KEPT)
            pipe.execute()

    def get(self, number: int) -> SealedBatch | None:
        """A batch by number (its withdrawal proofs apart), None if it is not closed yet."""
        fields = self.read_fields(number)
        if not fields:
            return None
        header = Header.decode(fields[b"header"])
        module = get_module(header.module).codec
        batch = Batch(
            header, _split(fields[b"messages"], MESSAGE_BYTES), _split(fields[b"records"], RECORD_BYTES), module=module
        )
        fills = tuple(
            NumberedFill(fill, number, input_index, time, Fill(*trade))
            for fill, number, input_index, time, *trade in _FILL.iter_unpack(fields[b"fills"])
        )
        return SealedBatch(batch, fields[b"end"], fills, ())

    def read_fields(self, number: int) -> dict[bytes, bytes]:
        """A batch as it is kept, for a copy; empty if it is not there."""
        return cast("dict[bytes, bytes]", self._redis.hgetall(self._key(f"batch:{number}")))

    def write_fields(self, number: int, fields: Mapping[bytes, bytes]) -> None:
        """The inverse of `read_fields`, in an empty store; `begin_at` says afterwards which there are."""
        self._redis.hset(self._key(f"batch:{number}"), mapping=cast(Any, fields))

    def begin_at(self, first: int, end: int = 0) -> None:
        """Batches from `first` on are there, in an empty store up to before `end`; those before are on L1 alone."""
        with self._redis.pipeline(transaction=True) as pipe:
            if old := range(self.kept_from(), first):
                pipe.delete(*[self._key(f"batch:{number}") for number in old])
            pipe.set(self._key("kept_from"), first)
            if end:
                pipe.xadd(self._key("batches"), {"number": end - 1}, id=f"{end}-0")
            pipe.execute()

    def put_proofs(self, proofs: Sequence[WithdrawalProof]) -> None:
        """Keep these, of a batch that is not kept."""
        if proofs:
            self._redis.hset(self.proofs_key, mapping=cast(Any, show_proofs(proofs)))

    @property
    def proofs_key(self) -> str:
        """Where the proofs of withdrawals are."""
        return self._key("withdrawals")

    def header(self, number: int) -> Header | None:
        """The header of a batch, None if it is not closed yet."""
        words = cast("bytes | None", self._redis.hget(self._key(f"batch:{number}"), "header"))
        return Header.decode(words) if words else None

    def cut(self, number: int) -> None:
        """Take back all batches from `number` on, all or nothing. Withdrawals that are proven again are overwritten."""
        latest = self.latest()
        if latest < number:
            return
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(*[self._key(f"batch:{void}") for void in range(number, latest + 1)], self._key("stuck"))
            pipe.delete(self._key("batches"))
            if number:
                pipe.xadd(self._key("batches"), {"number": number - 1}, id=f"{number}-0")
            pipe.execute()

    def trim(self, number: int, before: int) -> int:
        """Forget batches below `number` whose timestamps are before `before`, some at a time; the first that is left.

        Only for what L1 holds beyond doubt, and a snapshot stands for: nobody comes back to it.
        """
        first = self.kept_from()
        last = min(number, first + TRIMMED_AT_ONCE)
        kept = first
        while kept < last and (header := self.header(kept)) is not None and header.timestamp < before:
            kept += 1
        if kept > first:
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.delete(*[self._key(f"batch:{old}") for old in range(first, kept)])
                pipe.set(self._key("kept_from"), kept)
                pipe.execute()
        return kept

    def kept_from(self) -> int:
        """The first batch that is still here."""
        value = cast("bytes | None", self._redis.get(self._key("kept_from")))
        return int(value) if value else 0

    def drop_proofs(self, first: int) -> None:
        """Forget the proofs of withdrawals from index `first` on: they have not happened after all."""
        indices = cast("list[bytes]", self._redis.hkeys(self.proofs_key))
        void = [index for index in indices if int(index) >= first]
        if void:
            self._redis.hdel(self.proofs_key, *cast(Any, void))

    def latest(self) -> int:
        """Number of the last batch, -1 before the first."""
        entries = cast("list[tuple[bytes, Any]]", self._redis.xrevrange(self._key("batches"), count=1))
        return int(entries[0][0].split(b"-")[0]) - 1 if entries else -1

    def wait(self, number: int, timeout: float) -> bool:
        """Wait until batch `number` is closed, at most `timeout` seconds; returns whether it is."""
        if self._redis.exists(self._key(f"batch:{number}")):
            return True
        after = {self._key("batches"): f"{number}-0"}
        return bool(self._redis.xread(cast(Any, after), count=1, block=max(1, int(timeout * 1000))))

    def posted(self) -> int:
        """How many batches the publisher has seen on L1."""
        value = cast("bytes | None", self._redis.get(self._key("posted")))
        return int(value) if value else 0

    def set_posted(self, count: int) -> None:
        """Say how many batches are on L1 (fewer than before after a reorg)."""
        self._redis.set(self._key("posted"), count)

    def stuck(self) -> Stuck | None:
        """What keeps the publisher from posting now, if anything does."""
        text = cast("bytes | None", self._redis.get(self._key("stuck")))
        return Stuck(**json.loads(text)) if text else None

    def set_stuck(self, stuck: Stuck | None) -> None:
        """Say what keeps the publisher from posting, or that nothing does any more."""
        if stuck is None:
            self._redis.delete(self._key("stuck"))
        else:
            self._redis.set(self._key("stuck"), json.dumps(asdict(stuck)))

    def withdrawal(self, index: int) -> WithdrawalProof | None:
        """Proof of a withdrawal, None before its epoch is complete."""
        text = cast("bytes | None", self._redis.hget(self.proofs_key, str(index)))
        return WithdrawalProof.from_json(json.loads(text)) if text else None

    def _key(self, name: str) -> str:
        return f"{self._namespace}:{name}"


def _split(data: bytes, width: int) -> tuple[bytes, ...]:
    return tuple(data[start : start + width] for start in range(0, len(data), width))


def show_proofs(proofs: Sequence[WithdrawalProof]) -> dict[str, str]:
    """As they are kept: JSON by the withdrawal's index."""
    return {str(proof.index): json.dumps(proof.to_json()) for proof in proofs}
