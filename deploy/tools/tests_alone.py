"""What the tests may import of each other: `tests/support`, and nothing else; and what nobody else imports.

A test that another test imports cannot be read, moved or deleted alone. What two of them share is in `tests/support`,
which knows no test; and nothing outside `tests/` knows of them at all.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

SUPPORT = "tests.support"
LEAVES = ("test_*.py", "bench_*.py", "conftest.py")
"""What a module in `tests/`, but outside `support/`, may be: one that nobody imports."""


def find_test_imports(root: Path, folders: tuple[str, ...]) -> Iterator[str]:
    """Imports that must not be in the work tree at `root`, of which `folders` are the product; a line for each."""
    support = root.joinpath(*SUPPORT.split("."))
    for module in sorted((root / "tests").rglob("*.py")):
        if support not in module.parents and not any(module.match(pattern) for pattern in LEAVES):
            yield f"{module.relative_to(root)}: is no test; what tests share is in {SUPPORT}"
        for line, name in find_imported(module):
            if name.split(".")[0] == "tests" and not f"{name}.".startswith(f"{SUPPORT}."):
                yield f"{module.relative_to(root)}:{line}: imports {name}; what tests share is in {SUPPORT}"
    for module in sorted(module for folder in folders for module in (root / folder).rglob("*.py")):
        for line, name in find_imported(module):
            if name.split(".")[0] == "tests":
                yield f"{module.relative_to(root)}:{line}: imports {name}; only tests import the tests' own"


def find_imported(module: Path) -> Iterator[tuple[int, str]]:
    """Names of the modules that a module imports, wherever in it, each with its line."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # `from tests import support` names a module only together with what it takes.
            names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "tests" else [node.module]
            yield from ((node.lineno, name) for name in names)
