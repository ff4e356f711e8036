"""What the vectors say of a mutant: the checks and inputs that run its lines, in a process of its own.

A change in a function is put into the function as it is; one that is met when its module is loaded, or made into
something then, is loaded anew with everything that stands on it.
"""

from __future__ import annotations

import ast
import gc
import importlib
import json
import os
import resource
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, Final

from tests.support.mutation import inputs
from tests.support.mutation.mutants import ROOT, Mutant, make_mutant
from tests.support.vector_checks import Check, Entry, list_checks
from tests.support.vectors import HERE, load

from setoff.shared import BUILD
from setoff.shared.build import COMPILED, BuildError

_SECONDS: Final = 10.0
"""Processor seconds after which a check or an input is no longer waited for."""
_MEMORY: Final = 8 << 30
_HOLDS, _DIFFERS, _UNPREPARED = range(3)
_LOADERS: Final = ("shared/codec/layout.py", "shared/state/layout.py")
"""Files whose functions make others when those are loaded."""


class Suite:
    """The vectors, and which of them run which lines."""

    def __init__(self, files: tuple[str, ...], *, is_traced: bool = True) -> None:
        """`files`: those whose mutants are to be judged, from the work tree's root; `is_traced`: whether to take the
        scenes apart into inputs and find out what runs which lines, which pays from a hundred mutants on. Without it
        every check is run for each mutant, scenes as they are.

        Raises BuildError where the rules run compiled.
        """
        if BUILD.name == COMPILED:
            raise BuildError("a mutant is one of a source: the rules have to run plain")
        self.documents: dict[str, Entry] = {path.stem: load(path.stem) for path in sorted(HERE.glob("*.json"))}
        self.checks = [check for check in list_checks(self.documents) if check.file != "scenes" or not is_traced]
        if not is_traced:
            # Of what a rule does steps and scenes say most.
            self.checks.sort(key=lambda check: (check.file != "steps", check.file != "scenes"))
        self.scenes = {check.name: check for check in list_checks(self.documents) if check.file == "scenes"}
        self.inputs = list(inputs.list_inputs(self.documents["scenes"])) if is_traced else []
        self.order = sorted(self.inputs, key=lambda given: (given.index % 7, given.is_variant))
        """Inputs of all kinds at the beginning, for what any of them may show."""
        self.names = {str(ROOT / file): file for file in files}
        self.covering: dict[tuple[str, int], list[int]] = defaultdict(list)
        """By file and line the numbers of what runs it: of an input its place, of a check that behind all inputs."""
        for number in range(len(self.inputs) + len(self.checks)) if is_traced else ():
            for line in self.trace(lambda number=number: self.ask(number)):  # type: ignore[misc]
                self.covering[line].append(number)
        self.loading: set[tuple[str, int]] = self.trace_loading() if is_traced else set()
        """Lines in functions that run when modules are loaded."""
        gc.collect()
        gc.freeze()

    def ask(self, number: int) -> bool:
        """Whether an input or check still holds."""
        if number < len(self.inputs):
            return inputs.run_input(self.inputs[number])
        return holds(self.checks[number - len(self.inputs)])

    def trace_loading(self) -> set[tuple[str, int]]:
        """The lines of our files that are run when all modules are loaded, in a process of its own."""

        def load_all() -> bool:
            _forget_modules()
            return importlib.import_module("tests.support.mutation.inputs") is not None

        with tempfile.TemporaryFile("w+") as found:  # a pipe would not hold all of it

            def tell() -> bool:
                json.dump(sorted(self.trace(load_all)), found)
                found.flush()
                return False

            assert not _in_child(tell)
            found.seek(0)
            return {(file, line) for file, line in json.load(found)}

    def trace(self, run: Callable[[], bool]) -> set[tuple[str, int]]:
        """The lines of our files that a run comes to."""
        found: set[tuple[str, int]] = set()
        names = self.names

        def enter(frame: FrameType, event: str, argument: Any) -> Any:
            file = names.get(frame.f_code.co_filename)
            if file is None:
                return None

            def step(frame: FrameType, event: str, argument: Any) -> Any:
                found.add((file, frame.f_lineno))
                return step

            found.add((file, frame.f_lineno))
            return step

        sys.settrace(enter)
        try:
            assert run()
        finally:
            sys.settrace(None)
        return found

    def choose(self, mutant: Mutant) -> list[int]:
        """What may tell the mutant from the original, the likeliest first: one input of each scene, and so on."""
        numbers = sorted({number for line in mutant.lines for number in self.covering.get((mutant.file, line), ())})
        if not self.covering:
            numbers = list(range(len(self.inputs) + len(self.checks)))
        rank: dict[str, int] = defaultdict(int)
        keyed = []
        for number in numbers:
            scene = self.inputs[number].scene if number < len(self.inputs) else "checks"
            rank[scene] += 1
            keyed.append((rank[scene], scene.startswith("life"), number))
        return [number for *_, number in sorted(keyed)]

    def is_killed(self, mutant: Mutant) -> bool:
        """Whether any vector shows the mutant."""
        if not mutant.is_loading and mutant.file not in _LOADERS:
            numbers = self.choose(mutant)
            function, code = find_place(mutant)
            prepare = partial(setattr, function, "__code__", code)
            if _in_child(lambda: self._differs_in_place(numbers), prepare):
                return True
            # What an object of a leaf still holds when that is written shows in a later input of the same machine.
            whole = {self.inputs[number].scene for number in numbers if number < len(self.inputs)}
            is_kept = mutant.file.startswith("shared/state/")
            if is_kept and _in_child(lambda: self._differs_whole(whole), prepare):
                return True
            if not any((mutant.file, line) in self.loading for line in mutant.lines):
                return False
        return _in_child(lambda: self._differs_loaded(mutant))

    def _differs_in_place(self, numbers: list[int]) -> bool:
        return any(not _hold(lambda number=number: self.ask(number)) for number in numbers)  # type: ignore[misc]

    def _differs_whole(self, scenes: set[str]) -> bool:
        return any(not _hold(lambda name=name: holds(self.scenes[name])) for name in sorted(scenes))  # type: ignore[misc]

    def _differs_loaded(self, mutant: Mutant) -> bool:
        """Whether anything differs once all modules were loaded with the mutant, from the codec to whole scenes."""
        _forget_modules()
        sys.meta_path.insert(0, _Finder(mutant))
        _watch()
        fresh = importlib.import_module("tests.support.vector_checks")
        player = importlib.import_module("tests.support.mutation.inputs")
        checks = list(fresh.list_checks(self.documents))
        late = ("steps", "runs", "histories", "scenes", "blobs")
        early = [] if mutant.file.startswith("shared/rules/") else [c for c in checks if c.file not in late]
        rest = sorted(
            (c for c in checks if c not in early),
            key=lambda check: late.index(check.file) if check.file in late else -1,
        )
        some = [check for check in checks if check.file in ("steps", "leaves")][::6]
        return (
            any(not _hold(lambda check=check: holds(check)) for check in some)  # type: ignore[misc]
            or any(not _hold(lambda check=check: holds(check)) for check in early)  # type: ignore[misc]
            or any(not _hold(lambda given=given: player.run_input(given)) for given in self.order)  # type: ignore[misc]
            or any(not _hold(lambda check=check: holds(check)) for check in rest)  # type: ignore[misc]
        )


def _forget_modules() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in ("setoff", "tests")]:
        del sys.modules[name]


def holds(check: Check) -> bool:
    """Whether the implementation comes to what the vector says."""
    check.run()
    return True


def _hold(run: Callable[[], bool]) -> bool:
    _watch()
    return run()


def _watch() -> None:
    signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)


def _in_child(differs: Callable[[], bool], prepare: Callable[[], None] = lambda: None) -> bool:
    """Whether that says so, or ends in any other way than saying that nothing does, in a process of its own.

    Raises AssertionError if what is to be done before fails.
    """
    child = os.fork()
    if child == 0:
        code = _UNPREPARED
        try:
            signal.signal(signal.SIGVTALRM, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
            prepare()
            code = _DIFFERS
            code = _DIFFERS if differs() else _HOLDS
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) != _UNPREPARED
    return status != _HOLDS


# --- putting a mutant in place ----------------------------------------------------------------------------------------


def module_of(file: str) -> str:
    """The module of a source."""
    return "setoff." + file.removesuffix(".py").replace("/", ".")


def find_place(mutant: Mutant, make: Callable[[Mutant], ast.Module] = make_mutant) -> tuple[FunctionType, CodeType]:
    """The function that the mutant is in, and the code that would make it of that."""
    code: Any = compile(make(mutant), str(ROOT / mutant.file), "exec")
    found: Any = sys.modules[module_of(mutant.file)]
    for name in mutant.where.split("."):
        code = next(part for part in code.co_consts if isinstance(part, CodeType) and part.co_name == name)
        found = vars(found)[name]
        for way in ("__wrapped__", "__func__", "fget", "func"):
            found = getattr(found, way, found)
        if isinstance(found, FunctionType):
            return found, code
    raise AssertionError(f"{mutant.name} is in no function")


class _Finder(MetaPathFinder, Loader):
    """Loads one module as the mutant has it."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant
        self.name = module_of(mutant.file)

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        spec = ModuleSpec(name, self, origin=str(ROOT / self.mutant.file))
        spec.has_location = True
        return spec

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(make_mutant(self.mutant), str(ROOT / self.mutant.file), "exec"), vars(module))
