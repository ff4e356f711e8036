"""The HTTP and WebSocket interface. Nothing here decides anything: it decodes, asks the sequencer, and shows.

    POST /v1/records            {"typed": {"type": "Order", "message": {…}}, "signature": "0x…"}: answers what became of
                                it, with the signed receipts for it (and its pages) in "receipts";
                                a bulk record comes with its "leg_pages", and is taken with all of them or not at all;
                                but where the machine pauses in one, those behind it are left out
    POST /v1/records/bulk       n × 124 bytes: answers {"results": […]}, a receipt or a refusal each, in order (one for
                                a bulk record with the pages behind it)
    GET  /v1/entry              a WebSocket for records, many on their way, as bytes or as JSON; every answer has the
                                client's own number of the frame (`shared/wire/entry_frames.py` has the layout)
    GET  /v1/info               chain, vault, domain, signed types, limits
    GET  /v1/markets            all markets, and the terms of the exchange             /v1/markets/{market}   one
    GET  /v1/book/{market}      ?depth=20                  best levels of both sides
    GET  /v1/accounts/{account} id or owner's address, ".2" behind it for sub-account 2: money, positions, orders, nonce
    GET  /v1/orders/{account}                              open and armed orders
    GET  /v1/backstop                                      the backstop vault
    GET  /v1/fills              ?market&account&after&limit, in the order of their gap-free numbers
    GET  /v1/batches/{number}                              a closed batch
    GET  /v1/withdrawals/{index}                           its proof for the vault, once its epoch is complete
    GET  /v1/status  /v1/health                            where the sequencer is; 200 or 503
    GET  /ws                    ?channels=records,fills,batches,auctions: JSON messages {"channel", "data"}, without the
                                receipts

Every refusal is {"reason": …, "detail": …} with a reason of the shared list. 4xx: nothing was changed. 503: try again
("overloaded"), or ("not_ready") a record that was on its way may have been taken or not.
"""

from __future__ import annotations

from aiohttp import web

from setoff.operator.api.admission import Admission
from setoff.operator.api.closed import ClosedHandlers
from setoff.operator.api.entry import EntryHandlers
from setoff.operator.api.feed import Feed
from setoff.operator.api.reads import ReadHandlers
from setoff.operator.api.status import StatusHandlers
from setoff.operator.api.stream import StreamHandlers
from setoff.operator.api.submit import SubmitHandlers
from setoff.operator.bridge.desk import Desk
from setoff.operator.sequencer.outbox import Outbox
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.wire.refusals import answer_errors


def make_app(
    desk: Desk, outbox: Outbox, deployment: Deployment, admission: Admission, feed: Feed, max_body: int
) -> web.Application:
    """The aiohttp application; `feed` is what `desk` announces to, `max_body` in bytes."""
    app = web.Application(client_max_size=max_body, middlewares=[answer_errors])
    for handlers in (
        SubmitHandlers(admission, deployment),
        EntryHandlers(admission, deployment),
        ReadHandlers(desk),
        ClosedHandlers(outbox),
        StatusHandlers(desk, admission, deployment),
        StreamHandlers(feed),
    ):
        app.add_routes(handlers.routes())
    return app
