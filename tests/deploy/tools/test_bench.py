"""What is held of benchmarks: a ratio that got worse fails the run, one within its noise does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from setoff.deploy.tools import bench
from setoff.shared.build import COMPILED, PLAIN


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Benchmarks of this test alone."""
    monkeypatch.setattr(bench, "FOLDER", tmp_path / "tests" / "benchmarks")
    bench.FOLDER.mkdir(parents=True)
    return bench.FOLDER


def write(folder: Path, name: str, value: float, held: str = "") -> None:
    """A benchmark with one figure, and what is held of it."""
    text = f"from setoff.deploy.tools.bench import Held\n{held}\ndef run(): return {{'a_to_b': {value}}}\n"
    (folder / f"bench_{name}.py").write_text(text)


def test_a_ratio_is_worse_beyond_its_noise_in_either_build() -> None:
    held = {"a_to_b": bench.Held(compiled=2, plain=4)}
    for build, limit in ((COMPILED, 2), (PLAIN, 4)):
        assert bench.find_worse({"a_to_b": limit * 1.19}, held, build) == []
        assert bench.find_worse({"a_to_b": limit * 1.21}, held, build) == [
            f"a to b is {bench.format_figure(limit * 1.21)}, {limit} is stated"
        ]


def test_what_got_worse_fails_where_it_is_held(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, "free", 100)
    write(folder, "kept", 2.2, "HELD = {'a_to_b': Held(2, 2)}")
    assert bench.main([], is_held=True) == 0
    said = capsys.readouterr().out
    assert "kept" in said and "free" not in said and "every ratio is as stated, or better" in said
    write(folder, "lost", 3, "HELD = {'a_to_b': Held(2, 2)}")
    assert bench.main([], is_held=True) == 1
    assert "lost: a to b is 3, 2 is stated" in capsys.readouterr().out
    assert bench.main(["kept"], is_held=True) == 0
    assert bench.main(["lost"]) == 0
