"""The check that constants are documented in one way finds those that are not."""

from pathlib import Path

import pytest

from setoff.deploy.tools.constants import find_commented_constants


@pytest.mark.parametrize(
    "source",
    ["#: Seconds.\nPERIOD = 3\n", "PERIOD = 3  # seconds\n", "class Clock:\n    #: Seconds.\n    period = 3\n"],
)
def test_finds_a_constant_with_a_comment(tmp_path: Path, source: str) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "clock.py").write_text(source)
    (found,) = find_commented_constants(tmp_path, ("shared",))
    assert found.startswith("shared/clock.py:")


def test_other_comments_may_stand(tmp_path: Path) -> None:
    (tmp_path / "clock.py").write_text(
        'PERIOD = 3\n"""Seconds."""\n# So many words.\nlong = 4  # noqa: E741\n\nDAYS = (\n    1,  # Monday\n)\n'
        "\n\ndef tick() -> int:\n    step = 1  # at a time\n    return step\n"
    )
    assert list(find_commented_constants(tmp_path, (".",))) == []
