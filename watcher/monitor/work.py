"""What a watcher has to do, and how far it is: its queues, its processes, what its account has done and paid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from setoff.watcher.execution.jobs import Jobs
from setoff.watcher.pulse import ProcessStatus
from setoff.watcher.store import Store

PROCESSES: Final = ("supervisor", "follower", "worker", "archivist", "server", "challenger", "liveness_keeper")
"""All that it may have, by the beginnings of their names."""

MEGABYTES: Final = "_MB"
"""The end of the names of an archivist's sizes."""


@dataclass(frozen=True, slots=True)
class Work:
    """At one time."""

    processes: dict[str, int] = field(default_factory=dict)
    """By kind: how many live."""
    waiting_jobs: int = 0
    failed_jobs: int = 0
    """Those that RQ still lists: for an hour."""
    posted_epochs: int = 0
    """Whose batches are all read from L1."""
    executed_epochs: int = 0
    blocks_behind: int = 0
    """Of the head of L1."""
    kept_bytes: dict[str, int] = field(default_factory=dict)
    """By kind: what the archivist keeps."""
    challenger: dict[str, Any] = field(default_factory=dict)
    """What it says of itself; empty without one."""
    epochs_ahead: int = 0
    """Executed from a claimed start; they count once the epochs before them are."""
    poisoned_epochs: int = 0
    """Left alone for a while, since they end workers."""


def look_at_work(store: Store, statuses: Sequence[ProcessStatus]) -> Work:
    """As it is now, of these processes. Raises RedisError."""
    alive = [status for status in statuses if status.is_alive]
    facts = {status.process: status.facts for status in alive}
    all_jobs = Jobs(store)
    jobs = all_jobs.count()
    follower = facts.get("follower", {})
    return Work(
        {kind: sum(status.process.startswith(kind) for status in alive) for kind in PROCESSES},
        jobs.waiting,
        jobs.failed,
        store.batch_count() // store.epoch_batches,
        store.epoch_count(),
        max(int(follower.get("head", 0)) - int(follower.get("block", 0)), 0),
        _read_sizes(facts.get("archivist", {})),
        facts.get("challenger", {}),
        all_jobs.ahead.count(),
        len(all_jobs.attempts.poisoned()),
    )


def _read_sizes(archivist: dict[str, Any]) -> dict[str, int]:
    """Bytes by kind of what is kept, of what an archivist says."""
    return {
        name.removesuffix(MEGABYTES): round(value * 10**6)
        for name, value in archivist.items()
        if name.endswith(MEGABYTES)
    }
