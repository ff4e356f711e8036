"""The check that tests import no tests, and nothing but tests what they share, finds where that is not so."""

from pathlib import Path

import pytest

from setoff.deploy.tools.tests_alone import find_test_imports


@pytest.mark.parametrize(
    ("path", "line", "said"),
    [
        ("tests/test_one.py", "from tests.shared.test_other import helper", "tests.shared.test_other"),
        ("tests/test_one.py", "from tests import conftest", "tests.conftest"),
        ("tests/test_one.py", "def test():\n    import tests.benchmarks.bench_gas", "tests.benchmarks.bench_gas"),
        ("tests/support/world.py", "from tests.supportive import helper", "tests.supportive"),
        ("tests/helpers.py", "", "is no test"),
        ("shared/world.py", "from tests.support.world import World", "tests.support.world"),
    ],
)
def test_finds_what_must_not_be(tmp_path: Path, path: str, line: str, said: str) -> None:
    for folder in ("tests/support", "shared"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "tests/test_two.py").write_text(
        "from tests.support import world\nfrom tests.support.world import World"
    )
    (tmp_path / path).write_text(line)
    (found,) = find_test_imports(tmp_path, ("shared",))
    assert path in found and said in found
