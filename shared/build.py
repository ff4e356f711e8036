"""Which build of the rules runs: their sources, or what was compiled from exactly these sources.

The hot modules of `shared/` are written once and run in two builds that do the same. What `deploy/build/compile.py`
makes of them lies apart, in a folder named by a digest of all their sources and by the interpreter. A source that was
edited since has another digest, so nothing compiled can ever stand before it. `choose` is called when `setoff.shared`
is imported, before any of these modules; it reads and hashes the sources each time, which takes a few milliseconds.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import source_hash, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

from setoff.shared.cache import get_cache_folder

VARIABLE: Final = "SETOFF_BUILD"
"""Environment: the build that has to run, COMPILED or PLAIN; empty or AUTO: the compiled one where there is one."""
COMPILED: Final = "compiled"
PLAIN: Final = "plain"
AUTO: Final = "auto"

ROOMS: Final = ("codec", "state", "rules", "machine")
"""Rooms of `shared/` whose sources decide what is compiled: when one of them changes, all is compiled again."""
BESIDE: Final = ("errors.py", "params.py")
"""Sources beside the rooms whose constants are compiled in; they run as they are."""
SHARED: Final = Path(__file__).resolve().parent
SUFFIX: Final = EXTENSION_SUFFIXES[0]
"""Of compiled modules; it names interpreter, version and platform."""
GROUP: Final = "setoff_modules"
"""All modules are in one library; beside it each has a file of its own, which only leads there."""

STALE: Final = "the sources changed since they were compiled: running plain; `deploy/run setup` compiles again"
MISSING: Final = "not compiled; `deploy/run setup` does it where there is a C compiler"

_LEFT: Final = re.compile(r"machine/(?!machine)|.*/layout|state/tree")
"""Sources in the rooms that run as they are: of `machine/` only what is run for every step would gain, the layouts
write functions of their own when they are loaded, and a tree spends its time below."""
KINDS: Final = (".py", ".c", ".h")
"""Of sources. A module that is there in Python and in C runs as C where modules are compiled."""


class BuildError(ImportError):
    """The build that the environment asks for is not there."""


class Build(NamedTuple):
    """What runs, COMPILED or PLAIN; why not the other one, "" if there is nothing to say; where the compiled one is."""

    name: str
    reason: str = ""
    folder: Path | None = None

    @property
    def is_stale(self) -> bool:
        """Whether there is a compiled build, but only of other sources."""
        return self.reason == STALE

    def __str__(self) -> str:
        return f"{self.name} ({self.reason})" if self.reason else self.name


def list_sources(shared: Path = SHARED) -> list[str]:
    """The sources that decide what is compiled, as paths below `shared/`, in a fixed order."""
    paths = (path for room in ROOMS for path in sorted((shared / room).iterdir()) if path.suffix in KINDS)
    names = (f"{path.parent.name}/{path.name}" for path in paths)
    return [*(name for name in names if not name.endswith("__init__.py")), *BESIDE]


def list_twins(sources: Sequence[str]) -> list[str]:
    """The full names of those among them that are there in C, too."""
    return [_name_module(name) for name in sources if name.endswith(".c")]


def list_modules(sources: Sequence[str]) -> list[str]:
    """The full names of those among them that are compiled, from Python or from C."""
    twins = list_twins(sources)
    python = (name for name in sources if name.endswith(".py") and name not in BESIDE)
    return [each for name in python if (each := _name_module(name)) in twins or not _LEFT.match(name)]


def _name_module(source: str) -> str:
    return f"setoff.shared.{source.rpartition('.')[0].replace('/', '.')}"


def compute_digest(sources: Sequence[str], shared: Path = SHARED) -> str:
    """Sixteen hexadecimal digits that stand for names and texts of the sources. No defence against malice."""
    parts = (name.encode() + b"\0" + source_hash((shared / name).read_bytes()) for name in sources)
    return source_hash(b"".join(parts)).hex()


def name_folder(digest: str) -> str:
    """The name of the folder with what was compiled from sources of this digest, for this interpreter."""
    return digest + SUFFIX.removesuffix(".so")


def list_homes() -> tuple[Path, ...]:
    """Where such folders lie: beside the sources in a wheel, in a work tree's cache, in the user's."""
    return SHARED / "compiled", SHARED.parent / ".cache" / "modules", get_cache_folder() / "modules"


def find_build() -> Build:
    """The compiled build of the sources as they are; else the plain one, and why."""
    homes = [home for home in list_homes() if home.is_dir()]
    if not homes:
        return Build(PLAIN, MISSING)
    name = name_folder(compute_digest(list_sources()))
    for home in homes:
        if (home / name).is_dir():
            return Build(COMPILED, folder=home / name)
    ending = name_folder("")
    is_stale = any(other.name.endswith(ending) for home in homes for other in home.iterdir())
    return Build(PLAIN, STALE if is_stale else MISSING)


class CompiledFinder:
    """Finds each of the modules, and their library, in a folder of compiled ones."""

    def __init__(self, folder: Path, modules: Sequence[str]) -> None:
        names = (*modules, f"{GROUP}__mypyc")
        self._paths = {name: str(folder.joinpath(*name.split("."))) + SUFFIX for name in names}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As `importlib` asks of a finder."""
        found = self._paths.get(name)
        return None if found is None else spec_from_file_location(name, found)


class RefusingFinder:
    """Lets none of the modules be imported."""

    def __init__(self, reason: str, modules: Sequence[str]) -> None:
        self._reason = reason
        self._modules = frozenset(modules)

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> None:
        """As `importlib` asks of a finder. Raises BuildError for one of the modules."""
        if name in self._modules:
            raise BuildError(self._reason)


def choose() -> Build:
    """Choose a build, and see to it that its modules are the ones that are imported.

    Where the environment asks for one that is not there, or that nobody knows, the import of each module raises
    BuildError.
    """
    wanted = os.environ.get(VARIABLE) or AUTO
    if wanted == PLAIN:
        return Build(PLAIN, f"{VARIABLE}={PLAIN}")
    build = find_build()
    modules = list_modules(list_sources())
    if wanted not in (AUTO, COMPILED):
        return _refuse(f"{VARIABLE} is '{wanted}': it may be {COMPILED}, {PLAIN} or {AUTO}", modules)
    if build.folder is not None:
        sys.meta_path.insert(0, CompiledFinder(build.folder, modules))
    elif wanted == COMPILED:
        return _refuse(f"{VARIABLE} is '{wanted}': {build.reason}", modules)
    return build


def _refuse(reason: str, modules: Sequence[str]) -> Build:
    sys.meta_path.insert(0, RefusingFinder(reason, modules))
    return Build(PLAIN, reason)


def annotate(class_: Any, names: dict[str, Any], **annotations: str) -> None:
    """Give a compiled class the annotations of its source, as texts, evaluated by the names of its module.

    Only sources as they are compiled call it (`deploy/build/compile.py`).
    """
    class_.__annotations__.update({name: eval(text, names) for name, text in annotations.items()})
