"""How much of the rules the vectors show: every mutant, killed by them or not.

    python -m tests.support.mutation.run [--every N] [--workers N] [--of PATH…] [--json FILE] [--keep FILE]

Prints those that survive, and counts. Exit code 1 if one survives that `tests/vectors/equivalent.toml` does not list.
With `--keep` a run that was stopped goes on where it was, as long as nothing has changed that it depends on.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import tests.support.builds  # noqa: F401  (first of all: mutants are of sources, which then run)
from tests.support.mutation.mutants import ROOT, Mutant, list_mutants
from tests.support.mutation.results import Results
from tests.support.mutation.suite import Suite
from tests.support.vectors import HERE

FILES: Final = (
    *(
        f"shared/{room}/{path.name}"
        for room in ("rules", "state", "codec")
        for path in sorted((ROOT / "shared" / room).glob("*.py"))
    ),
    *(f"shared/machine/{name}.py" for name in ("batch", "data", "history", "machine", "witness")),
    "shared/dispute/bisection.py",
)
"""What a verifier has to have right."""

_suite: Suite


def read_list() -> dict[str, list[dict[str, Any]]]:
    """The file of what is not counted."""
    return tomllib.loads((HERE / "equivalent.toml").read_text())


def list_equivalent() -> set[str]:
    """Names of the mutants that change nothing, or nothing that a verifier does."""
    return {f"{group['file']}: {name}" for group in read_list()["equivalent"] for name in group["mutants"]}


def list_all(files: Iterable[str] = FILES) -> list[Mutant]:
    """Every mutant of these files, but for functions, methods and classes that no step uses."""
    outside = {(group["file"], name) for group in read_list()["outside"] for name in group["functions"]}

    def is_outside(mutant: Mutant) -> bool:
        parts = mutant.where.split(".")
        return not mutant.is_of_field and any(
            (mutant.file, ".".join(parts[:count])) in outside for count in range(1, len(parts) + 1)
        )

    return [mutant for file in files for mutant in list_mutants(file) if not is_outside(mutant)]


def judge_all(files: tuple[str, ...], mutants: list[Mutant], workers: int, keep: Path) -> Iterator[tuple[Mutant, bool]]:
    """As `judge`; first those of which the file `keep` knows already, and all others are added to it."""
    results = Results(keep)
    yield from ((mutant, results.known[mutant.name]) for mutant in mutants if mutant.name in results.known)
    left = [mutant for mutant in mutants if mutant.name not in results.known]
    if left:
        yield from results.keep(judge(Suite(files), left, workers))


def judge(suite: Suite, mutants: list[Mutant], workers: int = 1) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant, and whether it is killed."""
    global _suite
    _suite = suite  # which the workers, forked from here, have without being sent it
    if workers == 1:
        yield from ((mutant, suite.is_killed(mutant)) for mutant in mutants)
        return
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        yield from zip(mutants, pool.imap(_is_killed, mutants), strict=True)


def _is_killed(mutant: Mutant) -> bool:
    return _suite.is_killed(mutant)


def report(results: Iterable[tuple[Mutant, bool]], equivalent: set[str]) -> list[str]:
    """Prints survivors as they come, and the counts; returns those that are not listed."""
    total = killed = listed = 0
    missed: list[str] = []
    for mutant, is_killed in results:
        total += 1
        killed += is_killed
        if mutant.name in equivalent:
            listed += not is_killed
            if is_killed:
                print(f"{mutant.name}  is listed, and killed", flush=True)
        elif not is_killed:
            missed.append(mutant.name)
            print(f"{mutant.name}  [{mutant.file}:{mutant.lines.start}]", flush=True)
    share = killed / max(1, total - listed)
    print(
        f"{total} mutants, {killed} killed, {listed} equivalent, {len(missed)} missed: {share:.1%} of the rest killed"
    )
    return missed


def main(arguments: list[str]) -> int:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only each such mutant")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--of", nargs="+", default=FILES, metavar="PATH", help="only of these files")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the names of those that are missed")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="where results are kept, for a run that goes on")
    options = parser.parse_args(arguments)
    files = tuple(options.of)
    mutants = list_all(files)[:: options.every]
    if options.keep:
        results = judge_all(files, mutants, options.workers, options.keep)
    else:
        results = judge(Suite(files), mutants, options.workers)
    missed = report(results, list_equivalent())
    if options.json:
        options.json.write_text(json.dumps(missed, indent=1))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
