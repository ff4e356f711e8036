"""The table of operations as routes: each operation with its handler, which is given the parameters that it names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

from aiohttp import web

from setoff.shared.wire.api.operations import OPERATIONS, Operation
from setoff.shared.wire.api.parameters import read_parameters

Handler = Callable[..., Awaitable[web.StreamResponse]]
"""Takes the request, and the operation's parameters by their names."""
Handlers = Mapping[str, Handler]
"""By the names of operations."""


def make_routes(parts: Iterable[Handlers]) -> list[web.RouteDef]:
    """A route for each operation. Raises LookupError unless there is one handler for each, and no other."""
    handlers: dict[str, Handler] = {}
    for part in parts:
        if twice := handlers.keys() & part.keys():
            raise LookupError(f"two handlers of {twice}")
        handlers |= part
    if handlers.keys() != {operation.name for operation in OPERATIONS}:
        raise LookupError(f"handlers are not those of the table: {sorted(handlers)}")
    return [
        web.route(operation.method, operation.path, _make_route(operation, handlers[operation.name]))
        for operation in OPERATIONS
    ]


def _make_route(operation: Operation, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        values = read_parameters(operation.parameters, request.match_info, request.query.items())
        return await handler(request, **values)

    return handle
