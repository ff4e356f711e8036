"""The HTTP and WebSocket interface. Nothing here decides anything: it decodes, asks the sequencer, and shows.

What can be asked, with what, what is answered, and what it costs stands in `shared/wire/api/operations.py`; the
service shows the same at `/docs`, and as documents for tools at `/v1/openapi.json` and `/v1/asyncapi.json`. Beside
that table are machines for watchers, `/v1/snapshots` (`shared/wire/snapshots.py`).

Every refusal is {"reason": …, "detail": …} with a reason of the shared list. 4xx: nothing was changed. 503: try again
("overloaded"), or ("pending") a record that was on its way may have been taken or not.
"""

from __future__ import annotations

from aiohttp import web

from setoff.operator.api.admission import Admission
from setoff.operator.api.clients import get_client
from setoff.operator.api.closed import ClosedHandlers
from setoff.operator.api.documents.serving import DocumentHandlers
from setoff.operator.api.entry import EntryHandlers
from setoff.operator.api.feed import Feed
from setoff.operator.api.history import HistoryHandlers
from setoff.operator.api.reader import Reader
from setoff.operator.api.reads import ReadHandlers
from setoff.operator.api.refusals.explainer import Explainer
from setoff.operator.api.repeats import Repeats
from setoff.operator.api.risk.handlers import RiskHandlers
from setoff.operator.api.routes import make_routes
from setoff.operator.api.status import StatusHandlers
from setoff.operator.api.stream import StreamHandlers
from setoff.operator.api.streams.news import News
from setoff.operator.api.streams.rounds import Rounds
from setoff.operator.api.streams.session import SessionHandlers
from setoff.operator.api.streams.topics import Topics
from setoff.operator.api.submit import SubmitHandlers
from setoff.operator.api.views.scales import Scales
from setoff.operator.bridge.desk import Desk
from setoff.operator.history.queries import History
from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.wire.parcels import Sending
from setoff.shared.wire.refusals import answer_errors
from setoff.shared.wire.snapshots import SnapshotDesk


def make_app(
    desk: Desk,
    outbox: Outbox,
    deployment: Deployment,
    admission: Admission,
    feed: Feed,
    scales: Scales,
    history: History,
    max_body: int,
) -> web.Application:
    """The aiohttp application; `feed` is what `desk` announces to, `max_body` in bytes."""
    app = web.Application(client_max_size=max_body, middlewares=[answer_errors])
    reader = Reader(desk)
    explainer = Explainer(reader, scales)
    topics = Topics()
    news = feed.news = News(topics, scales)
    rounds = Rounds(reader, scales, topics)

    def note_change() -> None:
        feed.note_heard()
        rounds.wake()

    async def stop_rounds(_: web.Application) -> None:
        rounds.stop()

    topics.on_change = note_change
    app.on_cleanup.append(stop_rounds)
    entry = EntryHandlers(admission, deployment, scales, explainer)
    app.on_shutdown.append(entry.stop)
    risk = RiskHandlers(reader, scales)
    app.on_shutdown.append(risk.stop)
    parts = (
        SubmitHandlers(admission, deployment, scales, explainer, Repeats(history, scales)),
        entry,
        ReadHandlers(reader, scales),
        risk,
        ClosedHandlers(outbox),
        StatusHandlers(desk, reader, admission, deployment, scales),
        StreamHandlers(feed),
        SessionHandlers(reader, scales, topics, news, rounds, history),
        HistoryHandlers(reader, scales, history, deployment.epoch_batches),
        DocumentHandlers(),
    )
    app.add_routes(make_routes(part.handlers() for part in parts))
    app.add_routes(make_snapshot_desk(outbox, reader).routes())
    return app


def make_snapshot_desk(outbox: Outbox, reader: Reader) -> SnapshotDesk:
    """Gives the publisher's machine to watchers that catch up; what that takes goes against the budget of reads."""

    async def spend(request: web.Request, work: Sending) -> web.StreamResponse:
        client = get_client(request)
        reader.budget.check(client)
        return await reader.budget.spend(client, work())

    kept = outbox.kept_start
    return SnapshotDesk(kept.list, kept.measure, kept.read, spend)
