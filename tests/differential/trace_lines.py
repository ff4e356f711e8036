"""Which lines of which rules ran: enough of a coverage tool for the question whether a trace met every branch."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, ModuleType
from typing import Any


def lines_of(module: ModuleType) -> set[int]:
    """Numbers of the lines inside the functions of a module that can run."""
    found: set[int] = set()
    waiting = [f.__code__ for f in vars(module).values() if callable(f) and hasattr(f, "__code__")]
    waiting = [code for code in waiting if code.co_filename == module.__file__]
    while waiting:
        code = waiting.pop()
        found |= {line for _, _, line in code.co_lines() if line is not None and line > code.co_firstlineno}
        waiting += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return found


class Lines:
    """Lines that ran, by file."""

    def __init__(self) -> None:
        self.ran: defaultdict[str, set[int]] = defaultdict(set)

    @contextmanager
    def watch(self, *modules: ModuleType) -> Iterator[None]:
        """Note the lines of `modules` that run in this block."""
        files = {module.__file__ for module in modules}

        def enter(frame: FrameType, event: str, argument: Any) -> Any:
            return note if frame.f_code.co_filename in files else None

        def note(frame: FrameType, event: str, argument: Any) -> Any:
            if event == "line":
                self.ran[frame.f_code.co_filename].add(frame.f_lineno)
            return note

        before = sys.gettrace()
        sys.settrace(enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def missed(self, module: ModuleType) -> set[int]:
        """Lines of a module that can run and did not."""
        assert module.__file__ is not None
        return lines_of(module) - self.ran[module.__file__]
