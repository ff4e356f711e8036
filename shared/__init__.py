"""What operator, watcher and tools have in common; see the layers in `pyproject.toml`."""

from typing import Final

from setoff.shared.build import Build, choose

BUILD: Final[Build] = choose()
"""Which build of the pure modules runs in this process."""
