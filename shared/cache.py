"""Where things that can be made again are kept: compiled contracts, compiled modules."""

from __future__ import annotations

import os
from pathlib import Path


def get_cache_folder() -> Path:
    """The folder named by SETOFF_CACHE, else `setoff` in the user's own cache; it need not exist."""
    chosen, home = os.environ.get("SETOFF_CACHE"), os.environ.get("XDG_CACHE_HOME")
    return Path(chosen) if chosen else (Path(home) if home else Path.home() / ".cache") / "setoff"
