"""A wheel of the project holds every module and every file that its code reads."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = ("operator", "watcher", "shared", "contracts", "deploy")
SUFFIXES = (".py", ".c", ".h", ".vy", ".vyi", ".json", ".toml", ".lock")
"""What is read at run time: code (what is compiled, too: its digest says what of), contracts, ABIs, presets."""


def test_wheel_holds_every_package_and_what_they_read(tmp_path: Path) -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    source = tmp_path / "source"  # a build leaves files beside what it builds
    for name in filter(None, tracked.split("\0")):
        if name.split("/")[0] != "tests" and (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = (sys.executable, "-m", "pip", "--no-input", "--disable-pip-version-check", "wheel", "--quiet")
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(tmp_path), str(source))
    subprocess.run([*command, *options], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        held = set(archive.namelist())
    wanted = {
        f"setoff/{path.relative_to(source).as_posix()}"
        for folder in FOLDERS
        for path in (source / folder).rglob("*")
        if path.suffix in SUFFIXES
    }
    assert len(wanted) > 200
    assert sorted(wanted - held) == []
    assert "setoff/operator/__init__.py" not in held
    assert not [name for name in held if not name.startswith(("setoff/", "setoff-"))]
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    for package in packages:
        assert any(name.startswith(package.replace(".", "/") + "/") for name in held), package
