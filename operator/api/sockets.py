"""What is asked of a request that wants a WebSocket."""

from __future__ import annotations

from aiohttp import web

from setoff.shared.errors import InputError


def check_socket(request: web.Request) -> None:
    """Raises InputError("missing_field") unless the request opens a WebSocket."""
    if not web.WebSocketResponse().can_prepare(request):
        raise InputError("missing_field", f"{request.path} is a WebSocket: open it with an Upgrade header")
