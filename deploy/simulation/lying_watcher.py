"""A watcher that disputes true claims, or makes false ones. All but what it believes is an ordinary watcher."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Final, NamedTuple

from setoff.deploy.simulation.faults import FAULTS, check_lie, plan_fault, refuse_mainnet
from setoff.shared.machine.epoch import EpochRun
from setoff.watcher.challenger_process import run_challenger
from setoff.watcher.context import Context
from setoff.watcher.dispute.background import Background, Run
from setoff.watcher.dispute.trace_provider import ExecutedEpochs, LazyTrace
from setoff.watcher.execution.archive import Archive, EpochInputs
from setoff.watcher.execution.histories import Histories
from setoff.watcher.service import run_watcher, stop_on_signals
from setoff.watcher.settings import WatcherSettings
from setoff.watcher.store import EpochResult

EVERY: Final = -1


class WatcherLie(NamedTuple):
    """A lie of `FAULTS`, and the one epoch that it is told about; EVERY: wherever it fits."""

    name: str
    epoch: int = EVERY


class FalseTrace(LazyTrace):
    """An epoch told with a lie in it: its end is the lie's, too, and is known only once it is told."""

    @cached_property
    def _false_end(self) -> bytes:
        return self._run().ask("end", lambda run: run.end)

    @property
    def end(self) -> bytes:
        """Machine hash after the false run."""
        return self._false_end


class FalseEpochs(ExecutedEpochs):
    """What the workers have executed, told with a lie in it."""

    def __init__(self, archive: Archive, histories: Histories, lie: WatcherLie, *, claims: bool = False) -> None:
        super().__init__(archive, histories, claims=claims)
        self._lie = lie

    def present(self, result: EpochResult, run: Callable[[], Background]) -> LazyTrace:
        """See `ExecutedEpochs`."""
        return FalseTrace(result, run)

    def execute(self, epoch: int, result: EpochResult, inputs: EpochInputs) -> Run:
        """See `ExecutedEpochs`."""
        if self._lie.epoch not in (EVERY, epoch):
            return super().execute(epoch, result, inputs)
        machine = self._archive.machine_before(epoch)
        stepper = plan_fault(self._lie.name, machine, inputs.batches)
        if stepper is None:
            return super().execute(epoch, result, inputs)
        return EpochRun(machine, inputs.batches, inputs.queue_hash, stepper)


def open_false_epochs(lie: WatcherLie, settings: WatcherSettings, context: Context) -> FalseEpochs:
    """What the challenger of a lying watcher goes by."""
    return FalseEpochs(
        Archive.of(context), Histories.of(settings, context.deployment), lie, claims=settings.claims_after is not None
    )


def challenge_falsely(lie: WatcherLie, settings: WatcherSettings) -> None:
    """The main function of its challenger's process."""
    run_challenger(settings, stop_on_signals(), partial(open_false_epochs, lie))


def run_lying_watcher(settings: WatcherSettings, lie: WatcherLie) -> None:
    """Run the watcher until SIGTERM or SIGINT. Raises ConfigError if there is no such lie, and on mainnet."""
    check_lie(lie.name, FAULTS)
    refuse_mainnet(settings)
    run_watcher(settings, partial(challenge_falsely, lie))
