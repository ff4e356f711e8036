"""Files that are replaced whole: who reads one finds the old content or all of the new, whenever the writer dies."""

from __future__ import annotations

from pathlib import Path


def replace_file(path: Path, content: str | bytes) -> None:
    """Write a file, beside its place at first. It does not wait for the disk: a machine that dies may lose it."""
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(content.encode() if isinstance(content, str) else content)
    draft.replace(path)
