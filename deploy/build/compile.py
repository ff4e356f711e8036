"""Compiles the pure modules of `shared/`: `python -m setoff.deploy.build.compile [FOLDER]`.

mypyc makes C of their sources as they are, and a C compiler makes a library of that (a minute or so on one core).
What comes out lies below FOLDER, else in the cache, in a folder of its own for just these sources and this interpreter
(`shared/build.py`); it appears there at once, when it is complete. One line says what was done. Exit code 0: they are
compiled, or were already; 3: there is no compiler here, or it cannot do it, which is no fault: the sources run as well.

It needs mypy, and nothing of the project but `shared/`.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec, source_hash
from pathlib import Path
from typing import Any, Final

from setoff.shared import build

OPTIMIZATION: Final = "1"
"""What gcc makes with -O3 is no faster, and takes longer to make."""
KEPT: Final = 8
"""Folders of compiled modules in the cache, the oldest go: of other sources, branches, interpreters."""
UNABLE: Final = 3

_FUTURE: Final = "from __future__ import annotations\n"
_SETTINGS: Final = """\
[mypy]
namespace_packages = true
explicit_package_bases = true
ignore_missing_imports = true
follow_imports = silent
"""
"""Where a wheel is built the packages that the rest of `shared/` imports need not be there."""


class UnableError(Exception):
    """They cannot be compiled here; the text says why, and what would help."""


def compile_modules(home: Path, jobs: int | None = None) -> tuple[Path, bool]:
    """The folder below `home` with the compiled modules of the sources as they are, and whether it is a new one.

    Raises UnableError where they cannot be compiled.
    """
    about = {"mypy": _get_mypy_version(), "tool": source_hash(Path(__file__).read_bytes()).hex()}
    found = home / build.name_folder(build.compute_digest(build.list_sources()))
    if (found / "about.json").is_file() and json.loads((found / "about.json").read_text()) == about:
        os.utime(found)
        return found, False
    check_compiler()
    print("Compiling the rules (a minute or so)", flush=True)
    try:
        home.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=home))
    except OSError as error:
        raise UnableError(f"{home} cannot be written ({error.strerror})") from error
    try:
        shared = draft / "source" / "setoff" / "shared"
        _copy_sources(shared)
        sources = build.list_sources(shared)
        folder = home / build.name_folder(build.compute_digest(sources, shared))  # before mypyc is shown other ones
        twins = build.list_twins(sources)
        rest = [name for name in build.list_modules(sources) if name not in twins]
        for name in twins:
            _make_twin(draft / "source", name, draft / "made")
        _run_mypyc(draft / "source", rest, draft / "made", jobs or os.cpu_count() or 1)
        _try_modules(draft / "made", build.list_modules(sources))
        (draft / "made" / "about.json").write_text(json.dumps(about) + "\n")
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # of two that compile the same, the first wins
            (draft / "made").rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder, True


def check_compiler() -> None:
    """Try whether C can be compiled against this Python. Raises UnableError, with what is missing."""
    headers = Path(sysconfig.get_path("include"))
    if not (headers / "Python.h").is_file():
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-dev"
        raise UnableError(f"Python.h is missing in {headers} (Debian: apt-get install {package})")
    command = _words("CC") or ["cc"]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "trial.c"
        source.write_text("#include <Python.h>\nint trial(void) { return PY_MAJOR_VERSION; }\n")
        arguments = ("-fPIC", "-shared", f"-I{headers}", str(source), "-o", str(source.with_suffix(".so")))
        try:
            done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        except OSError:
            raise UnableError(f"there is no C compiler '{command[0]}' (Debian: apt-get install gcc)") from None
        if done.returncode or not source.with_suffix(".so").is_file():
            said = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
            raise UnableError(f"the C compiler '{command[0]}' cannot compile for this Python: {said}")


def drop_old(home: Path, kept: int = KEPT) -> None:
    """Keep the newest folders of compiled modules; what was left unfinished an hour ago goes, too."""
    folders = sorted(home.iterdir(), key=lambda path: path.stat().st_mtime)
    done = [folder for folder in folders if not folder.name.startswith(".")]
    left = [folder for folder in folders if folder.name.startswith(".") and folder.stat().st_mtime < time.time() - 3600]
    for folder in (*done[:-kept], *left):
        shutil.rmtree(folder, ignore_errors=True)


def _get_mypy_version() -> str:
    try:
        return version("mypy")
    except PackageNotFoundError:
        raise UnableError("mypy is not installed, of which mypyc is a part") from None


def _copy_sources(to: Path) -> None:
    """A copy, so that what is edited meanwhile has another digest than what is compiled."""
    for source in (path for kind in build.KINDS for path in build.SHARED.rglob(f"*{kind}")):
        target = to / source.relative_to(build.SHARED)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def keep_annotations(text: str) -> str:
    """A source whose classes have their annotations when they are compiled, too.

    mypyc keeps `int` of a field that is annotated `U16`, from which `codec/layout.py` learns how wide it is. What is
    added stands in the line behind a class, which is empty, so that tracebacks fit the source.
    """
    module = ast.parse(text)
    lines = text.split("\n")
    for node in (each for each in module.body if isinstance(each, ast.ClassDef)):
        fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
        if fields:
            end = node.end_lineno or 0
            assert not lines[end], f"line {end + 1} is not empty"
            texts = (f"{ast.unparse(each.target)}={ast.unparse(each.annotation)!r}" for each in fields)
            lines[end] = f"_annotate({node.name}, globals(), {', '.join(texts)})"
    future = next(each for each in module.body if isinstance(each, ast.ImportFrom) and each.module == "__future__")
    lines[future.lineno - 1] += "; from setoff.shared.build import annotate as _annotate"
    return "\n".join(lines)


def _make_twin(root: Path, module: str, into: Path) -> None:
    """Compile a module that is there in C. Raises UnableError with the compiler's own words."""
    source = root.joinpath(*module.split(".")).with_suffix(".c")
    target = into.joinpath(*module.split(".")).with_name(source.stem + build.SUFFIX)
    target.parent.mkdir(parents=True, exist_ok=True)
    options = (*_words("CFLAGS"), *_words("CCSHARED"), f"-I{sysconfig.get_path('include')}", "-O2")
    for command in (
        (*_words("CC"), *options, "-c", str(source), "-o", f"{source}.o"),
        (*_words("LDSHARED"), f"{source}.o", "-o", str(target)),
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UnableError("the compiler failed:\n" + "\n".join(done.stderr.strip().splitlines()[-15:]))


def _run_mypyc(root: Path, modules: Sequence[str], into: Path, jobs: int) -> None:
    """Compile modules whose packages lie below `root`. Raises UnableError with mypyc's or the compiler's own words."""
    command = (sys.executable, "-m", __spec__.name, "--mypyc", str(root), str(into), str(jobs), *modules)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "MYPYPATH": str(root),
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).strip().splitlines() if "warning:" not in line]
        raise UnableError("mypyc or the compiler failed:\n" + "\n".join(said[-15:]))


def _try_modules(folder: Path, modules: Sequence[str]) -> None:
    """Import them, where what they need is installed. Raises UnableError if that fails."""
    if find_spec("coincurve") is None or find_spec("sha3") is None:
        return
    program = "\n".join(
        (
            "import importlib, pathlib, sys",
            "from setoff.shared import build",
            "folder, *modules = sys.argv[1:]",
            "sys.meta_path.insert(0, build.CompiledFinder(pathlib.Path(folder), modules))",
            "assert all(importlib.import_module(name).__spec__.origin.startswith(folder) for name in modules)",
        )
    )
    environment = {**os.environ, build.VARIABLE: build.PLAIN}
    command = (sys.executable, "-c", program, str(folder), *modules)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnableError(f"what was compiled does not load: {(done.stderr.strip().splitlines() or ['?'])[-1]}")


def make_library(root: Path, into: Path, jobs: int, modules: Sequence[str]) -> None:
    """What `_run_mypyc` has a process of its own do, since mypyc ends its process when it does not like something."""
    os.chdir(root)
    import setuptools  # noqa: F401  (mypyc looks whether it is there)
    from mypyc.build import mypycify

    Path("mypy.ini").write_text(_SETTINGS)
    paths = [Path(*module.split(".")).with_suffix(".py") for module in modules]
    for path in paths:
        text = path.read_text()
        if _FUTURE in text:
            path.write_text(keep_annotations(text))
    extensions = mypycify(
        ["--config-file=mypy.ini", *map(str, paths)],
        opt_level=OPTIMIZATION,
        debug_level="0",
        multi_file=True,
        group_name=build.GROUP,
        target_dir="c",
    )
    with ThreadPoolExecutor(jobs) as pool:
        for extension in extensions:
            target = into.joinpath(*extension.name.split(".")).with_name(extension.name.split(".")[-1] + build.SUFFIX)
            target.parent.mkdir(parents=True, exist_ok=True)
            objects = list(pool.map(partial(_compile, extension), extension.sources))
            _run(*_words("LDSHARED"), *objects, *extension.extra_link_args, "-o", str(target))


def _compile(extension: Any, source: str) -> str:
    """Compile a file of an extension; the name of what comes out."""
    headers = [f"-I{folder}" for folder in (*extension.include_dirs, sysconfig.get_path("include"))]
    options = (*_words("CFLAGS"), *_words("CCSHARED"), *extension.extra_compile_args, "-w")
    _run(*_words("CC"), *options, *headers, "-c", source, "-o", source + ".o")
    return source + ".o"


def _words(name: str) -> list[str]:
    """A command, or options, as Python itself was built with them; a compiler of the environment goes before."""
    words = str(sysconfig.get_config_var(name) or "").split()
    compiler = os.environ.get("CC", "").split()
    return compiler + words[1:] if compiler and name in ("CC", "LDSHARED") else words


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]}: {done.stderr.strip() or f'exit code {done.returncode}'}")


def main(arguments: Sequence[str]) -> int:
    """Compile, and say in a line what was done; the exit code."""
    if arguments[:1] == ["--mypyc"]:
        make_library(Path(arguments[1]), Path(arguments[2]), int(arguments[3]), arguments[4:])
        return 0
    home = Path(arguments[0]).resolve() if arguments else build.list_homes()[-1]
    begin = time.monotonic()
    try:
        _, is_new = compile_modules(home)
    except UnableError as error:
        print(f"The rules run from their sources, slower: {error}.")
        return UNABLE
    drop_old(home)
    print(
        f"The rules are compiled ({time.monotonic() - begin:.0f} s)." if is_new else "The rules were compiled already."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
