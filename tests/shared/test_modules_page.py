"""What `shared/MODULES.md` names is there: calls, paths, files, reasons."""

import json
import re
from pathlib import Path

import pytest

from setoff.shared.errors import OUTCOMES
from setoff.shared.wire.api.operations import OPERATIONS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "shared" / "MODULES.md").read_text()
NAMED = sorted(set(re.findall(r"`([^`\n]+)`", PAGE)))
FUNCTIONS = {
    entry["name"]
    for path in (ROOT / "shared" / "l1" / "interfaces").glob("*.json")
    for entry in json.loads(path.read_text())
    if entry["type"] == "function"
} | {"commit"}  # of a module, which is deployed by whoever writes one
OTHERS = {"client", "ecrecover", "GET /v1/openapi.json"}
"""Words that are no name of ours."""


def is_there(name: str) -> bool:
    """Whether it is a function of a contract, a path of the API, a file or folder, a reason, or a command."""
    if "/v1/" in name:
        method, _, path = name.rpartition(" ")
        return any(each.path == path and method in ("", each.method) for each in OPERATIONS)
    if name.startswith("setoff "):
        return (ROOT / "deploy" / "cli" / "commands" / f"{name.split()[1]}.py").is_file()
    if "/" in name or "." in name:
        return any((base / name).exists() for base in (ROOT, ROOT / "shared"))
    return name in FUNCTIONS or name in OUTCOMES or name in OTHERS


@pytest.mark.parametrize("name", NAMED)
def test_what_the_page_names_is_there(name: str) -> None:
    assert is_there(name)
