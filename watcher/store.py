"""What a watcher keeps in Redis. Nothing in it is precious but blobs that nodes have let go of: the rest is on L1.

What an epoch takes to be executed again (batches, their blobs, the machine before it) stays until L1 has no use for it
any more, however many epochs came after: `execution/retention.py` says when that is.

Batches are kept under their hash and machines under theirs, so a reorg makes nothing false; it only shortens the lists
that say which batch has which number and how far the chain was executed.

    {prefix}:blocks           sorted set: (number u64, hash) of blocks up to which everything was read
    {prefix}:anchor           (number u64, hash) of the block before the deployment: names the chain
    {prefix}:messages         hash: index -> (block u64, the stamped message)
    {prefix}:batches          hash: number -> (block u64, batch hash)
    {prefix}:batch:{hash}     header (10 words), then its stamped messages, and in module 0 its records
    {prefix}:data:{root}      a blob by its versioned hash, or another module's data by its root, compressed
    {prefix}:missing          hash: data root (of a blob: its versioned hash) that nobody had at the last try ->
                              (batch number, block)
    {prefix}:epochs           hash: epoch -> (epoch hash, start, end): this watcher's own execution
    {prefix}:aside            hash: epoch hash -> the same, of batches that a reorg took back
    {prefix}:snapshot:{hash}  a machine by its machine hash, compressed
    {prefix}:progress         (epoch hash, start, batch of the epoch, inputs done in it, machine hash): how far the
                              epoch that is being executed has come
    {prefix}:ahead            hash: see `execution/ahead.py`
    {prefix}:signers:{hash}   signers of a batch's records, see `execution/known_signers.py`
    {prefix}:witness:…        and {prefix}:witnesses…, see `execution/witness_shelf.py`
    {prefix}:attempts         hash: see `execution/attempts.py`
    {prefix}:avoided:{url}    why another watcher, or an operator, is left alone for a while
    {prefix}:working          hash: worker -> (epoch hash, start) that it executes
    {prefix}:executor         name of the worker that executed the last epoch
    {prefix}:confirmed        epoch up to whose start L1 has confirmed what this watcher executed
    {prefix}:alarm            why no fast path is taken any more (`shared/config/fast_path_alarm.py`)
    {prefix}:status           hash: process -> JSON, see `status.py`
    {prefix}:receipts, :kept, :charges, :judged    see `receipts.py`

A value that is damaged reads as one that is not there.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from struct import Struct
from typing import Any, Final, NamedTuple, cast

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import WatchError

from setoff.shared.codec.records import MESSAGE_BYTES
from setoff.shared.config.fast_path_alarm import FastPathAlarm
from setoff.shared.errors import DataError, WitnessError
from setoff.shared.l1.chain import QueuedMessage
from setoff.shared.l1.da.registry import get_module
from setoff.shared.machine.batch import HEADER_BYTES, Batch, Header, epoch_hash
from setoff.shared.machine.data import CALLDATA, ZERO
from setoff.shared.machine.machine import Machine

CHECKPOINTS: Final = 1024
"""Blocks remembered for reorgs. A deeper one is followed too, by reading everything again."""

LISTS: Final = (
    "blocks", "messages", "batches", "missing", "epochs", "aside", "ahead", "attempts", "status", "receipts",
    "kept", "charges",
)  # fmt: skip
"""Keys that hold many entries, each of a few bytes."""

_PLACE: Final = Struct(">Q32s")
_MESSAGE: Final = Struct(f">Q{MESSAGE_BYTES}s")
_RESULT: Final = Struct(">32s32s32s")
_PROGRESS: Final = Struct(">32s32sII32s")
_WANT: Final = Struct(">QQ")


class Place(NamedTuple):
    """A block, or where a batch was posted: block number, and the hash of the block or of the batch."""

    block: int
    hash: bytes


class EpochResult(NamedTuple):
    """An epoch as this watcher executed it: machine hashes at its start and end. 32 bytes each."""

    epoch_hash: bytes
    start: bytes
    end: bytes


class Progress(NamedTuple):
    """How far the execution of an epoch has come."""

    epoch_hash: bytes
    start: bytes
    """Machine hash before the epoch."""
    batch: int
    """Of the epoch, from 0."""
    inputs: int
    """So many of that batch's are done, and all batches before it."""
    machine: bytes
    """Machine hash after them."""


class Store:
    """The keys of one watcher of one deployment; all its processes use it at the same time."""

    def __init__(self, redis: Redis, prefix: str, epoch_batches: int = 1) -> None:
        """`redis` must not decode responses."""
        self.redis = redis
        self.prefix = prefix
        self.epoch_batches = epoch_batches
        self._alarm = FastPathAlarm(redis, self.key("alarm"))

    def key(self, *parts: str) -> str:
        """The full name of a key."""
        return ":".join((self.prefix, *parts))

    # --- L1, as far as it was read ---

    def checkpoints(self) -> list[Place]:
        """Blocks up to which everything was read, newest first."""
        members = cast("list[bytes]", self.redis.zrevrange(self.key("blocks"), 0, -1))
        return [Place(*_PLACE.unpack(member)) for member in members]

    def anchor(self) -> Place | None:
        """The block before the deployment, as it was first seen."""
        value = self._get(self.key("anchor"))
        return Place(*_PLACE.unpack(value)) if value is not None and len(value) == _PLACE.size else None

    def drop_anchor(self) -> None:
        """It was another chain's."""
        self.redis.delete(self.key("anchor"))

    def set_anchor(self, place: Place) -> None:
        """Remember it."""
        self.redis.set(self.key("anchor"), _PLACE.pack(*place))

    def advance(
        self,
        base: Place | None,
        blocks: Iterable[Place],
        messages: Iterable[QueuedMessage],
        batches: Sequence[tuple[Place, Batch]],
    ) -> bool:
        """Take over what L1 says after the checkpoint `base` (None: from the start), all or nothing.

        `blocks` are new checkpoints: the last block read, and those with events, to which a reorg may go back. Returns
        False, and does nothing, if `base` is no longer the newest checkpoint.
        """
        with self.redis.pipeline(transaction=True) as pipe:
            pipe.watch(self.key("blocks"))  # type: ignore[no-untyped-call]
            if next(iter(self.checkpoints()), None) != base:
                return False
            pipe.multi()
            for message in messages:
                value = _MESSAGE.pack(message.block_number, message.body)
                pipe.hset(self.key("messages"), str(message.index), value)
            for place, batch in batches:
                pipe.hset(self.key("batches"), str(batch.header.number), _PLACE.pack(*place))
                self._put_batch(pipe, batch)
            pipe.zadd(self.key("blocks"), {_PLACE.pack(*block): block.block for block in blocks})
            pipe.zremrangebyrank(self.key("blocks"), 0, -CHECKPOINTS - 1)
            try:
                pipe.execute()
            except WatchError:
                return False
            return True

    def rollback(self, block: int) -> None:
        """Go back to the newest checkpoint that is not after `block`: forget what was read and executed since."""
        base = next((place.block for place in self.checkpoints() if place.block <= block), -1)
        messages = self._newer_than(base, "messages")
        batches = self._newer_than(base, "batches")
        with self.redis.pipeline(transaction=True) as pipe:
            for name, numbers in (("messages", messages), ("batches", batches)):
                if numbers:
                    pipe.hdel(self.key(name), *map(str, numbers))
            pipe.zremrangebyscore(self.key("blocks"), f"({base}", "+inf")
            pipe.execute()
        if batches:
            self._set_epochs_aside(batches[-1] // self.epoch_batches)

    def message(self, index: int) -> bytes | None:
        """Body of a message that waits, or was consumed not long ago."""
        value = self._field("messages", index)
        return value[8:] if value is not None and len(value) == _MESSAGE.size else None

    def next_message(self) -> int:
        """Index of the first message that is not read: all before were, those consumed and those that wait."""
        last = self.batch_place(self.batch_count() - 1)
        header = None if last is None else self.header(last.hash)
        index = 0 if header is None else header.first_message + header.message_count
        while self.message(index) is not None:
            index += 1
        return index

    def message_block(self, index: int) -> int | None:
        """In which block a message was queued, None if that is not known any more."""
        value = self._field("messages", index)
        return None if value is None else int.from_bytes(value[:8], "big")

    def drop_messages(self, indices: Iterable[int]) -> None:
        """Forget messages: consumed long ago."""
        fields = [str(index) for index in indices]
        if fields:
            self.redis.hdel(self.key("messages"), *fields)

    # --- batches ---

    def batch_count(self) -> int:
        """Number of batches read: they are numbered from 0."""
        return self.redis.hlen(self.key("batches"))

    def batch_place(self, number: int) -> Place | None:
        """Where batch `number` was posted, and its hash."""
        value = self._field("batches", number)
        return Place(*_PLACE.unpack(value)) if value is not None and len(value) == _PLACE.size else None

    def batch_hashes(self) -> list[bytes]:
        """Hashes of all batches that are read, in no order."""
        places = cast("list[bytes]", self.redis.hvals(self.key("batches")))
        return [Place(*_PLACE.unpack(value)).hash for value in places if len(value) == _PLACE.size]

    def batch(self, batch_hash: bytes) -> Batch | None:
        """The batch with this hash. Its inputs are not checked: `Archive` does."""
        value = self._get(self._batch_key(batch_hash))
        try:
            return None if value is None else decode_batch(value, self.blob)
        except DataError:
            return None

    def header(self, batch_hash: bytes) -> Header | None:
        """The header alone of the batch with this hash."""
        return self.headers([batch_hash])[0]

    def put_batch(self, batch: Batch) -> None:
        """Keep a batch."""
        with self.redis.pipeline(transaction=True) as pipe:
            self._put_batch(pipe, batch)
            pipe.execute()

    def drop_batches(self, batch_hashes: Iterable[bytes]) -> None:
        """Forget the inputs of batches; what a data module keeps stays (`drop_blobs`)."""
        keys = [self._batch_key(batch_hash) for batch_hash in batch_hashes]
        if keys:
            self.redis.delete(*keys)

    def headers(self, batch_hashes: Sequence[bytes]) -> list[Header | None]:
        """The headers of these batches, None of those that are not here."""
        with self.redis.pipeline(transaction=False) as pipe:
            for batch_hash in batch_hashes:
                pipe.getrange(self._batch_key(batch_hash), 0, HEADER_BYTES - 1)
            values = cast("list[bytes]", pipe.execute())
        decoded = [Header.decode(value) if len(value) == HEADER_BYTES else None for value in values]
        return [
            header if header is not None and header.hash() == batch_hash else None
            for header, batch_hash in zip(decoded, batch_hashes, strict=True)
        ]

    def blob(self, data_root: bytes) -> bytes | None:
        """A blob by its versioned hash, or what another module keeps by its data root; unchecked."""
        value = self._get(self._data_key(data_root))
        try:
            return None if value is None else zlib.decompress(value)
        except zlib.error:
            return None

    def put_blob(self, data_root: bytes, data: bytes) -> None:
        """Keep a blob, whether its batch was read or not."""
        with self.redis.pipeline(transaction=True) as pipe:
            pipe.set(self._data_key(data_root), zlib.compress(data, level=1))
            pipe.hdel(self.key("missing"), cast(str, data_root))
            pipe.execute()

    def drop_blobs(self, data_roots: Iterable[bytes]) -> None:
        """Forget blobs, or what other modules keep: of batches that nobody needs any more, all that name them."""
        keys = [self._data_key(root) for root in data_roots]
        if keys:
            self.redis.delete(*keys)

    def want_blob(self, data_root: bytes, batch: int, block: int) -> None:
        """Remember that batch number `batch`, posted in that block, waits for this blob."""
        self.redis.hset(self.key("missing"), data_root, _WANT.pack(batch, block))

    def is_wanted(self, data_root: bytes) -> bool:
        """Whether a posted batch waits for this blob."""
        return bool(self.redis.hexists(self.key("missing"), cast(str, data_root)))

    def has_wants(self) -> bool:
        """Whether any posted batch waits for its blob."""
        return bool(self.redis.exists(self.key("missing")))

    def wanted(self) -> dict[bytes, tuple[int, int]]:
        """Data root to number and block of the batch that waits for it."""
        found = cast("dict[bytes, bytes]", self.redis.hgetall(self.key("missing")))
        return {root: _WANT.unpack(value) for root, value in found.items() if len(value) == _WANT.size}

    def _put_batch(self, pipe: Pipeline, batch: Batch) -> None:
        header = batch.header
        pipe.set(self._batch_key(header.hash()), encode_batch(batch))
        if header.module != CALLDATA.number and header.record_count:
            pipe.set(self._data_key(header.data_root), zlib.compress(batch.module_data, level=1))
            pipe.hdel(self.key("missing"), cast(str, header.data_root))

    # --- epochs ---

    def epoch_count(self) -> int:
        """Number of epochs executed: they are executed from 0 without gaps."""
        return self.redis.hlen(self.key("epochs"))

    def results(self) -> list[EpochResult]:
        """What all executed epochs end at, from epoch 0 on."""
        found = cast("dict[bytes, bytes]", self.redis.hgetall(self.key("epochs")))
        values = (found.get(b"%d" % epoch, b"") for epoch in range(len(found)))
        return [EpochResult(*_RESULT.unpack(value)) for value in takewhile(lambda v: len(v) == _RESULT.size, values)]

    def epoch(self, epoch: int) -> EpochResult | None:
        """What `epoch` ends at, None if it is not executed."""
        value = self._field("epochs", epoch)
        return EpochResult(*_RESULT.unpack(value)) if value is not None and len(value) == _RESULT.size else None

    def end_before(self, epoch: int) -> bytes | None:
        """What the epoch before ends at, so the start of `epoch`; 32 zero bytes for the first, None if not executed."""
        if not epoch:
            return ZERO
        before = self.epoch(epoch - 1)
        return None if before is None else before.end

    def put_epoch(self, epoch: int, result: EpochResult) -> bool:
        """Keep a result, if it is one of the batches as they are now and starts where the epoch before ends.

        So a job that was overtaken by a reorg leaves no trace. Returns whether it was kept.
        """
        while True:
            with self.redis.pipeline(transaction=True) as pipe:
                try:
                    pipe.watch(self.key("batches"), self.key("epochs"))  # type: ignore[no-untyped-call]
                    before = self.epoch(epoch - 1) if epoch else None
                    if epoch and (before is None or before.end != result.start):
                        return False
                    if self.epoch_hash(epoch) != result.epoch_hash:
                        return False
                    pipe.multi()
                    pipe.hset(self.key("epochs"), str(epoch), _RESULT.pack(*result))
                    pipe.execute()
                except WatchError:
                    continue
                return True

    def recall_epochs(self) -> int:
        """Take up results that a reorg had put aside, if the same batches have come again; returns how many."""
        count = 0
        while self.redis.exists(self.key("aside")):
            epoch = self.epoch_count()
            commitment = self.epoch_hash(epoch)
            value = commitment and cast("bytes | None", self.redis.hget(self.key("aside"), cast(str, commitment)))
            if (
                not value
                or len(value) != _RESULT.size
                or not self.put_epoch(epoch, EpochResult(*_RESULT.unpack(value)))
            ):
                break
            self.redis.hdel(self.key("aside"), cast(str, commitment))
            count += 1
        return count

    def _set_epochs_aside(self, first: int) -> None:
        """What was executed is true of its batches for ever: kept by their hash, should they come again."""
        found = {number: self.epoch(number) for number in range(first, self.epoch_count())}
        aside = {result.epoch_hash: _RESULT.pack(*result) for result in found.values() if result is not None}
        if aside:
            self.redis.hset(self.key("aside"), mapping=cast(Any, aside))
        self.drop_epochs(first)

    def drop_epochs(self, first: int) -> None:
        """Forget the results from epoch `first` on."""
        fields = [field for field in self._fields("epochs") if int(field) >= first]
        if fields:
            self.redis.hdel(self.key("epochs"), *fields)

    def mend(self) -> None:
        """Forget what comes after a gap, in the lists that have none unless they were damaged."""
        if self._find_gap("batches", _PLACE.size) is not None:
            self.rollback(-1)
        gap = self._find_gap("epochs", _RESULT.size)
        if gap is not None:
            self.drop_epochs(gap)

    def epoch_hash(self, epoch: int) -> bytes | None:
        """Commitment of the epoch, None if not all its batches are posted."""
        place = self.batch_place((epoch + 1) * self.epoch_batches - 1)
        return None if place is None else epoch_hash(epoch, self.epoch_batches, place.hash)

    # --- machines ---

    def snapshot(self, machine_hash: bytes) -> Machine | None:
        """The machine with this hash. One that is damaged is forgotten."""
        value = self._get(self._snapshot_key(machine_hash))
        if value is None:
            return None
        try:
            machine = Machine.restore(zlib.decompress(value))
        except (zlib.error, WitnessError, ValueError):
            machine = None
        if machine is None or machine.hash() != machine_hash:
            self.drop_snapshot(machine_hash)
            return None
        return machine

    def put_snapshot(self, machine: Machine) -> None:
        """Keep a machine."""
        self.redis.set(self._snapshot_key(machine.hash()), zlib.compress(machine.snapshot(), level=1))

    def has_snapshots(self, machine_hashes: Sequence[bytes]) -> list[bool]:
        """Of each machine whether it is here."""
        with self.redis.pipeline(transaction=False) as pipe:
            for machine_hash in machine_hashes:
                pipe.exists(self._snapshot_key(machine_hash))
            return [bool(found) for found in pipe.execute()]

    def measure_snapshot(self, machine_hash: bytes) -> int:
        """Bytes of a machine as it is kept, packed by zlib; 0 if it is not here."""
        return self.lengths("snapshot", [machine_hash])[0]

    def read_snapshot(self, machine_hash: bytes, at: int, length: int) -> bytes:
        """A part of a machine as it is kept, unchecked; shorter where it ends, or is gone."""
        return cast(bytes, self.redis.getrange(self._snapshot_key(machine_hash), at, at + length - 1))

    def drop_snapshot(self, *machine_hashes: bytes) -> None:
        """Forget machines."""
        if machine_hashes:
            self.redis.delete(*map(self._snapshot_key, machine_hashes))

    # --- how far an execution has come ---

    def progress(self) -> Progress | None:
        """Of the epoch that is being executed, None if nothing is kept of it."""
        value = self._get(self.key("progress"))
        return Progress(*_PROGRESS.unpack(value)) if value is not None and len(value) == _PROGRESS.size else None

    def put_progress(self, progress: Progress, machine: Machine) -> None:
        """Keep how far an epoch has come, with the machine there, in place of what was kept before."""
        before = self.progress()
        self.put_snapshot(machine)
        self.redis.set(self.key("progress"), _PROGRESS.pack(*progress))
        if before is not None and before.machine != progress.machine:
            self.drop_snapshot(before.machine)

    def drop_progress(self, end: bytes) -> None:
        """Forget it: the epoch is done, and ends at the machine hash `end`."""
        before = self.progress()
        if before is not None:
            self.redis.delete(self.key("progress"))
            if before.machine != end:
                self.drop_snapshot(before.machine)

    # --- whether fast paths are right ---

    def alarm(self) -> str:
        """What a fast path got wrong; empty if nothing is known of that."""
        return self._alarm.read()

    def raise_alarm(self, text: str) -> None:
        """A fast path was wrong: take none any more, and execute all again that L1 has not confirmed."""
        self._alarm.ring(text)
        self.redis.delete(self.key("progress"), self.key("ahead"))
        self.drop_epochs(self.confirmed())

    def confirmed(self) -> int:
        """The epoch up to whose start L1 has confirmed what was executed here, as far as somebody looked."""
        return int(self._get(self.key("confirmed")) or 0)

    def put_confirmed(self, epoch: int) -> None:
        """See `confirmed`."""
        self.redis.set(self.key("confirmed"), epoch)

    # --- what is there, and how much ---

    def hashes(self, kind: str) -> list[str]:
        """Hexadecimal hashes of all that is kept of a kind: "batch", "data" or "snapshot"; in no order."""
        start = len(self.key(kind, ""))
        return [key[start:].decode() for key in self.redis.scan_iter(self.key(kind, "*"), count=1000)]

    def lengths(self, kind: str, hashes: Sequence[bytes]) -> list[int]:
        """Bytes of each of these, 0 of what is not here."""
        with self.redis.pipeline(transaction=False) as pipe:
            for each in hashes:
                pipe.strlen(self.key(kind, each.hex()))
            return cast("list[int]", pipe.execute())

    def aside(self) -> list[str]:
        """Hexadecimal hashes of the epochs that were executed and that a reorg took back."""
        return [field.hex() for field in self._fields("aside")]

    def drop_aside(self, epoch_hashes: Iterable[bytes]) -> None:
        """Forget that they were executed."""
        fields = list(epoch_hashes)
        if fields:
            self.redis.hdel(self.key("aside"), *cast(Any, fields))

    def sizes(self) -> dict[str, int]:
        """Bytes of `batches`, of their modules' `data` (blobs), of `snapshots` and `witnesses`, as they are kept; and
        of all `lists`, as Redis reckons them from samples."""
        found = {}
        kinds = ("batches", "batch"), ("data", "data"), ("snapshots", "snapshot"), ("witnesses", "witness")
        for name, kind in kinds:
            keys = list(self.redis.scan_iter(self.key(kind, "*"), count=1000))
            with self.redis.pipeline(transaction=False) as pipe:
                for key in keys:
                    pipe.strlen(key)
                found[name] = sum(cast("list[int]", pipe.execute()))
        with self.redis.pipeline(transaction=False) as pipe:
            for name in LISTS:
                pipe.memory_usage(self.key(name))
            found["lists"] = sum(size or 0 for size in cast("list[int | None]", pipe.execute()))
        return found

    def memory(self) -> int:
        """Bytes of memory that the server uses, for this watcher and whoever else is on it."""
        return int(cast("dict[str, int]", self.redis.info("memory"))["used_memory"])

    # --- inside ---

    def _batch_key(self, batch_hash: bytes) -> str:
        return self.key("batch", batch_hash.hex())

    def _data_key(self, data_root: bytes) -> str:
        return self.key("data", data_root.hex())

    def _snapshot_key(self, machine_hash: bytes) -> str:
        return self.key("snapshot", machine_hash.hex())

    def _get(self, key: str) -> bytes | None:
        return cast("bytes | None", self.redis.get(key))

    def _field(self, name: str, number: int) -> bytes | None:
        return cast("bytes | None", self.redis.hget(self.key(name), str(number)))

    def _fields(self, name: str) -> list[bytes]:
        return cast("list[bytes]", self.redis.hkeys(self.key(name)))

    def _find_gap(self, name: str, size: int) -> int | None:
        """The first number without a whole entry before the last one that has one."""
        entries = cast("dict[bytes, bytes]", self.redis.hgetall(self.key(name)))
        for number in range(len(entries)):
            if len(entries.get(b"%d" % number, b"")) != size:
                return number
        return None

    def _newer_than(self, block: int, name: str) -> list[int]:
        """Numbers of the entries that were read after `block`, descending; they are in the order of blocks."""
        found: list[int] = []
        for number in sorted(map(int, self._fields(name)), reverse=True):
            value = self._field(name, number)
            if value is not None and int.from_bytes(value[:8], "big") <= block:
                break
            found.append(number)
        return found


def encode_batch(batch: Batch) -> bytes:
    """A header's words, the messages, and in module 0 the records; another module's data is kept by its root."""
    inputs = batch.messages + (batch.records if batch.header.module == CALLDATA.number else ())
    return batch.header.encode() + b"".join(inputs)


def decode_batch(data: bytes, kept: Callable[[bytes], bytes | None]) -> Batch:
    """The inverse of `encode_batch`, unchecked but for its length; `kept` gives a module's data by its root.

    Raises DataError("data_mismatch").
    """
    if len(data) < HEADER_BYTES:
        raise DataError("data_mismatch", "a batch is cut short")
    header, inputs = Header.decode(data[:HEADER_BYTES]), data[HEADER_BYTES:]
    end = header.message_count * MESSAGE_BYTES
    messages = [inputs[at : at + MESSAGE_BYTES] for at in range(0, end, MESSAGE_BYTES)]
    if header.module == CALLDATA.number:
        return Batch.read(header, messages, inputs[end:])
    found = kept(header.data_root) if header.record_count else b""
    if found is None or len(inputs) != end:
        raise DataError("data_mismatch", "the data of a batch is not there")
    return Batch.read(header, messages, found, get_module(header.module).codec)
