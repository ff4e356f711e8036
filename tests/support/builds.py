"""The tests run the rules from their sources, unless SETOFF_BUILD says otherwise; some run both builds.

Whoever reads a trace, changes a constant for a test or makes a mutant needs sources, and the tests wait for chains and
processes more than for the rules. Imported before anything of `setoff` (`conftest.py`).
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any, Final

import pytest

CHOSEN: Final = os.environ.get("SETOFF_BUILD", "")
"""What the environment asked for, if anything."""
os.environ["SETOFF_BUILD"] = CHOSEN or "plain"

AS_USERS: Final = CHOSEN or "auto"
"""What processes are told that should run as users run them: compiled, where it is compiled."""


class SourcePatch(pytest.MonkeyPatch):
    """As `monkeypatch`; but a test that changes what is compiled in is skipped, for the change would do nothing."""

    def setattr(self, target: Any, *more: Any, **options: Any) -> None:
        """As pytest's own."""
        from setoff.shared import BUILD
        from setoff.shared.build import list_modules, list_sources

        if BUILD.folder is not None and isinstance(target, (type, ModuleType)):
            name = target.__module__ if isinstance(target, type) else target.__name__
            if name in list_modules(list_sources()):
                pytest.skip(f"changes {name}, which runs compiled")
        super().setattr(target, *more, **options)
