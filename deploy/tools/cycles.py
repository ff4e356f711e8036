"""No module imports itself, however long the way round: `python -m setoff.deploy.tools.cycles`.

Every import counts, those for type checkers alone and those inside functions too: a circle that only Python does not
notice is one for the reader all the same. `deploy/run check` calls this.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDERS: Final = ("shared", "contracts", "operator", "watcher", "deploy")
PREFIX: Final = "setoff"


def list_modules(root: Path = ROOT) -> dict[str, Path]:
    """Every module by its full name; a package's name is that of its `__init__.py`."""
    found = {}
    for path in (path for folder in FOLDERS for path in sorted((root / folder).rglob("*.py"))):
        parts = [PREFIX, *path.relative_to(root).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def find_imports(text: str, modules: Mapping[str, Path]) -> set[str]:
    """The modules of ours that a module of this text imports by their names."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from package import name`: the module of that name if there is one, else the package itself.
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            inner = {name for name in names if name in modules}
            found |= inner | ({node.module} if names - inner else set())
    return found & modules.keys()


def find_cycles(graph: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """One way round for each module that is on any and on none told before: a shortest one."""
    told: set[str] = set()
    for start in sorted(graph):
        way = None if start in told else _find_way(graph, start)
        if way is not None:
            told |= set(way)
            yield way


def _find_way(graph: Mapping[str, set[str]], start: str) -> list[str] | None:
    """The shortest way from a module back to it, None if there is none."""
    ways, seen = [[start]], set[str]()
    while ways:
        longer = []
        for way in ways:
            for next in sorted(graph[way[-1]]):
                if next == start:
                    return [*way, start]
                if next not in seen:
                    seen.add(next)
                    longer.append([*way, next])
        ways = longer
    return None


def main() -> int:
    """Print the circles; 1 if there is one."""
    modules = list_modules()
    cycles = list(find_cycles({name: find_imports(path.read_text(), modules) for name, path in modules.items()}))
    for way in cycles:
        print(" -> ".join(name.removeprefix(f"{PREFIX}.") for name in way))
    return 1 if cycles else 0


if __name__ == "__main__":
    sys.exit(main())
