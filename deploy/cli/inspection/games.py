"""The disputes at the court, and who is right, by executing their epochs from L1: no watcher's word is needed."""

from __future__ import annotations

from collections.abc import Callable

from setoff.deploy.cli.inspection.executed import Executed
from setoff.deploy.cli.inspection.told import Told
from setoff.deploy.cli.inspection.verdict import read_court
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.inbox import Inbox
from setoff.watcher.liveness.presence import PresenceReader
from setoff.watcher.monitor.dispute_view import view_disputes
from setoff.watcher.monitor.text import to_text


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
