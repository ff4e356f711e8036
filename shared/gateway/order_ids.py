"""The numbers of orders (oid), and bots' own ids of them (cloid), in the 64 bits that a signed order has for its
client's id: so a number leads to the order, and back, with nothing kept.

An oid is the order's native client id where that is below 2^52:

    1 … 2^51 − 1      made here, of the time in microseconds, for an order without a cloid
    2^51 … 2^52 − 1   the first 51 bits of the hash of a cloid, which has 128
    2^52 … 2^53 − 1   an order without a client id, or with a larger one, that nobody here sent: its number in the
                      exchange's history

A hash does not lead back to its cloid: those that were seen are kept, in a file if one is named, so that orders are
shown with them. Whoever asks by a cloid needs no file.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from pathlib import Path
from typing import Final

from setoff.shared.codec.hashing import keccak
from setoff.shared.config.whole_file import replace_file
from setoff.shared.gateway.refusals import BotError

HASHED: Final = 1 << 51
FOREIGN: Final = 1 << 52
END: Final = 1 << 53
"""Numbers above are not exact everywhere."""
KEPT: Final = 100_000
"""Cloids, the latest; the file has at most twice as many."""
CLOID_BYTES: Final = 16
RECENT: Final = 10_000_000
"""Microseconds."""
_CLOID: Final = re.compile(r"0x[0-9a-fA-F]{32}")


def hash_cloid(cloid: object) -> int:
    """The client id of an order with this cloid. Raises BotError for what is none."""
    if not isinstance(cloid, str) or not _CLOID.fullmatch(cloid):
        raise BotError("Invalid cloid: it is 16 bytes, as 0x and 32 hexadecimal digits")
    return HASHED | int.from_bytes(keccak(bytes.fromhex(cloid[2:]))[:8], "big") >> 13


def is_client_id(oid: int) -> bool:
    """Whether the number is the order's native client id."""
    return 0 < oid < FOREIGN


def to_oid(client: int, history_number: int) -> int:
    """The number of an order with this native client id, and this number in the history."""
    return client if is_client_id(client) else FOREIGN + history_number


class Cloids:
    """Makes client ids, and knows which cloids they stand for."""

    def __init__(self, file: Path | None) -> None:
        """`file`: where cloids are kept, 16 bytes each; None: nowhere."""
        self._last = 0
        self._known: OrderedDict[int, str] = OrderedDict()
        self._file = file
        self._written = 0
        if file is not None and file.is_file():
            data = file.read_bytes()
            whole = len(data) - len(data) % CLOID_BYTES  # a write that was cut off counts for nothing
            for start in range(max(whole - KEPT * CLOID_BYTES, 0), whole, CLOID_BYTES):
                cloid = "0x" + data[start : start + CLOID_BYTES].hex()
                self._known[hash_cloid(cloid)] = cloid
            self._rewrite()

    def make(self, cloid: object) -> int:
        """The client id of a new order; `cloid`: None for none. Raises BotError."""
        if cloid is None:
            self._last = max(time.time_ns() // 1000, self._last + 1)
            return self._last
        client = hash_cloid(cloid)
        assert isinstance(cloid, str)
        if client not in self._known:
            self._known[client] = cloid.lower()
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
            self._append(bytes.fromhex(cloid[2:]))
        return client

    def is_recent(self, client: int) -> bool:
        """Whether an order with this client id may have been made a moment ago."""
        return client in self._known or time.time_ns() // 1000 - RECENT < client < HASHED

    def find(self, client: int) -> str | None:
        """The cloid that a client id stands for, if it was seen."""
        return self._known.get(client)

    def _append(self, cloid: bytes) -> None:
        if self._file is None:
            return
        if self._written >= 2 * KEPT:
            self._rewrite()
            return
        with self._file.open("ab") as file:
            file.write(cloid)
        self._written += 1

    def _rewrite(self) -> None:
        assert self._file is not None
        replace_file(self._file, b"".join(bytes.fromhex(cloid[2:]) for cloid in self._known.values()))
        self._written = len(self._known)
