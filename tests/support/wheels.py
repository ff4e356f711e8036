"""A wheel of the project, built from a copy of what git tracks: a build leaves files beside what it builds."""

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
PIP: Final = ("-m", "pip", "--no-input", "--disable-pip-version-check")


def copy_sources(folder: Path) -> Path:
    """The tracked files, but the tests."""
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    source = folder / "source"
    for name in filter(None, tracked.split("\0")):
        if name.split("/")[0] != "tests" and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    return source


def build_wheel(source: Path, folder: Path) -> Path:
    """Build it there, without asking a registry for anything."""
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(source))
    subprocess.run([sys.executable, *PIP, "wheel", *options], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel
