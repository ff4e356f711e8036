"""Fixtures of the watcher's tests."""

from tests.support.processes.watching import desk, exchange, server, settings

__all__ = ["desk", "exchange", "server", "settings"]
