"""What a command prints: words for people, or with `--json` the same facts as one JSON value and nothing else."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from typing import Any


def show(arguments: argparse.Namespace, facts: Any, *lines: str) -> None:
    """What came of the command: `lines` for people, `facts` as JSON."""
    if arguments.json:
        print(json.dumps(facts, indent=2, default=_to_json), flush=True)
    else:
        for line in lines:
            print(line, flush=True)


def tell(arguments: argparse.Namespace, line: str) -> None:
    """How far it is; beside JSON that goes to the standard error."""
    print(line, file=sys.stderr if arguments.json else sys.stdout, flush=True)


def tell_progress(text: str) -> None:
    """A line that is written over by the next, on a terminal; an empty one clears it."""
    if sys.stderr.isatty():
        text = text[: shutil.get_terminal_size().columns - 1]
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _to_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "to_json"):
        return value.to_json()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
