"""The pages at the doors of the rooms, held against what is in them: `python -m setoff.deploy.tools.rooms [--fix]`.

A room is a folder with source files in it. Its `README.md` fits on a screen and says what the room is for, what it may
import, and where to begin reading; that is written by hand. Then comes the list of its files, each with the first
sentence of its own docstring: that is made here (`--fix`), so that no page tells of files that are gone.

Exit code 1, and one line a fault, if a page is missing, long or stale.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
TOPS: Final = ("shared", "contracts", "operator", "watcher", "deploy", "tests")
OWN: Final = ("support", "differential", "vectors", "adversarial", "e2e", "benchmarks")
"""Rooms of `tests/` that are more than the mirror of a room of the product; the mirrors need no page."""
SUFFIXES: Final = (".py", ".vy", ".vyi")
SCREEN: Final = 60
"""Lines of a page, at most."""
MARK: Final = "<!-- files: made by `deploy/run check --fix` -->"
"""What is below this line in a page is made from the docstrings."""
UNNAMED: Final = frozenset({"__init__.py", "__main__.py", "conftest.py"})
"""Files that any room may have, and whose names say all."""

_FILE: Final = re.compile(r"`([\w./-]+(?:\.(?:py|vyi|vy|md|toml|json)|/))`")


def list_rooms(root: Path = ROOT) -> list[Path]:
    """Every folder that needs a page, sorted."""
    found = {root / top for top in TOPS}
    for top in TOPS[:-1]:
        found |= {path.parent for path in (root / top).rglob("*") if path.suffix in SUFFIXES}
    for name in OWN:
        found |= {path.parent for path in (root / "tests" / name).rglob("*") if path.suffix in SUFFIXES}
    return sorted(room for room in found if "__pycache__" not in room.parts)


def list_sources(room: Path) -> list[Path]:
    """The source files of a room itself, not of the rooms behind it; of the tests, what is no test."""
    return sorted(
        path
        for path in room.iterdir()
        if path.suffix in SUFFIXES and path.name not in UNNAMED and not path.name.startswith("test_")
    )


def read_purpose(source: Path) -> str:
    """The first sentence of a file's docstring: of a Python module, or the title of a contract."""
    text = source.read_text()
    if source.suffix == ".py":
        whole = ast.get_docstring(ast.parse(text)) or ""
    else:
        title = re.search(r"@title (.*)", text)
        whole = title[1] if title else ""
    paragraph = " ".join(whole.split("\n\n", 1)[0].split())
    return re.split(r"(?<=[.!?])\s", paragraph, maxsplit=1)[0].rstrip(".:")


def make_list(room: Path) -> str:
    """The files of a room, a line each."""
    return "".join(f"- `{source.name}`: {read_purpose(source)}\n" for source in list_sources(room))


def find_faults(root: Path = ROOT, *, fix: bool = False) -> Iterator[str]:
    """What is wrong with the pages, a sentence each. With `fix`, lists of files are written anew first."""
    for room in list_rooms(root):
        name = room.relative_to(root).as_posix()
        page = room / "README.md"
        if not page.is_file():
            yield f"{name}: there is no README.md at the door"
            continue
        text = page.read_text()
        written, mark, listed = text.partition(MARK + "\n")
        expected = make_list(room)
        if fix and mark and listed != expected:
            text = written + mark + expected
            page.write_text(text)
        if len(text.splitlines()) > SCREEN:
            yield f"{name}/README.md: {len(text.splitlines())} lines, {SCREEN} fit on a screen"
        if expected and text != written + MARK + "\n" + expected:
            yield f"{name}/README.md: its list of files is missing or stale, run `deploy/run check --fix`"
        for named in _FILE.findall(written):
            if named not in UNNAMED and not any((base / named).exists() for base in (room, *room.parents)):
                yield f"{name}/README.md: names {named}, which is not there"
        for source in list_sources(room):
            if not read_purpose(source):
                yield f"{name}/{source.name}: does not say what it is for"


def main(arguments: list[str]) -> int:
    """Print what is wrong; 1 if anything is."""
    faults = list(find_faults(fix="--fix" in arguments))
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
