"""The files of one epoch's history: every node a reply may ask for, and what it takes to run any of its steps again.

    nodes0, nodes5, nodes10, nodes15   of every input, one after the other: the leaves, and the nodes so many levels
                                       above them, 32 bytes each; what only repeats the last leaf is left out
    inputs      of every used input: where its nodes begin in the four files, its steps, last leaf and root
    fragments   of every chunk of steps what these use (`shared/machine/fragment.py`)
    chunks      of every chunk: where its fragment lies, and the place of its first step
    machine     how far all these are sound, and the whole machine there
    done        there once all is written

A process that is killed leaves files that are longer than `machine` says: they are cut, and it is gone on from there.
Only one process at a time writes (`lock`); whoever finds `done` only reads.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import Struct
from typing import IO, Final, NamedTuple

from setoff.shared.errors import DataError, StateError
from setoff.shared.machine.fragment import Fragment
from setoff.shared.machine.history import EPOCH, NODE, fold, uniform
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.tracing import Chunk, Place

STRIDE: Final = EPOCH.opening_bits
HEIGHTS: Final = tuple(range(0, EPOCH.micro_bits, STRIDE))
"""Above the leaves: where nodes are kept."""

LEAST_FREE: Final = 1 << 28
"""Bytes of the disk that no history takes: a Redis server on the same disk ends where it has none left."""

_NAMES: Final = (*(f"nodes{height}" for height in HEIGHTS), "inputs", "fragments", "chunks")
_BLOCK: Final = NODE << STRIDE
_INPUT: Final = Struct(">QQQQQ32s32s")
_CHUNK: Final = Struct(">QIIII")
_MACHINE: Final = Struct(">" + "Q" * len(_NAMES) + "QIII")


class StoredInput(NamedTuple):
    """Where an input's nodes are, and what is above them."""

    first: tuple[int, ...]
    """Number of its first node in each of the node files; the first leaf's is its step's number in the epoch."""
    steps: int
    end: bytes
    root: bytes


class EpochFiles:
    """One epoch's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def is_done(self) -> bool:
        """Whether all of the history is there."""
        return (self.folder / "done").exists()

    def open(self) -> OpenFiles:
        """To read, once it is done. Raises DataError if a file is gone."""
        return OpenFiles(self.folder)

    @contextmanager
    def writing(self) -> Iterator[EpochWriter]:
        """To write what is still to be written. Raises StateError("not_ready") while another process does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StateError("not_ready", "another process builds this history") from None
            writer = EpochWriter(self.folder)
            try:
                yield writer
            finally:
                writer.close()


class EpochWriter:
    """Writes the files, from where a killed process left them. `start` says where that is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.chunk = 0
        """Number of the chunk to come."""
        self.place = Place(0, 0, 0)
        self.machine: Machine | None = None
        """The whole machine there; None: the one before the epoch."""
        sizes = self._read_machine()
        self._files = [(folder / name).open("r+b" if (folder / name).exists() else "w+b") for name in _NAMES]
        for file, size in zip(self._files, sizes, strict=True):
            file.truncate(size)
            file.seek(size)
        self._nodes, (self._inputs, self._fragments, self._chunks) = self._files[:-3], self._files[-3:]
        self._first = self._find_first()
        self._pending = [self._read_pending(level) for level in range(len(HEIGHTS))]

    def add(self, chunk: Chunk) -> None:
        """Write the next chunk. Raises OSError where the disk has no room for it."""
        if shutil.disk_usage(self._folder).free < LEAST_FREE:
            raise OSError(errno.ENOSPC, "the disk of evidence_dir is nearly full")
        self._chunks.write(_CHUNK.pack(self._fragments.tell(), len(chunk.fragment), *chunk.place))
        self._fragments.write(chunk.fragment)
        begin = 0
        for end in chunk.ends:
            self._add_leaves(chunk.leaves[begin * NODE : end * NODE])
            self._end_input(chunk.leaves[(end - 1) * NODE : end * NODE])
            begin = end
        self._add_leaves(chunk.leaves[begin * NODE :])
        self.chunk += 1

    def keep(self, place: Place, snapshot: bytes) -> None:
        """From here on a killed process is gone on from here; `snapshot` is the whole machine before the chunk to
        come, compressed, and `place` that chunk's."""
        for file in self._files:
            _sync(file)
        sizes = [file.tell() for file in self._files]
        self._replace("machine", _MACHINE.pack(*sizes, self.chunk, *place) + snapshot)

    def finish(self) -> None:
        """Everything is written."""
        for file in self._files:
            _sync(file)
        self._replace("done", b"")
        (self._folder / "machine").unlink(missing_ok=True)

    def close(self) -> None:
        """Write no more."""
        for file in self._files:
            file.close()

    def _read_machine(self) -> list[int]:
        """Sizes up to which the files are sound."""
        try:
            data = (self._folder / "machine").read_bytes()
            *sizes, chunk, batch, input_index, micro = _MACHINE.unpack_from(data)
            machine = Machine.restore(zlib.decompress(data[_MACHINE.size :]))
            if any((self._folder / name).stat().st_size < size for name, size in zip(_NAMES, sizes, strict=True)):
                raise ValueError("a file is cut short")
        except Exception:
            return [0] * len(_NAMES)
        self.chunk, self.place, self.machine = chunk, Place(batch, input_index, micro), machine
        return sizes

    def _find_first(self) -> list[int]:
        """Where the nodes of the input that is being written begin."""
        size = self._inputs.tell()
        if not size:
            return [0] * len(HEIGHTS)
        *first, steps, _, _ = _INPUT.unpack(os.pread(self._inputs.fileno(), _INPUT.size, size - _INPUT.size))
        return [begin + _count(steps, level) for level, begin in enumerate(first)]

    def _read_pending(self, level: int) -> bytearray:
        """Its last nodes of a level, from which the one above them is not made yet."""
        file = self._nodes[level]
        here = file.tell() // NODE - self._first[level]
        above = self._nodes[level + 1].tell() // NODE - self._first[level + 1] if level + 1 < len(HEIGHTS) else 0
        count = here - (above << STRIDE)
        return bytearray(os.pread(file.fileno(), count * NODE, file.tell() - count * NODE))

    def _add_leaves(self, leaves: bytes) -> None:
        self._add_nodes(0, leaves)

    def _add_nodes(self, level: int, nodes: bytes) -> None:
        self._nodes[level].write(nodes)
        pending = self._pending[level]
        pending += nodes
        full = len(pending) // _BLOCK * _BLOCK
        if full and level + 1 < len(HEIGHTS):
            self._add_nodes(
                level + 1, b"".join(fold(bytes(pending[at : at + _BLOCK])) for at in range(0, full, _BLOCK))
            )
            del pending[:full]

    def _end_input(self, end: bytes) -> None:
        padding = uniform(end, EPOCH.micro_bits)
        root = b""
        for level, pending in enumerate(self._pending):
            if not pending:
                continue
            root = fold(bytes(pending) + padding[HEIGHTS[level]] * ((_BLOCK - len(pending)) // NODE))
            if level + 1 < len(HEIGHTS):
                self._add_nodes(level + 1, root)
            pending.clear()
        steps = self._nodes[0].tell() // NODE - self._first[0]
        self._inputs.write(_INPUT.pack(*self._first, steps, end, root))
        self._first = [file.tell() // NODE for file in self._nodes]

    def _replace(self, name: str, data: bytes) -> None:
        path = self._folder / f"{name}.new"
        with path.open("wb") as file:
            file.write(data)
            _sync(file)
        path.rename(self._folder / name)


class OpenFiles:
    """The files of a history that is done, to read from."""

    def __init__(self, folder: Path) -> None:
        """Raises DataError if a file is gone."""
        try:
            self._files = [(folder / name).open("rb") for name in _NAMES]
        except OSError as error:
            raise DataError("data_mismatch", f"a file of a history is gone: {error}") from None
        *self._nodes, inputs, self._fragments, self._chunks = self._files
        data = inputs.read()
        self.inputs = [
            StoredInput(tuple(found[: len(HEIGHTS)]), *found[len(HEIGHTS) :])
            for found in _INPUT.iter_unpack(data[: len(data) // _INPUT.size * _INPUT.size])
        ]
        """Used inputs, in their order."""

    @property
    def steps(self) -> int:
        """Real steps of the epoch."""
        return self.inputs[-1].first[0] + self.inputs[-1].steps

    def leaf(self, step: int) -> bytes:
        """The machine hash after step number `step` of the epoch."""
        return os.pread(self._nodes[0].fileno(), NODE, step * NODE)

    def node(self, stored: StoredInput, height: int, index: int) -> bytes:
        """A node of an input's tree; see `InputTree`."""
        if height >= EPOCH.micro_bits:
            return stored.root
        level, above = divmod(height, STRIDE)
        wanted, first = 1 << above, index << above
        there = max(0, min(wanted, _count(stored.steps, level) - first))
        nodes = os.pread(self._nodes[level].fileno(), there * NODE, (stored.first[level] + first) * NODE)
        return fold(nodes + uniform(stored.end, EPOCH.micro_bits)[HEIGHTS[level]] * (wanted - len(nodes) // NODE))

    def chunk(self, number: int) -> tuple[Place, Fragment]:
        """Where a chunk's first step is, and what its steps use. Raises WitnessError if it is damaged."""
        data = os.pread(self._chunks.fileno(), _CHUNK.size, number * _CHUNK.size)
        if len(data) != _CHUNK.size:
            raise DataError("data_mismatch", f"a history has no chunk {number}")
        offset, length, *place = _CHUNK.unpack(data)
        return Place(*place), Fragment.decode(os.pread(self._fragments.fileno(), length, offset))

    def close(self) -> None:
        """Read no more."""
        for file in self._files:
            file.close()


def _count(steps: int, level: int) -> int:
    """Nodes of an input that are kept at a level."""
    return -(-steps // (1 << HEIGHTS[level]))


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())
