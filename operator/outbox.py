"""Closed batches on their way to L1: the sequencer puts them, the publisher gets them, in the order of their numbers.

Keys, under the deployment's namespace:
    batch:{number}  hash: header (10 words), messages, records (124 bytes each), end (machine hash), fills
    batches         stream: an entry `{number + 1}-0` for each batch, to wait on
    posted          number of batches that are on L1, which the publisher keeps
    withdrawals     hash: a withdrawal's index to its proof, once its epoch is complete
"""

from __future__ import annotations

import json
from struct import Struct
from typing import Any, Final, cast

from redis import Redis

from setoff.operator.exchange import NumberedFill, SealedBatch
from setoff.shared.client.withdrawals import WithdrawalProof
from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.errors import DataError
from setoff.shared.machine.batch import Batch, Header
from setoff.shared.machine.machine import Fill

_FILL: Final = Struct(">QQHQHIHIHBIQB")
BATCHES_KEPT: Final = 100_000  # entries of the stream; the batches themselves stay


class Outbox:
    """The outbox of one deployment, over a blocking client."""

    def __init__(self, redis: Redis, namespace: str) -> None:
        self._redis = redis
        self._namespace = namespace

    def put(self, sealed: SealedBatch) -> None:
        """Add the next batch, all or nothing; again the same one does nothing.

        Raises DataError("data_mismatch") if another batch has its number.
        """
        header = sealed.batch.header
        there = self.get(header.number)
        if there is not None:
            if (there.batch.header, there.end) != (header, sealed.end):
                raise DataError("data_mismatch", f"the outbox holds another batch {header.number}")
            return
        fields = {
            "header": header.encode(),
            "messages": b"".join(sealed.batch.messages),
            "records": b"".join(sealed.batch.records),
            "end": sealed.end,
            "fills": b"".join(_FILL.pack(*fill[:4], *fill.fill) for fill in sealed.fills),
        }
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._key(f"batch:{header.number}"), mapping=cast(Any, fields))
            for proof in sealed.proofs:
                pipe.hset(self._key("withdrawals"), str(proof.index), json.dumps(proof.to_json()))
            pipe.xadd(self._key("batches"), {"number": header.number}, id=f"{header.number + 1}-0", maxlen=BATCHES_KEPT)
            pipe.execute()

    def get(self, number: int) -> SealedBatch | None:
        """A batch by number (its withdrawal proofs apart), None if it is not closed yet."""
        fields = cast("dict[bytes, bytes]", self._redis.hgetall(self._key(f"batch:{number}")))
        if not fields:
            return None
        header = Header.decode(fields[b"header"])
        batch = Batch(header, _split(fields[b"messages"]), _split(fields[b"records"]))
        fills = tuple(
            NumberedFill(fill, number, slot, time, Fill(*trade))
            for fill, number, slot, time, *trade in _FILL.iter_unpack(fields[b"fills"])
        )
        return SealedBatch(batch, fields[b"end"], fills, ())

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

    def withdrawal(self, index: int) -> WithdrawalProof | None:
        """Proof of a withdrawal, None before its epoch is complete."""
        text = cast("bytes | None", self._redis.hget(self._key("withdrawals"), str(index)))
        return WithdrawalProof.from_json(json.loads(text)) if text else None

    def _key(self, name: str) -> str:
        return f"{self._namespace}:{name}"


def _split(data: bytes) -> tuple[bytes, ...]:
    return tuple(data[start : start + RECORD_BYTES] for start in range(0, len(data), RECORD_BYTES))
