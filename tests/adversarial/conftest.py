"""Fixtures of the adversarial tests that watch a chain."""

from tests.fixtures.watching import server, settings

__all__ = ["server", "settings"]
