"""Makes the witness bundles of an epoch, in a worker that has nothing else to do, and only as long as it has not.

They take a run of the epoch by plain steps. So it looks for real work all the time, some ten times a second, and leaves
off where there is any: an epoch or a segment that waits, another worker at one, a dispute. (It cannot where the machine
before the epoch is loaded: that is why it may not be large.) What was made until then stays, and the next run goes on
there. After each run it rests as long as that took: nobody can have more than half of an idle core. And since all steps
are taken plainly, an end that is another one than a fast path came to is an alarm.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from redis.exceptions import RedisError

from setoff.shared.errors import SetoffError
from setoff.shared.machine.batch import epoch_hash
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.tracing import run_plainly, used_inputs
from setoff.shared.machine.witnesses import cut_bundle
from setoff.shared.monotonic import LONG_AGO
from setoff.shared.wire.snapshots import unpack
from setoff.watcher.execution.archive import Archive, EpochInputs
from setoff.watcher.execution.jobs import Jobs
from setoff.watcher.execution.witness_shelf import EpochName, WitnessShelf

LOOK_SECONDS: Final = 0.1
"""Seconds between two looks for real work."""

LEAVES_KEPT: Final = 1 << 14
"""Decoded leaves that stay from one batch to the next."""

log = logging.getLogger(__name__)


class CalledBack(Exception):
    """There is real work."""


class WitnessMaker:
    """Of one worker."""

    def __init__(
        self, archive: Archive, jobs: Jobs, limit: int, is_stopping: Callable[[], bool] = lambda: False
    ) -> None:
        """`limit`: bytes that are kept of all bundles, and that a machine may have, unpacked, of which some are made.
        `is_stopping`: whether the worker is to end."""
        self._is_stopping = is_stopping
        self._archive = archive
        self._store = archive.store
        self._jobs = jobs
        self._limit = limit
        self._shelf = WitnessShelf(archive.store)
        self._looked_at = LONG_AGO
        self.made = 0
        """Epochs whose bundles were made."""

    def make(self, epoch: int, start: bytes) -> bool:
        """Make those of an executed epoch which begins with the machine hash `start`; returns whether they are there.

        Whatever stands in the way is no error: whoever asked asks again.
        """
        began = time.monotonic()
        try:
            self._look()
            return self._make(epoch, start)
        except CalledBack:
            log.info("the witnesses of epoch %d wait: there is real work", epoch)
        except (SetoffError, RedisError) as error:
            log.info("the witnesses of epoch %d wait: %s", epoch, error)
        finally:
            self._shelf.note_making(ends=True)
            self._shelf.rest(time.monotonic() - began)
        return False

    def _make(self, epoch: int, start: bytes) -> bool:
        known = self._store.epoch(epoch)
        if not self._limit or known is None or known.start != start:
            return False
        name = EpochName(known.epoch_hash, known.start)
        if self._shelf.is_refused(name):
            return False
        inputs = self._read_inputs(epoch)
        if inputs is None or inputs.epoch_hash != known.epoch_hash:
            return False
        machine = self._load(epoch, start)
        if machine is None:
            self._shelf.refuse(name)
            return False
        done = self._shelf.boundaries(name)
        if not done:
            self._shelf.begin(name, start)
        elif not self._go_to_where_it_stopped(machine, inputs, done):
            self._shelf.drop(name)  # damaged, or over in part: made anew when somebody asks again
            return False
        first = max(len(done) - 1, 0)
        if not self._make_from(name, first, machine, inputs):
            return False
        end = self._shelf.boundaries(name)[-1]
        if end != known.end:
            self._shelf.drop(name)
            self._store.raise_alarm(f"epoch {epoch}: plain steps end at 0x{end.hex()}, not at 0x{known.end.hex()}")
            return False
        self.made += 1
        return True

    def _read_inputs(self, epoch: int) -> EpochInputs | None:
        """The inputs of an epoch as they are kept, held against their hashes; None where they are not, or are damaged.
        L1 is not asked for them: who asks a thousand times would use up what a node answers this watcher in a day."""
        size = self._store.epoch_batches
        places = [self._store.batch_place(number) for number in range(epoch * size, (epoch + 1) * size)]
        batches = [self._store.batch(place.hash) for place in places if place is not None]
        found = [batch for batch in batches if batch is not None]
        if len(found) < size or [batch.header.hash() for batch in found] != [place.hash for place in places if place]:
            return None
        first = found[0].header
        before = self._store.header(first.parent)
        queue_hash = self._archive.reader.queue_hash_at(first.first_message) if before is None else before.queue_hash
        inputs = EpochInputs(epoch_hash(epoch, size, found[-1].header.hash()), tuple(found), queue_hash)
        for batch in found:
            batch.check(queue_hash)
            queue_hash = batch.header.queue_hash
        return inputs

    def _load(self, epoch: int, start: bytes) -> Machine | None:
        """The machine before an epoch; None if it is not at hand, or so large that it would take the memory of those
        who execute."""
        if not epoch:
            genesis = Machine.genesis(*self._archive.reader.deployment.genesis)
            return genesis if genesis.hash() == start else None
        return unpack(self._store.read_snapshot(start, 0, self._limit), start, self._limit)

    def _go_to_where_it_stopped(self, machine: Machine, inputs: EpochInputs, done: list[bytes]) -> bool:
        """Run the batches whose bundles are there; returns whether that led to where they say."""
        if done[0] != machine.hash() or len(done) > len(inputs.batches) + 1:
            return False
        is_plain = bool(self._store.alarm())
        for batch in inputs.batches[: len(done) - 1]:
            for input_index in range(used_inputs(batch)):
                self._look()
                (run_plainly if is_plain else Machine.run_input)(machine, batch, input_index)
        return machine.hash() == done[-1]

    def _make_from(self, name: EpochName, first: int, machine: Machine, inputs: EpochInputs) -> bool:
        """Make those from batch `first` of the epoch on; returns whether there was room for them."""
        others, own = self._shelf.measure_others(name), sum(self._shelf.measure(name, each) for each in range(first))
        for number in range(first, len(inputs.batches)):
            bundle = cut_bundle(machine, inputs.batches[number], self._look).encode(self._look)
            own += len(bundle)
            if own > self._limit:
                self._shelf.refuse(name)
                return False
            if own + others > self._limit:
                self._shelf.drop(name)
                self._shelf.note_full()
                return False
            self._shelf.put(name, number, bundle, machine.hash())
            machine.state.trim(LEAVES_KEPT)
        return True

    def _look(self) -> None:
        """Raises CalledBack if there is real work."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        if self._is_stopping() or self._jobs.has_work():
            raise CalledBack
        self._shelf.note_making()
