"""What a command has sent, so that however it ends it says so, and advises nobody to send it again.

A transaction or a record that was sent is not undone by what fails after it: a node that goes away, an exchange that
does not show any more what came of it, Ctrl-C. Whoever is told to "try again" then pays twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

Teller = Callable[[], Sequence[str]]
"""Tells what was sent through one connection, a line each."""


class Sent:
    """What one command sends, through the connections that it has opened."""

    def __init__(self) -> None:
        self._tellers: list[Teller] = []

    def clear(self) -> None:
        """A command begins."""
        self._tellers.clear()

    def follow(self, teller: Teller) -> None:
        """What it tells counts."""
        self._tellers.append(teller)

    def end(self, teller: Teller) -> None:
        """Its connection is closed: what it does not tell now it never will."""
        if not teller():
            self._tellers.remove(teller)

    def describe(self) -> list[str]:
        """What was sent, a line each; none: it may be sent again, as often as one likes."""
        return [line for teller in self._tellers for line in teller()]


SENT: Final = Sent()
"""Of the command that runs in this process."""
