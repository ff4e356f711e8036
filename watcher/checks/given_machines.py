"""A machine from anybody, by its hash, for who executes a single epoch: from a server or from a file.

Nobody is believed: what is given is used if its hash is the one that L1 has. An answer has a time and a size; each way
in which it may fail has words of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import requests

from setoff.shared.errors import DataError, InputError, StateError, WitnessError
from setoff.shared.l1.session import ONCE, open_session, read_whole
from setoff.shared.machine.machine import Machine
from setoff.shared.wire.json_text import read_json
from setoff.shared.wire.snapshots import LISTED, PATH, read_machine

SECONDS: Final = 150.0
"""Seconds without a byte that a server may take; twice as many for all of an answer (`session.py`): as long as a server
of ours takes the trouble."""

LIST_SECONDS: Final = 10.0
LIST_BYTES: Final = LISTED * 80
"""The same of a list, and its size."""

MEGABYTE: Final = 10**6

WHY_BYTES: Final = 1 << 14
"""Of an answer that refuses."""

WHY_LETTERS: Final = 200
"""That are shown of it."""


def is_url(place: str) -> bool:
    """Whether a place is a server's and no file."""
    return place.startswith(("http://", "https://"))


def take_machine(place: str, machine_hash: bytes, most: int, seconds: float = SECONDS) -> Machine:
    """The machine of that hash from a server's URL or a file of what it serves; of at most `most` bytes, unpacked.

    Raises StateError("not_ready") where nothing is given, WitnessError("bad_witness") for what is no machine or too
    large, DataError("data_mismatch") for another one, InputError("not_found") where there is no such file.
    """
    packed = ask(place, f"{PATH}/0x{machine_hash.hex()}", most, seconds) if is_url(place) else _read(place, most)
    try:
        machine = read_machine(packed, most)
        found = machine.hash()
    except WitnessError as error:
        raise WitnessError(
            "bad_witness", f"{place} gives {error.detail}, and not machine 0x{machine_hash.hex()}"
        ) from None
    except (ValueError, TypeError, LookupError, ArithmeticError):
        raise WitnessError("bad_witness", f"{place} gives leaves that no machine has") from None
    if found != machine_hash:
        raise DataError(
            "data_mismatch", f"{place} gives the machine 0x{found.hex()}; L1 has the start 0x{machine_hash.hex()}"
        )
    return machine


def list_machines(url: str) -> set[bytes]:
    """Hashes of the machines that a server says it has; none where that is no list of them. Raises as `ask`."""
    text = ask(url, PATH, LIST_BYTES, LIST_SECONDS)
    try:
        return {bytes.fromhex(str(each).removeprefix("0x")) for each in read_json(text)["machines"]}
    except (ValueError, LookupError, TypeError, RecursionError):
        return set()


def ask(url: str, path: str, most: int, seconds: float = SECONDS) -> bytes:
    """What a server gives at a path, at most `most` bytes.

    Raises StateError: "not_ready" where it gives nothing, "overloaded" where it says to come again; and
    WitnessError("bad_witness") for more.
    """
    url = url.rstrip("/")
    try:
        with open_session() as session:
            answer = session.get(url + path, timeout=seconds, **ONCE)
            if answer.status_code == requests.codes.not_found:
                raise StateError("not_ready", f"{url} does not have {path}{_read_why(answer)}")
            if answer.status_code == requests.codes.service_unavailable:
                raise StateError("overloaded", f"{url} asks to come again for {path}{_read_why(answer)}")
            if answer.status_code != requests.codes.ok:
                raise StateError("not_ready", f"{url} answers {answer.status_code} to {path}")
            return read_whole(answer, most)
    except requests.RequestException as error:
        raise _explain(url, path, most, error) from None


def _read_why(answer: requests.Response) -> str:
    """What a server of ours says beside, printable and short; empty where that cannot be read."""
    try:
        detail = str(read_json(read_whole(answer, WHY_BYTES))["detail"])
    except (requests.RequestException, ValueError, LookupError, TypeError, RecursionError):
        return ""
    return ": " + "".join(each if each.isprintable() else " " for each in detail)[:WHY_LETTERS]


def _explain(url: str, path: str, most: int, error: requests.RequestException) -> StateError | WitnessError:
    if "without an end" in str(error):
        return WitnessError("bad_witness", f"{url} sends more than {most // MEGABYTE} MB for {path}")
    return StateError("not_ready", f"{url} gives nothing: {type(error).__name__}")


def _read(place: str, most: int) -> bytes:
    try:
        with Path(place).open("rb") as file:
            packed = file.read(most + 1)
    except OSError as error:
        raise InputError("not_found", f"the file {place} cannot be read: {error.strerror}") from None
    if len(packed) > most:
        raise WitnessError("bad_witness", f"{place} has more than {most // MEGABYTE} MB")
    return packed
