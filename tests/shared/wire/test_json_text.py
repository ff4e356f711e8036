"""Whoever sends brackets ends no process, however high a library has set the interpreter's limit."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from setoff.shared.errors import InputError
from setoff.shared.wire.json_text import MAX_DEPTH, check_depth, read_json
from setoff.shared.wire.members import parse_json

ROOT = Path(__file__).resolve().parents[3]
DEEP = ("[" * 100_000, '{"a":' * 100_000, "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
OWN = {
    "operator/api/front.py", "operator/history/process.py", "operator/history/store.py", "operator/rescue/promises.py",
    "operator/sequencer/outbox.py", "shared/config/deployment_file.py", "shared/config/key_file.py",
    "shared/config/pulse.py", "shared/config/redis_server.py", "shared/config/webhooks.py",
    "shared/gateway/orders/leverage.py", "shared/gateway/signature.py", "shared/l1/abi.py", "shared/l1/storage.py",
    "shared/l1/stored_bids.py", "shared/sdk/listed_units.py", "shared/sdk/receipt_store.py", "shared/wire/json_text.py",
    "watcher/execution/attempts.py", "watcher/receipts/docket.py",
}  # fmt: skip
"""Modules that read what they, their owner or their own store has written."""


@pytest.mark.parametrize("text", DEEP, ids=["lists", "objects", "one too many"])
def test_deep_json_is_refused_before_it_is_read(text: str) -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(10**6)
    try:
        for data in (text, text.encode(), text.encode("utf-16"), '["\\\\"' + "," + text):
            with pytest.raises(ValueError, match="nested more than"):
                read_json(data)
        with pytest.raises(InputError, match="not JSON"):
            parse_json(text.encode())
    finally:
        sys.setrecursionlimit(before)


def test_brackets_in_strings_are_none() -> None:
    for value in (["[" * 1000] * 3, {"a": '"[\\"' * 500}, [[["{"] * 100] * 10], "[" * 100):
        assert read_json(json.dumps(value)) == value
    check_depth("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert read_json(b"[]", parse_float=str) == []


def test_nothing_that_others_wrote_is_read_another_way() -> None:
    found = set()
    for room in ("operator", "watcher", "shared"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and ast.unparse(node) in ("json.loads", "json.load"):
                    found.add(str(path.relative_to(ROOT)))
    assert found <= OWN, found - OWN


def test_python_itself_would_die() -> None:
    """What all this is for; should it ever not be so, it can go."""
    words = "import json, sys; sys.setrecursionlimit(10**6); json.loads('[' * 10**5)"
    assert subprocess.run([sys.executable, "-c", words], capture_output=True, check=False).returncode != 0
