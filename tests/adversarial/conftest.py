"""Fixtures of the adversarial tests that watch a chain."""

from tests.support.processes.watching import server, settings

__all__ = ["server", "settings"]
