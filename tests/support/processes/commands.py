"""Running the command inside the test's own process."""

from collections.abc import Awaitable, Callable

Command = Callable[..., Awaitable[str]]
"""Runs a line as a trader, by default the first; its output. It has to end with `code`, by default 0."""
