"""The second implementation (`tests/second`, in TypeScript), asked for the steps that ours has taken."""

import json
import subprocess
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.judge.bench import Case

from setoff.deploy.tools.vectors import plain, write_registers
from setoff.shared.machine.blobs import find_setup
from setoff.shared.state.registers import Registers

RUN = Path(__file__).resolve().parents[2] / "deploy" / "run"


@lru_cache(maxsize=1)
def find_second() -> Path:
    """The folder with a Node (`node`) and the compiled program (`dist/`)."""
    found = subprocess.run([str(RUN), "second-path"], capture_output=True, text=True, check=False)
    assert not found.returncode, found.stderr[-2000:]
    return Path(found.stdout.strip())


def run_vectors(folder: Path) -> dict[str, Any]:
    """What it says of a folder of vectors: by file how many it took, how many came out right, and which fields it never
    asked for."""
    second = find_second()
    words = [str(second / "node"), str(second / "dist/cli/vectors.js"), str(folder), str(find_setup()), "--json"]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    assert found.stdout, found.stderr[-2000:]
    summary: dict[str, Any] = json.loads(found.stdout)
    return summary


def find_misreadings(folder: Path, every: int, *, control: bool = True) -> str:
    """What becomes of every so-manieth misreading, in words; `control`: and whether what is not misread passes.

    Raises AssertionError if it does not, or a misreading does not apply any more.
    """
    second = find_second()
    words = [
        str(second / "node"),
        str(second / "tools/misreadings.mjs"),
        "--every",
        str(every),
        "--vectors",
        str(folder),
        "--setup",
        str(find_setup()),
        *([] if control else ["--no-control"]),
    ]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    assert not found.returncode, found.stdout[-2000:] + found.stderr[-2000:]
    return found.stdout


def write_case(case: Case) -> dict[str, Any]:
    """A step as one of `steps.json`, without its answer."""
    proof = case.proof
    return {
        "first_batch": case.first,
        "position": case.position,
        "pre": plain(case.pre),
        "state_root": plain(proof.state_root),
        "registers": write_registers(Registers.decode(proof.registers)),
        "input": plain(proof.step_input),
        "witness": [plain({"key": leaf.key, "old": leaf.value, **leaf.path._asdict()}) for leaf in proof.witness],
    }


class Second:
    """It as a process that answers one line after the other."""

    def __init__(self) -> None:
        second = find_second()
        self._process = subprocess.Popen(
            [str(second / "node"), str(second / "dist/cli/serve.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()

    def ask(self, cases: Sequence[Case]) -> list[dict[str, Any]]:
        """What it comes to after each step."""
        assert self._process.stdin and self._process.stdout
        request = {"batch_count": 1, "steps": [write_case(case) for case in cases], "want": ["post"]}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answers: list[dict[str, Any]] = json.loads(self._process.stdout.readline())["steps"]
        return answers
