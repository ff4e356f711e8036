"""A watcher's parts over a real chain and a real Redis server, without its processes."""

from setoff.watcher.chain.follower import Follower
from setoff.watcher.context import Context
from setoff.watcher.execution.archive import Archive
from setoff.watcher.execution.executor import Executor
from setoff.watcher.execution.jobs import Jobs
from setoff.watcher.settings import WatcherSettings


class Desk:
    """One watcher's hands: `catch_up` follows L1 to its head, `execute` runs the job of an epoch in this process."""

    def __init__(self, settings: WatcherSettings) -> None:
        self.settings = settings
        self.context = Context.open(settings)
        self.store = self.context.store
        self.archive = Archive.of(self.context)
        self.follower = Follower(self.context.reader, self.store)
        self.jobs = Jobs(self.store)
        self.executor = Executor(self.archive, self.jobs, settings.snapshot_epochs)

    def catch_up(self) -> int:
        """Follow to the head; returns the number of batches."""
        while not (progress := self.follower.step()).is_current:
            pass
        return progress.batches

    def execute_all(self) -> int:
        """Catch up and execute all there is; returns the number of epochs."""
        self.catch_up()
        while (epoch := self.store.epoch_count()) < self.store.batch_count() // self.store.epoch_batches:
            assert self.execute(epoch) is not None
        return epoch

    def execute(self, epoch: int) -> bytes | None:
        """The machine hash at the end of `epoch`."""
        return self.executor.execute(epoch)
