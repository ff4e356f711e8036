"""The disputes at the court, and who is right, by executing their epochs from L1: no watcher's word is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from setoff.deploy.cli.inspection.told import Told
from setoff.deploy.cli.inspection.verdict import read_court
from setoff.shared.dispute.trace_provider import ExecutedEpoch
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.inbox import Inbox
from setoff.shared.machine.batch import epoch_hash
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.sdk.replay import Replay
from setoff.watcher.liveness.presence import PresenceReader
from setoff.watcher.monitor.dispute_view import view_disputes
from setoff.watcher.monitor.text import to_text


class Executed:
    """The epochs of some claims, executed from their true starts."""

    def __init__(self, reader: ChainReader, epochs: Iterable[int], report: Callable[[int], None]) -> None:
        self._runs: dict[int, ExecutedEpoch] = {}
        replay, count = Replay(reader, report), reader.deployment.epoch_batches
        for epoch in sorted(epochs):
            if (epoch + 1) * count > reader.batch_count():
                break
            replay.advance(until=epoch * count)
            batches = [reader.batch(number) for number in range(epoch * count, (epoch + 1) * count)]
            run = EpochRun(replay.machine, batches, reader.queue_hash_at(batches[0].header.first_message))
            last = batches[-1].header
            self._runs[epoch] = ExecutedEpoch(epoch_hash(epoch, count, last.hash()), last.timestamp, run)

    def executed(self, epoch: int) -> ExecutedEpoch | None:
        """See `Epochs`."""
        return self._runs.get(epoch)


def explain_games(reader: ChainReader, epoch: int | None, report: Callable[[int], None]) -> Told:
    """The claims that are not settled yet, of all epochs or one, and their disputes."""
    court = read_court(reader)
    wanted = {claim.epoch for claim in court.unfinished() if epoch in (None, claim.epoch)}
    now = reader.l1.now()
    overview = view_disputes(
        court,
        Executed(reader, wanted, report),
        reader.l1.head().number,
        now,
        operator=PresenceReader(reader).look(now),
    )
    overview.disputes = [each for each in overview.disputes if epoch in (None, each.epoch)]
    overview.operator_address = "0x" + Inbox(reader.l1, reader.deployment).operator().hex()
    lines = to_text(overview).splitlines()
    if not overview.disputes:
        whose = "any epoch" if epoch is None else f"epoch {epoch}"
        lines.append(f"no claim about {whose} waits for anything: it is settled, or nobody has claimed")
    return Told(overview.to_dict(), lines, bool(overview.alerts))
