"""A small disk that can be filled up: a tmpfs, where this process may mount one."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path
from typing import Final

MEGABYTES: Final = 96
FILLER: Final = "filler"
CHUNK: Final = 1 << 16


class Disk:
    """A folder with a size; `is_small` is False where nothing could be mounted, and then it cannot be filled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)]
        try:
            self.is_small = subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            self.is_small = False

    def fill(self) -> None:
        """Leave no byte free."""
        chunk = CHUNK
        with (self.folder / FILLER).open("ab", buffering=0) as file:
            while chunk:
                try:
                    file.write(bytes(chunk))
                except OSError:
                    chunk //= 2

    def clear(self) -> None:
        """Make room again."""
        (self.folder / FILLER).unlink(missing_ok=True)

    def close(self) -> None:
        """Take it away, with what is on it."""
        self.clear()
        if self.is_small:
            with contextlib.suppress(OSError):
                subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)
