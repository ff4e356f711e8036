"""The rules run in two builds that do the same, and nothing compiled is taken for a source that was edited since."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from setoff.deploy.build import compile as compiling
from setoff.shared import BUILD, build

ROOT = Path(__file__).resolve().parents[2]
WHICH = "import setoff.shared; from setoff.shared.rules import phases; print(setoff.shared.BUILD.name, phases.__file__)"


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST")} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def setoff(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run("-m", "setoff.deploy.cli", *words, **environment)


@pytest.fixture
def compiled() -> Path:
    """The folder with what is compiled of the sources as they are."""
    found = build.find_build()
    if found.folder is None:
        pytest.skip(found.reason)
    return found.folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where compiled modules are looked for in this test."""
    monkeypatch.setattr(build, "list_homes", lambda: (tmp_path,))
    return tmp_path


@pytest.fixture
def copy(tmp_path: Path, compiled: Path) -> Iterator[Path]:
    """A copy of `shared/`, which whoever has its parent's parent on the path imports; compiled as the original is."""
    shared = tmp_path / "setoff" / "shared"
    shutil.copytree(build.SHARED, shared, ignore=shutil.ignore_patterns("__pycache__"))
    home = shared / "compiled" / compiled.name
    home.parent.mkdir(exist_ok=True)
    home.symlink_to(compiled, target_is_directory=True)
    yield shared


def import_from(copy: Path) -> list[str]:
    done = run("-c", WHICH, SETOFF_BUILD="auto", SETOFF_CACHE=str(copy / "none"), PYTHONPATH=str(copy.parents[1]))
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


# --- which build runs -------------------------------------------------------------------------------------------------


def test_what_is_compiled_from_these_sources_runs(copy: Path) -> None:
    name, file = import_from(copy)
    assert name == "compiled" and file.startswith(str(copy)) and file.endswith(build.SUFFIX)


@pytest.mark.parametrize("edited", ["rules/phases.py", "errors.py", "machine/tracing.py"])
def test_an_edited_source_runs_and_nothing_compiled(copy: Path, edited: str) -> None:
    times = (copy / edited).stat()
    with (copy / edited).open("a") as source:
        source.write("\n# edited\n")
    os.utime(copy / edited, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert import_from(copy) == ["plain", str(copy / "rules" / "phases.py")]


def test_a_source_that_is_put_back_runs_compiled_again(copy: Path) -> None:
    source = copy / "rules" / "phases.py"
    text = source.read_text()
    source.write_text(text + "\n")
    assert import_from(copy)[0] == "plain"
    source.write_text(text)
    assert import_from(copy)[0] == "compiled"


def test_says_that_the_sources_have_changed(home: Path) -> None:
    (home / build.name_folder("0" * 16)).mkdir()
    assert build.find_build().is_stale


def test_of_another_interpreter_nothing_is_stale(home: Path) -> None:
    (home / f"{build.compute_digest(build.list_sources())}.cpython-39-x86_64-linux-gnu").mkdir()
    assert build.find_build() == build.Build(build.PLAIN, build.MISSING)


def test_a_source_more_is_a_change(tmp_path: Path) -> None:
    for room in build.ROOMS:
        shutil.copytree(build.SHARED / room, tmp_path / room)
    for name in build.BESIDE:
        shutil.copy(build.SHARED / name, tmp_path)
    before = build.list_sources(tmp_path)
    assert build.compute_digest(before, tmp_path) == build.compute_digest(build.list_sources())
    (tmp_path / "rules" / "added.py").touch()
    after = build.list_sources(tmp_path)
    assert build.compute_digest(after, tmp_path) != build.compute_digest(before, tmp_path)
    assert "setoff.shared.rules.added" in build.list_modules(after)


def test_the_command_line_says_that_they_have_changed(tmp_path: Path) -> None:
    (tmp_path / "modules" / build.name_folder("0" * 16)).mkdir(parents=True)
    shared = tmp_path / "setoff" / "shared"
    for folder in ("shared", "deploy", "contracts"):
        shutil.copytree(ROOT / folder, tmp_path / "setoff" / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (shared / "rules" / "phases.py").write_text((shared / "rules" / "phases.py").read_text() + "\n")
    where = {"SETOFF_BUILD": "", "SETOFF_CACHE": str(tmp_path), "PYTHONPATH": str(tmp_path)}
    done = setoff("wallet", "--help", **where)
    assert done.stderr.strip() == f"setoff: {build.STALE}"
    done = setoff("--version", **where)
    assert done.stdout.splitlines()[1] == f"rules: plain ({build.STALE})" and not done.stderr


def test_the_version_tells_the_build(compiled: Path) -> None:
    for name, said in (("plain", "plain (SETOFF_BUILD=plain)"), ("compiled", "compiled"), ("auto", "compiled")):
        for words in (["version"], ["--version"]):
            done = setoff(*words, SETOFF_BUILD=name)
            assert done.stdout.splitlines()[1] == f"rules: {said}"


def test_an_unknown_build_is_refused() -> None:
    done = setoff("verify", SETOFF_BUILD="fast")
    assert done.returncode == 2
    assert done.stderr.strip() == "setoff: SETOFF_BUILD is 'fast': it may be compiled, plain or auto"


def test_a_build_that_is_asked_for_and_not_there_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETOFF_BUILD", "compiled")
    monkeypatch.setattr(sys, "meta_path", [])
    assert build.choose().name == build.PLAIN
    (finder,) = sys.meta_path
    assert finder.find_spec("setoff.shared.errors", None) is None
    with pytest.raises(build.BuildError, match="not compiled"):
        finder.find_spec("setoff.shared.rules.phases", None)


# --- without a compiler -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "compiler, reason",
    [("false", "'false' cannot compile for this Python"), ("/nowhere/cc", "there is no C compiler '/nowhere/cc'")],
)
def test_without_a_compiler_set_up_says_so(tmp_path: Path, compiler: str, reason: str) -> None:
    done = run("-m", "setoff.deploy.build.compile", str(tmp_path), CC=compiler)
    assert done.returncode == compiling.UNABLE
    (line,) = done.stdout.splitlines()
    assert line.startswith("The rules run from their sources, slower: ") and reason in line
    assert list(tmp_path.iterdir()) == []


def test_without_pythons_headers_set_up_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sysconfig, "get_path", lambda name: "/nowhere/include")
    with pytest.raises(compiling.UnableError, match=r"Python.h is missing in /nowhere/include .*python3\.\d+-dev"):
        compiling.check_compiler()


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "check_compiler", lambda: None)
    (tmp_path / "file").touch()
    with pytest.raises(compiling.UnableError, match="cannot be written"):
        compiling.compile_modules(tmp_path / "file" / "home")


def test_old_builds_go_and_the_newest_stay(tmp_path: Path) -> None:
    for age in range(5):
        (tmp_path / f"built{age}").mkdir()
        os.utime(tmp_path / f"built{age}", (10**9 - age, 10**9 - age))
    (tmp_path / ".draft-left").mkdir()
    os.utime(tmp_path / ".draft-left", (10**9, 10**9))
    (tmp_path / ".draft-new").mkdir()
    compiling.drop_old(tmp_path, kept=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".draft-new", "built0", "built1"]


# --- what is compiled -------------------------------------------------------------------------------------------------


def test_compiled_classes_keep_their_annotations() -> None:
    text = "from __future__ import annotations\n\nclass Leaf:\n    size: U64 = 0\n    name: str\n\n\nx: int = 1\n"
    kept = compiling.keep_annotations(text).split("\n")
    assert kept[0].startswith("from __future__ import annotations; from setoff.shared.build import annotate")
    assert kept[5] == "_annotate(Leaf, globals(), size='U64', name='str')"
    assert [line for place, line in enumerate(kept) if place not in (0, 5)] == [
        line for place, line in enumerate(text.split("\n")) if place not in (0, 5)
    ]


SAMPLE = (
    "tests/vectors/test_python.py",
    "tests/shared/machine/test_machine.py",
    "tests/shared/machine/test_tracing.py::test_several_processes_give_the_history_of_one",
)
"""The vectors, which are to the byte; snapshots, and a run in several processes."""
LONG_SAMPLE = (
    "tests/shared/machine/test_tracing.py",
    "tests/differential/test_steps.py::test_judge_agrees_with_machine[0]",
)
"""Runs cut into chunks anywhere; steps beside their twins in Vyper."""


def run_compiled(*sample: str) -> None:
    options = ("-q", "-p", "no:cacheprovider", "--no-header", "--tb=short", "-m", "not long")
    done = run("-m", "pytest", *options, *sample, SETOFF_BUILD="compiled")
    assert done.returncode == 0, done.stdout[-5000:]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(BUILD.name == build.COMPILED, reason="the whole run is of the compiled build")
def test_the_compiled_build_does_the_same(compiled: Path) -> None:
    run_compiled(*SAMPLE)


@pytest.mark.long
@pytest.mark.timeout(10_000)
@pytest.mark.skipif(BUILD.name == build.COMPILED, reason="the whole run is of the compiled build")
def test_the_compiled_build_does_the_same_beside_its_twins(compiled: Path) -> None:
    run_compiled(*LONG_SAMPLE)


@pytest.mark.long
def test_compiles_and_finds_what_it_has_compiled(home: Path) -> None:
    try:
        compiling.check_compiler()
    except compiling.UnableError as error:
        pytest.skip(str(error))
    folder, is_new = compiling.compile_modules(home)
    assert is_new and build.find_build() == build.Build(build.COMPILED, folder=folder)
    assert compiling.compile_modules(home) == (folder, False)
    assert [path.name for path in home.iterdir()] == [folder.name]
