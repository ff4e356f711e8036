"""Ports for what has to be told one before it starts, and takes no 0 for an answer."""

import socket
from contextlib import ExitStack


def find_free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]
