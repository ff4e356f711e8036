"""What the code imports, held against what pyproject.toml asks for.

What run-time code imports is a dependency, or of the extra `node` (what the client may use of it, the layers say), and
nothing else is; the tests and tools may use what the extra `dev` adds.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OWN: Final = frozenset({"setoff", "tests"})
DEVELOPMENT: Final = ("tools", "build")
"""The folders of `deploy/` whose code runs in a work tree alone."""


def find_imports(sources: Iterable[Path]) -> dict[str, Path]:
    """The top names of the modules of others that these files import, each with one of the files."""
    found: dict[str, Path] = {}
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            for name in names:
                found.setdefault(name.split(".")[0], source)
    return {name: source for name, source in found.items() if name not in OWN | sys.stdlib_module_names}


def find_data_packages(sources: Iterable[Path]) -> set[str]:
    """The packages that these files look for as `find_spec("package")`: for the sake of a data file, not to import."""
    return {
        node.args[0].value
        for source in sources
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "find_spec"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def find_dependency_errors(project: Mapping[str, Any], root: Path, folders: Iterable[str]) -> Iterator[str]:
    """Imports that nothing asks for, and dependencies that nothing imports, a sentence each."""
    optional = project["project"]["optional-dependencies"]
    asked = _names_in([*project["project"]["dependencies"], *optional["node"]])
    extras = _names_in(text for texts in optional.values() for text in texts)
    sources = {path for folder in folders for path in (root / folder).rglob("*.py")}
    homes = [root / "deploy" / name for name in DEVELOPMENT]
    tools = {path for path in sources if any(map(path.is_relative_to, homes))}
    run_time = find_imports(sorted(sources - tools))
    others = find_imports(sorted({*tools, *(root / "tests").rglob("*.py")}))
    for imports, allowed in ((run_time, asked), (others, asked | extras)):
        for name, source in sorted(imports.items()):
            if not _distributions_of(name) & allowed:
                yield f"{source.relative_to(root)}: imports {name}, which pyproject.toml does not ask for"
    needed = run_time.keys() | find_data_packages(sources - tools)
    used = {distribution for name in needed for distribution in _distributions_of(name)}
    for name in sorted(asked - used):
        yield f"{name}: a dependency that no run-time code imports; what tests need belongs to the extra `dev`"


def _names_in(requirements: Iterable[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def _distributions_of(module: str) -> set[str]:
    """What installs a module; one that is not installed, for want of a wheel for this Python, has its own name."""
    return {canonicalize_name(name) for name in _DISTRIBUTIONS.get(module, [module])}


_DISTRIBUTIONS: Final = packages_distributions()
