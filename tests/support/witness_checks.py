"""The vectors of witness bundles against the Python implementation."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from setoff.shared import errors
from setoff.shared.errors import WitnessError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witnesses import cut_bundle, open_bundle, run_bundle

Entry = dict[str, Any]

MOST: Final = 1 << 24
"""Bytes that a bundle may have."""


def list_witness_checks(
    document: Entry, run: Entry, batches: Sequence[Batch]
) -> Iterator[tuple[str, Callable[[], None]]]:
    """Every check by name."""
    for number, entry in enumerate(document["bundles"]):
        name = f"bundle {number}: of batch {entry['batch']}, {entry['name']}"
        yield name, partial(check_bundle, entry, run["batches"][entry["batch"]], batches[entry["batch"]])
    yield "cut", partial(check_cut, document, run, batches)
    for entry in document["refused"]:
        yield f"refused: {entry['name']}", partial(check_refused, entry, batches[entry["batch"]])


def check_bundle(entry: Entry, played: Entry, batch: Batch) -> None:
    """It leads to where the whole machine came."""
    fragment = open_bundle(entry["bundle"], entry["before"], MOST)
    rerun = run_bundle(fragment, batch)
    assert rerun.end == entry["after"] == played["machine_hash"]
    assert [errors.OUTCOMES[outcome] for outcome in rerun.outcomes] == played["outcomes"]
    assert zlib.decompress(fragment.encode()) == zlib.decompress(entry["bundle"])


def check_cut(document: Entry, run: Entry, batches: Sequence[Batch]) -> None:
    """What whoever has the whole machine cuts, batch by batch from genesis."""
    machine = Machine.genesis(run["domain"]["separator"])
    for batch, entry in zip(batches, document["bundles"], strict=False):
        assert (machine.hash(), batch.header.number) == (entry["before"], entry["batch"])
        assert zlib.decompress(cut_bundle(machine, batch).encode()) == zlib.decompress(entry["bundle"])


def check_refused(entry: Entry, batch: Batch) -> None:
    """It is no witness."""
    try:
        run_bundle(open_bundle(entry["bundle"], entry["before"], MOST), batch)
    except WitnessError as error:
        assert error.reason == entry["reason"]
    else:
        raise AssertionError("it was taken")
