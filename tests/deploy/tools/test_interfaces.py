"""The page of the contracts' calls is made from ABIs and sources; one that is old is told."""

from pathlib import Path

import pytest

from setoff.deploy.tools import interfaces
from setoff.shared.l1.contracts import INTERFACE


def test_every_function_and_event_is_there_with_a_word_about_it() -> None:
    page = interfaces.write_page()
    assert page == interfaces.PAGE.read_text()
    for name in interfaces.OF:
        section = page.split(f"\n## {name.capitalize()}\n")[1].split("\n## ")[0]
        for function in INTERFACE[name].functions.values():
            (row,) = [line for line in section.splitlines() if line.startswith(f"| `0x{function.selector.hex()}`")]
            assert f"`{function.name}(" in row and len(row.split("|")[3].strip()) > 5
        for event in INTERFACE[name].events.values():
            assert f"| `0x{event.topic.hex()}` | `{event.name}(" in section


def test_what_is_said_is_said_of_the_function_itself() -> None:
    """A function without a docstring does not get that of the next one."""
    assert interfaces.find_texts("inbox")["post"].startswith("Post the next batch:")
    assert "Returns: The confirmed machine hash" in interfaces.find_texts("court")["confirmed"]


def test_an_old_page_is_told_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(interfaces, "PAGE", tmp_path / "INTERFACES.md")
    assert interfaces.main([]) == 1
    assert "is not what the contracts say" in capsys.readouterr().out
    assert interfaces.main(["--fix"]) == 0 and interfaces.main([]) == 0
    assert interfaces.main(["--help"]) == 2
