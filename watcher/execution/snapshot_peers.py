"""Machines of others: which they have, and one by its hash. Nobody is believed: what is taken has the hash asked for.

An answer has a time and a size. Who gives nothing, or rubbish, is left alone for a while, by all workers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Final

import requests

from setoff.shared.codec.hashing import keccak
from setoff.shared.l1.session import ONCE, open_session, read_whole
from setoff.shared.machine.machine import Machine
from setoff.shared.wire.json_text import read_json
from setoff.shared.wire.snapshots import LISTED, PATH, unpack
from setoff.watcher.store import Store

ASKING: Final = 5.0
"""Seconds that a list may take; twice as many from its first byte to its last (`session.py`)."""

FETCHING: Final = 30.0
"""The same of a machine."""

MAX_LIST: Final = LISTED * 80
"""Bytes of a list."""

SILENT: Final = 30
"""Seconds for which a peer is left alone that did not answer, or was busy."""

FALSE: Final = 3600
"""The same of one that gave something else than what it was asked for."""

log = logging.getLogger(__name__)


class SnapshotPeers:
    """Operators and watchers that may have machines."""

    def __init__(self, store: Store, urls: Sequence[str], most: int) -> None:
        """`most`: bytes of a machine, unpacked, and of what is sent of it."""
        self._store = store
        self._urls = tuple(dict.fromkeys(url.rstrip("/") for url in urls))
        self._most = most

    def list(self) -> set[bytes]:
        """Hashes of the machines that somebody says to have."""
        found: set[bytes] = set()
        for url in self._trusted():
            try:
                found |= _ask_list(url)
            except (requests.RequestException, ValueError, KeyError, TypeError, RecursionError) as error:
                self._leave_alone(url, SILENT, f"gave no list of machines: {type(error).__name__}")
        return found

    def fetch(self, machine_hash: bytes) -> Machine | None:
        """The machine of that hash, from whoever has it; None if nobody gives it."""
        for url in self._trusted():
            try:
                packed = _ask(url, machine_hash, self._most)
            except requests.RequestException as error:
                self._leave_alone(url, SILENT, f"gave no machine: {type(error).__name__}")
                continue
            if packed is None:
                continue
            machine = unpack(packed, machine_hash, self._most)
            if machine is not None:
                return machine
            self._leave_alone(url, FALSE, f"gave something else than the machine 0x{machine_hash.hex()}")
        return None

    def _trusted(self) -> Iterator[str]:
        """Those that are not left alone just now."""
        return (url for url in self._urls if not self._store.redis.exists(self._key(url)))

    def _leave_alone(self, url: str, seconds: int, why: str) -> None:
        log.warning("%s %s; it is left alone for %d s", url, why, seconds)
        self._store.redis.set(self._key(url), why, ex=seconds)

    def _key(self, url: str) -> str:
        return self._store.key("avoided", keccak(url.encode()).hex()[:16])


def _ask_list(url: str) -> set[bytes]:
    with open_session() as session:
        answer = session.get(url + PATH, timeout=ASKING, **ONCE)
        if answer.status_code == requests.codes.not_found:
            return set()
        answer.raise_for_status()
        if answer.is_redirect:
            raise ValueError("a redirect")
        machines = read_json(read_whole(answer, MAX_LIST))["machines"]
    return {bytes.fromhex(str(each).removeprefix("0x")) for each in machines[:LISTED]}


def _ask(url: str, machine_hash: bytes, most: int) -> bytes | None:
    with open_session() as session:
        answer = session.get(f"{url}{PATH}/0x{machine_hash.hex()}", timeout=FETCHING, **ONCE)
        if answer.status_code == requests.codes.not_found:
            return None
        answer.raise_for_status()
        return read_whole(answer, most)
