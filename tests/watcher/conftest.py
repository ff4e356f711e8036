"""Fixtures of the watcher's tests."""

from tests.fixtures.watching import desk, exchange, server, settings

__all__ = ["desk", "exchange", "server", "settings"]
