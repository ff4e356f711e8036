"""What builds packages of the project (PEP 517): setuptools, and for who asks for it wheels with compiled rules.

A wheel is pure, for any platform, and needs no compiler. `SETOFF_BUILD=compiled pip wheel .` makes one for this
interpreter and platform that has the compiled modules beside their sources; it fails where they cannot be compiled. So
does an installation from a source distribution, which is pure, too, unless it is asked.

It runs before anything of the project is installed, so it imports nothing of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

from setuptools import build_meta
from setuptools.build_meta import (
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

ROOT: Final = Path(__file__).resolve().parents[2]
COMPILED: Final = "setoff/shared/compiled"
"""Where `shared/build.py` looks for compiled modules in a wheel."""
_COMPILER: Final = ["mypy>=2.4,<3"]

Settings = Mapping[str, Any] | None


def is_compiled() -> bool:
    """Whether the environment asks for compiled rules."""
    return os.environ.get("SETOFF_BUILD") == "compiled"


def get_requires_for_build_wheel(config_settings: Settings = None) -> list[str]:
    """What building a wheel needs beside setuptools."""
    found: list[str] = build_meta.get_requires_for_build_wheel(config_settings)
    return [*found, *(_COMPILER if is_compiled() else ())]


def build_wheel(wheel_directory: str, config_settings: Settings = None, metadata_directory: str | None = None) -> str:
    """Build a wheel; its file name."""
    name: str = build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)
    return add_compiled(Path(wheel_directory, name)).name if is_compiled() else name


def add_compiled(wheel: Path) -> Path:
    """Compile, and put what comes out into a wheel, which is for this interpreter and platform from then on."""
    interpreter = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    tag = f"{interpreter}-{interpreter}{getattr(sys, 'abiflags', '')}-{platform}"
    target = wheel.with_name(wheel.name.replace("py3-none-any", tag))
    with tempfile.TemporaryDirectory() as folder:
        made = compile_into(Path(folder))
        with ZipFile(wheel) as before, ZipFile(target, "w", ZIP_DEFLATED) as after:
            files = {info.filename: before.read(info) for info in before.infolist() if not info.is_dir()}
            paths = sorted(path for path in made.rglob("*") if path.is_file())
            files |= {f"{COMPILED}/{path.relative_to(made)}": path.read_bytes() for path in paths}
            about = next(name for name in files if name.endswith(".dist-info/WHEEL"))
            record = about.replace("WHEEL", "RECORD")
            said = files[about].decode().replace("Root-Is-Purelib: true", "Root-Is-Purelib: false")
            files[about] = said.replace("py3-none-any", tag).encode()
            del files[record]
            lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in files.items()]
            files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
            for name, data in files.items():
                after.writestr(name, data)
    wheel.unlink()
    return target


def compile_into(folder: Path) -> Path:
    """Compile the modules of this work tree; the folder in `folder` that holds theirs. Exits where that fails."""
    # The packages lie where their names say only in a tree of links.
    home = folder / "links" / "setoff"
    home.mkdir(parents=True)
    for name in ("shared", "deploy"):
        (home / name).symlink_to(ROOT / name, target_is_directory=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(home.parent), *filter(None, sys.path)])}
    command = (sys.executable, "-m", "setoff.deploy.build.compile", str(folder / "made"))
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"SETOFF_BUILD=compiled asks for compiled rules. {done.stdout.strip()}")
    return folder / "made"


def _digest(data: bytes) -> str:
    return urlsafe_b64encode(sha256(data).digest()).rstrip(b"=").decode()
