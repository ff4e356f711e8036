"""That a process serves, told to whoever started it, by sd_notify(3): systemd (`Type=notify`) or our supervisor.

Whoever starts a process names a Unix datagram socket in NOTIFY_SOCKET and waits there for READY=1.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

VARIABLE: Final = "NOTIFY_SOCKET"
READY: Final = b"READY=1"
STOPPING: Final = b"STOPPING=1"


def tell(state: bytes) -> None:
    """READY or STOPPING. Nobody may be there to hear it."""
    name = os.environ.get(VARIABLE)
    if name:
        address = "\0" + name[1:] if name.startswith("@") else name
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.sendto(state, address)


class Ear:
    """Where a process that is started here says that it serves."""

    def __init__(self, folder: Path, name: str) -> None:
        """A socket of that name in `folder`, which has to be short: the system allows a hundred characters."""
        self._path = folder / name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self._socket.setblocking(False)
        self.has_heard = False

    def name_in(self, environment: MutableMapping[str, str]) -> None:
        """Tell the process where to speak."""
        environment[VARIABLE] = str(self._path)

    def listen(self) -> bool:
        """Whether it has said that it serves, since the last `forget`."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.has_heard = READY in self._socket.recv(4096).split(b"\n") or self.has_heard
        return self.has_heard

    def forget(self) -> None:
        """It is started anew."""
        self.listen()
        self.has_heard = False

    def close(self) -> None:
        """Nobody listens any more."""
        self._socket.close()
        self._path.unlink(missing_ok=True)
