"""Clocks of processes that can be set, where there is a C compiler (libfaketime 0.9.10 breaks sleep() where it is to
leave the monotonic clock alone, which never jumps)."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_suffix(".c")


class Clock:
    """The wall clock of some processes; `is_there` is False where none can be made."""

    def __init__(self, file: Path) -> None:
        """`file` holds how far it is ahead; beside it the library is made that adds it."""
        self._file, library = file, file.with_suffix(".so")
        self.set(0)
        compiler = shutil.which("cc")
        command = [str(compiler), "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
        self.is_there = (
            compiler is not None and subprocess.run(command, check=False, capture_output=True).returncode == 0
        )
        self.environment = {"LD_PRELOAD": str(library), "CHAOS_CLOCK": str(file)} if self.is_there else {}

    def set(self, seconds: int) -> None:
        """Let it be so far ahead of the machine's. Written in place: it is mapped into memory elsewhere."""
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))
