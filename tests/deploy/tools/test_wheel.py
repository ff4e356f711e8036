"""A wheel of the project holds every module and every file that its code reads."""

from __future__ import annotations

import tomllib
from pathlib import Path
from zipfile import ZipFile

from tests.support.wheels import ROOT, build_wheel, copy_sources

FOLDERS = ("operator", "watcher", "shared", "contracts", "deploy")
SUFFIXES = (".py", ".c", ".h", ".vy", ".vyi", ".json", ".toml", ".lock")
"""What is read at run time: code (what is compiled, too: its digest says what of), contracts, ABIs, presets."""
CONSOLE = "shared/console/app"
"""What npm makes the web console of, in a clone alone: a wheel has none."""


def test_wheel_holds_every_package_and_what_they_read(tmp_path: Path) -> None:
    source = copy_sources(tmp_path)
    wheel = build_wheel(source, tmp_path)
    with ZipFile(wheel) as archive:
        held = set(archive.namelist())
    wanted = {
        f"setoff/{path.relative_to(source).as_posix()}"
        for folder in FOLDERS
        for path in (source / folder).rglob("*")
        if path.suffix in SUFFIXES and not path.is_relative_to(source / CONSOLE)
    }
    assert len(wanted) > 200
    assert sorted(wanted - held) == []
    assert "setoff/operator/__init__.py" not in held
    assert not [name for name in held if not name.startswith(("setoff/", "setoff-"))]
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    for package in packages:
        assert any(name.startswith(package.replace(".", "/") + "/") for name in held), package
