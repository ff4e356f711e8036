"""The check of pointers finds what points to nothing."""

from pathlib import Path

import pytest

from setoff.deploy.tools.pointers import find_stale_pointers


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("see section 3", ["a section 3"]),
        ("sections 1 and 4", ["a section 4"]),
        ("'shared/gone.py' did it", ["names shared/gone.py"]),
        ("section 2, 'shared/here.py', 'shared/here', 'gone.py'", []),
    ],
)
def test_finds_what_points_to_nothing(tmp_path: Path, text: str, said: list[str]) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "PROTOCOL.md").write_text("## 1. Words\n")
    (tmp_path / "shared" / "RATIONALE.md").write_text("## 2. Deeds\n")
    quoted = text.replace("'", "`")
    (tmp_path / "shared" / "here.py").write_text(f'"""{quoted}"""\n')
    found = list(find_stale_pointers(tmp_path, ("shared",)))
    assert len(found) == len(said) and all(part in line for part, line in zip(said, found, strict=True))
