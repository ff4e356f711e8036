"""JSON that somebody else wrote, read as if it meant harm: nested only so deep.

Python's parser minds a limit of the interpreter's, but where a library has raised that (one for elliptic curves does) a
few thousand brackets end the whole process.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

MAX_DEPTH: Final = 64
"""Objects and lists in each other; no API that is read here has ten."""
_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET: Final = re.compile(r"[\[\]{}]")
_OTHERS: Final = bytes(set(range(256)) - set(b'[]{}"'))


def read_json(data: bytes | str, **options: Any) -> Any:
    """What it says; `options` are those of `json.loads`. Raises ValueError for what is no JSON, or nested deeper than
    MAX_DEPTH."""
    text = data if isinstance(data, str) else data.decode(json.detect_encoding(data))
    check_depth(text)
    return json.loads(text, **options)


def check_depth(text: str) -> None:
    """Raises ValueError for JSON that is nested deeper than MAX_DEPTH."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    if "\\" not in text:  # what is neither bracket nor quote goes at once: most of a long answer
        text = text.encode(errors="replace").translate(None, _OTHERS).decode()
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} deep")
