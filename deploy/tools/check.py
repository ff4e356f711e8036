"""What must hold of the source before any test runs: everything that `list_checks` names.

`deploy/run check` calls this. Every check runs, and the report says which ones failed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from setoff.deploy.tools.constants import find_commented_constants
from setoff.deploy.tools.dependencies import find_dependency_errors
from setoff.deploy.tools.pointers import find_stale_pointers
from setoff.deploy.tools.rooms import find_faults
from setoff.deploy.tools.rule_labels import find_label_faults
from setoff.deploy.tools.tests_alone import find_test_imports

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("operator", "watcher", "shared", "contracts", "deploy")
TOP_LEVEL = {*FOLDERS, "tests", "pyproject.toml", "README.md", "LICENSE"}

# mypy and import-linter do not know how pyproject.toml maps folders to packages. They are shown a folder in which the
# packages lie where their names say: `.types/setoff/shared` is a link to `shared`, and so on.
MIRROR = ROOT / ".types"
MIRROR_ENVIRONMENT = {"MYPYPATH": str(MIRROR), "PYTHONPATH": str(MIRROR)}

OF_TESTS = (
    *(
        "arg-type",
        "assignment",
        "dict-item",
        "func-returns-value",
        "import-untyped",
        "import-not-found",
        "index",
        "misc",
    ),
    *("no-any-return", "no-untyped-call", "no-untyped-def", "operator", "override", "return-value", "type-arg"),
    *("union-attr", "unreachable", "unused-ignore", "var-annotated", "call-overload"),
)
"""Kinds of type errors that tests may have: they pass wrong things on purpose, and build what they need on the spot."""


@dataclass(frozen=True)
class Outcome:
    """How one check went: an empty report means that it passed."""

    name: str
    seconds: float
    report: str

    @property
    def passed(self) -> bool:
        return not self.report


# --- packaging -------------------------------------------------------------------------------------------------------


def find_stray_names() -> Iterator[str]:
    """The root holds what it is meant to hold; names with a dot are the tools' own."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    for name in sorted({line.split("/", 1)[0] for line in tracked.splitlines()}):
        if not name.startswith((".", '"')) and name not in TOP_LEVEL:
            yield f"{name}: does not belong at the top level"
    if (ROOT / "operator" / "__init__.py").exists():
        yield "operator/__init__.py: shadows the standard library's operator, delete it"


def find_unlisted_packages(project: Mapping[str, Any]) -> Iterator[str]:
    """Every folder with Python modules is a package that a wheel would contain."""
    listed = set(project["tool"]["setuptools"]["packages"])
    present = {
        "setoff." + ".".join(module.parent.relative_to(ROOT).parts)
        for folder in FOLDERS
        for module in (ROOT / folder).rglob("*.py")
    }
    for package in sorted(present - listed):
        yield f"{package}: missing from [tool.setuptools] packages in pyproject.toml"
    for package in sorted(listed):
        folder = ROOT.joinpath(*package.split(".")[1:])
        if not folder.is_dir():
            yield f"{package}: listed in pyproject.toml, but there is no such folder"
        elif package in present and package != "setoff.operator" and not (folder / "__init__.py").exists():
            yield f"{package}: has no __init__.py"


def find_lock_errors(project: Mapping[str, Any]) -> Iterator[str]:
    """The lock pins what pyproject.toml asks for, with hashes, and names no server."""
    text = (ROOT / "deploy" / "requirements.lock").read_text()
    pins = {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, flags=re.MULTILINE)
    }
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    for requirement in map(Requirement, wanted):
        version = pins.get(canonicalize_name(requirement.name))
        if version is None:
            yield f"{requirement}: not in deploy/requirements.lock, run `deploy/run lock`"
        elif not requirement.specifier.contains(version, prereleases=True):
            yield f"{requirement}: deploy/requirements.lock has {version}, run `deploy/run lock`"
    for path in sorted((ROOT / "deploy").glob("**/*lock*")):
        if path.is_file() and re.search(r'://|"resolved"|--(extra-)?index|--find-links', path.read_text()):
            yield f"{path.relative_to(ROOT)}: names a server"


def find_version_errors(project: Mapping[str, Any]) -> Iterator[str]:
    """`deploy/run` looks for the Pythons that pyproject.toml names, and for no other."""
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(project["project"]["classifiers"]))
    written = re.search(r"^versions='([\d. ]+)'", (ROOT / "deploy" / "run").read_text(), flags=re.MULTILINE)
    if written is None or written[1].split() != named[::-1]:
        yield f"deploy/run: its `versions` are not those of pyproject.toml's classifiers, newest first: {named[::-1]}"
    allowed = SpecifierSet(project["project"]["requires-python"])
    for version in (f"3.{minor}" for minor in range(9, 20)):
        if allowed.contains(f"{version}.5") != (version in named):
            yield f"pyproject.toml: requires-python and the classifiers disagree about Python {version}"


def check_packaging() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    faults = [
        *find_stray_names(),
        *find_unlisted_packages(project),
        *find_lock_errors(project),
        *find_version_errors(project),
        *find_dependency_errors(project, ROOT, FOLDERS),
    ]
    return "\n".join(faults)


# --- the tools -------------------------------------------------------------------------------------------------------


def make_mirror() -> None:
    """Lay out `.types/setoff/…`, see MIRROR."""
    home = MIRROR / "setoff"
    home.mkdir(parents=True, exist_ok=True)
    for folder in FOLDERS:
        link = home / folder
        if not link.is_symlink():
            link.symlink_to(Path("..", "..", folder), target_is_directory=True)


def run_tool(*command: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a tool at the root; what it says if it fails, nothing if it does not."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return ""
    said = done.stdout.replace(".types/setoff/", "").strip()
    return said or f"exit code {done.returncode}, and not a word"


def check_types() -> str:
    packages = [argument for folder in FOLDERS for argument in ("-p", f"setoff.{folder}")]
    command = (sys.executable, "-m", "mypy", "--no-error-summary", *packages)
    return run_tool(*command, environment=MIRROR_ENVIRONMENT)


def check_test_types() -> str:
    """Whether what tests ask for is there, and called as it is made; what they pass is their affair."""
    lenient = [word for code in OF_TESTS for word in ("--disable-error-code", code)]
    loose = ("--follow-imports=silent", "--implicit-reexport", "--cache-dir", ".types/.mypy_cache_tests")
    command = (sys.executable, "-m", "mypy", "--no-error-summary", *loose, *lenient, "-p", "tests")
    path = f"{MIRROR}{os.pathsep}{ROOT}"
    return run_tool(*command, environment={"MYPYPATH": path, "PYTHONPATH": path})


def check_layers() -> str:
    command = (str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    said = run_tool(*command, environment=MIRROR_ENVIRONMENT)
    return "\n".join(line for line in said.splitlines() if not set(line) & set("╔╗╚╝║"))  # without the tool's emblem


def check_tests() -> str:
    return "\n".join(find_test_imports(ROOT, FOLDERS))


def check_twins() -> str:
    return run_tool(sys.executable, "-m", "setoff.deploy.tools.twins")


def check_interfaces(*, fix: bool) -> str:
    return run_tool(sys.executable, "-m", "setoff.deploy.tools.interfaces", *(["--fix"] if fix else []))


def check_abi(*, fix: bool) -> str:
    return run_tool(sys.executable, "-m", "setoff.deploy.tools.abi", *(["--fix"] if fix else []))


def check_settings(*, fix: bool) -> str:
    return run_tool(sys.executable, "-m", "setoff.deploy.tools.settings_reference", *(["--fix"] if fix else []))


def list_checks(*, fix: bool) -> dict[str, Callable[[], str]]:
    ruff = (sys.executable, "-m", "ruff")
    lint = (*ruff, "check", "--quiet", *(["--fix"] if fix else []), ".")
    form = (*ruff, "format", "--quiet", *([] if fix else ["--diff"]), ".")
    return {
        "lint": lambda: run_tool(*lint),
        "format": lambda: run_tool(*form),
        "constants": lambda: "\n".join(find_commented_constants(ROOT, (*FOLDERS, "tests"))),
        "packaging": check_packaging,
        "pointers": lambda: "\n".join(find_stale_pointers(ROOT, (*FOLDERS, "tests"))),
        "rooms": lambda: "\n".join(find_faults(fix=fix)),
        "labels": lambda: "\n".join(find_label_faults(ROOT, (*FOLDERS, "tests"), fix=fix)),
        "types": check_types,
        "test types": check_test_types,
        "layers": check_layers,
        "circles": lambda: run_tool(sys.executable, "-m", "setoff.deploy.tools.cycles"),
        "tests": check_tests,
        "twins": check_twins,
        "abi": lambda: check_abi(fix=fix),
        "settings": lambda: check_settings(fix=fix),
        "interfaces": lambda: check_interfaces(fix=fix),
    }


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--fix"]):
        print("usage: deploy/run check [--fix]", file=sys.stderr)
        return 2
    make_mirror()

    def run(item: tuple[str, Callable[[], str]]) -> Outcome:
        name, check = item
        start = time.monotonic()
        report = check()
        return Outcome(name, time.monotonic() - start, report)

    outcomes = []
    fix = "--fix" in arguments
    # Side by side, unless files are being rewritten.
    with ThreadPoolExecutor(max_workers=1 if fix else 2) as pool:
        for outcome in pool.map(run, list_checks(fix=fix).items()):
            outcomes.append(outcome)
            print(f"{outcome.name:<10} {'ok' if outcome.passed else 'FAILED':<7} {outcome.seconds:5.1f} s", flush=True)
            if outcome.report:
                print("\n" + "\n".join(f"    {line}" for line in outcome.report.splitlines()) + "\n", flush=True)
    failed = [outcome.name for outcome in outcomes if not outcome.passed]
    print(f"check: {'failed: ' + ', '.join(failed) if failed else 'all is well'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
