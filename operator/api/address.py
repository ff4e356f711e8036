"""The address that the API listens on: whether it is free, and what is said where it is not."""

from __future__ import annotations

import errno
import socket

from setoff.shared.errors import ConfigError


def check_free(host: str, port: int) -> None:
    """Raises ConfigError("port_taken") if another process listens there, ConfigError if nobody can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()
    except OSError as error:
        raise refuse(host, port, error) from None


def refuse(host: str, port: int, error: OSError) -> ConfigError:
    """What is wrong with the address."""
    if error.errno == errno.EADDRINUSE:
        return ConfigError("port_taken", f"listen: another process listens on {host}:{port}")
    return ConfigError("bad_config", f"listen: cannot listen on {host}:{port}: {error.strerror}")
