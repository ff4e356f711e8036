"""Tells what happens while it happens: chapters, what was seen on L1, and a line of figures that moves.

On a terminal a live picture, elsewhere (pipes, CI) plain lines with the seconds since the beginning.
"""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from types import TracebackType
from typing import Final, Self

from rich.console import Console as RichConsole
from rich.console import Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

LINES: Final = 12
"""Latest lines shown in the live picture."""
FIGURES_EVERY: Final = 10.0
"""Seconds between two lines of figures where there is no live picture."""


PLAIN_WIDTH: Final = 120


class Console:
    """A context manager; `figures` may be set at any time, a name to its value as text."""

    def __init__(self, rich: RichConsole | None = None) -> None:
        # A pipe has no width of its own; the tables are made for this one.
        self.rich = rich or RichConsole(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
        self.is_live = self.rich.is_terminal and os.environ.get("CI") != "true"
        self.figures: dict[str, str] = {}
        self._begin = time.monotonic()
        self._chapters: list[tuple[str, float]] = []
        self._lines: deque[Text] = deque(maxlen=LINES)
        self._live: Live | None = None
        self._told_figures = 0.0
        self._end: float | None = None
        self._failed = False
        self._spinner = Spinner("dots", style="cyan")

    def __enter__(self) -> Self:
        if self.is_live:
            self._live = Live(
                console=self.rich, get_renderable=self._picture, refresh_per_second=8, vertical_overflow="crop"
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end = self.seconds
        self._failed = error is not None
        if self._live:
            self._live.stop()

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._begin

    def chapter(self, title: str) -> None:
        """Begin the next chapter; the one before is done."""
        self._chapters.append((title, self.seconds))
        if not self.is_live:
            self._print(Text(title, style="bold"))

    def tell(self, text: str, style: str = "") -> None:
        """Add a line."""
        line = Text(f"{self.seconds:6.1f}  ", style="dim").append(Text(text, style=style))
        self._lines.append(line)
        if not self.is_live:
            self._print(Text(text, style=style))

    def update(self, **figures: object) -> None:
        """Set figures of the moving line; a name's underscores show as blanks."""
        self.figures.update({name.replace("_", " "): str(value) for name, value in figures.items()})
        if not self.is_live and self.seconds - self._told_figures >= FIGURES_EVERY:
            self._told_figures = self.seconds
            self._print(Text(", ".join(f"{name} {value}" for name, value in self.figures.items()), style="dim"))

    def _print(self, text: Text) -> None:
        self.rich.print(Text(f"{self.seconds:6.1f}  ").append(text), soft_wrap=True)

    def _picture(self) -> RenderableType:
        chapters = Table.grid(padding=(0, 1))
        for number, (title, begin) in enumerate(self._chapters):
            is_last = number == len(self._chapters) - 1
            end = (self._end or self.seconds) if is_last else self._chapters[number + 1][1]
            mark: RenderableType = Text("✔", style="green")
            if is_last and self._end is None:
                mark = self._spinner
            elif is_last and self._failed:
                mark = Text("✘", style="bold red")
            chapters.add_row(mark, Text(title), Text(f"{end - begin:5.1f} s", style="dim"))
        figures = Table.grid(padding=(0, 3))
        if self.figures:
            figures.add_row(*(Text(name, style="dim") for name in self.figures))
            figures.add_row(*(Text(value, style="bold") for value in self.figures.values()))
        return Group(chapters, Text(), figures, Text(), *self._lines)
