"""What docstrings, comments and pages point to: sections of the protocol's two pages, and files of the work tree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PAGES: Final = (Path("shared", "PROTOCOL.md"), Path("shared", "RATIONALE.md"))
SUFFIXES: Final = (".py", ".vy", ".vyi", ".md")

_HEADING: Final = re.compile(r"^## (\d+)\. ", flags=re.MULTILINE)
_SECTION: Final = re.compile(r"(?:\bsections?|§) (\d+)(?:(?:,| and) (\d+))?", flags=re.IGNORECASE)
_PATH: Final = re.compile(r"`((?:shared|contracts|operator|watcher|deploy|tests)/[a-z0-9_./-]+)`")


def find_stale_pointers(root: Path, folders: tuple[str, ...]) -> Iterator[str]:
    """Sections that the protocol's pages have not, and files that are not there; a line for each."""
    sections = {number for page in PAGES for number in _HEADING.findall((root / page).read_text())}
    files = {path for folder in folders for path in (root / folder).rglob("*") if path.suffix in SUFFIXES}
    for path in sorted({*files, *root.glob("*.md")}):
        text = path.read_text()
        for found in _SECTION.finditer(text):
            for number in {*found.groups()} - {None, *sections}:
                yield f"{path.relative_to(root)}: no page of the protocol has a section {number}"
        for name in _PATH.findall(text):
            if not any((base / name).exists() or (base / f"{name}.py").exists() for base in (root, path.parent)):
                yield f"{path.relative_to(root)}: names {name}, which is not there"
