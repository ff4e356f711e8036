"""What became of mutants, kept in a file: a run that was stopped goes on where it was.

A result is of everything that it depends on: every source of the rules, the vectors, and what plays them. Once any of
that has changed, nothing of the file is taken.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tests.support.mutation.mutants import ROOT, Mutant

_SOURCES: Final = ("shared/**/*.py", "deploy/cli/inspection/*.py", "tests/support/**/*.py", "tests/vectors/*.json")


def compute_stamp() -> str:
    """A hash over all that a result depends on."""
    found = hashlib.sha256()
    for path in sorted(path for pattern in _SOURCES for path in ROOT.glob(pattern)):
        found.update(f"{path.relative_to(ROOT)} ".encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


class Results:
    """Whether each mutant was killed, by name: a line each, behind one with the stamp."""

    def __init__(self, file: Path) -> None:
        """Takes what the file holds if it has today's stamp, and begins it anew if not."""
        self._file = file
        self._stamp = compute_stamp()
        lines = file.read_text().splitlines() if file.exists() else []
        if lines[:1] != [self._stamp]:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{self._stamp}\n")
            lines = []
        self.known: dict[str, bool] = {}
        for line in lines[1:]:
            name, is_killed = json.loads(line)
            self.known[name] = is_killed

    def keep(self, results: Iterable[tuple[Mutant, bool]]) -> Iterator[tuple[Mutant, bool]]:
        """The same results, each written down once it is there."""
        with self._file.open("a") as file:
            for mutant, is_killed in results:
                file.write(json.dumps([mutant.name, is_killed]) + "\n")
                file.flush()
                yield mutant, is_killed
