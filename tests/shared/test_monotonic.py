"""No clock is taken to have begun long ago: a machine that has just started has done nothing a minute before."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAST = ("_at", "since", "looked")
FUTURE = ("due_at", "again_at")
ROOMS = ("operator", "watcher", "shared", "deploy")


def find_zeros(source: str) -> list[str]:
    """Names of attributes that are to hold when something happened, and begin with a time after the clock's start."""
    if "monotonic()" not in source:
        return []
    found = []
    for node in ast.walk(ast.parse(source)):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = getattr(node, "value", None)
        if not isinstance(value, ast.Constant) or not isinstance(value.value, float) or value.value:
            continue
        names = [target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "") for target in targets]
        found += [name for name in names if name.endswith(PAST) and not name.endswith(FUTURE)]
    return found


def test_what_has_not_happened_yet_was_long_ago_and_not_when_the_clock_began() -> None:
    assert find_zeros("time.monotonic()\nself._looked_at = 0.0\nself._due_at = 0.0\nself._seen_at: float = 0.0") == [
        "_looked_at",
        "_seen_at",
    ]
    assert not {
        f"{path.relative_to(ROOT)}: {name}"
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        for name in find_zeros(path.read_text())
    }
