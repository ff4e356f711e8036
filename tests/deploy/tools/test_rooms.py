"""The pages at the doors of the rooms: each fault that the check is for, on a house of three rooms."""

from pathlib import Path

import pytest

from setoff.deploy.tools import rooms


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A house in which every page is true."""
    for top in rooms.TOPS:
        (tmp_path / top).mkdir()
        (tmp_path / top / "README.md").write_text(f"# {top}\n")
    room = tmp_path / "shared" / "rules"
    room.mkdir()
    (room / "margin.py").write_text('"""What an account must hold. And more."""\n')
    (room / "README.md").write_text(f"# Rules\n\nBegin with `margin.py`.\n\n{rooms.MARK}\n{rooms.make_list(room)}")
    return tmp_path


def test_a_true_house_has_no_fault(house: Path) -> None:
    assert list(rooms.find_faults(house)) == []
    assert (house / "shared/rules/README.md").read_text().endswith("- `margin.py`: What an account must hold\n")


def test_the_work_tree_has_no_fault() -> None:
    assert list(rooms.find_faults()) == []


def test_catches_a_room_without_a_page(house: Path) -> None:
    (house / "watcher" / "chain").mkdir()
    (house / "watcher" / "chain" / "follower.py").write_text('"""Follows."""\n')
    assert list(rooms.find_faults(house)) == ["watcher/chain: there is no README.md at the door"]


def test_catches_a_file_the_page_says_nothing_of_and_mends_it(house: Path) -> None:
    (house / "shared" / "rules" / "book.py").write_text('"""The book: price, then time."""\n')
    (fault,) = rooms.find_faults(house)
    assert fault.startswith("shared/rules/README.md: its list of files is missing or stale")
    assert list(rooms.find_faults(house, fix=True)) == []
    assert "- `book.py`: The book: price, then time\n" in (house / "shared/rules/README.md").read_text()


def test_catches_a_page_that_names_what_is_gone(house: Path) -> None:
    (house / "shared" / "README.md").write_text("Begin with `step.py`.\n")
    assert list(rooms.find_faults(house)) == ["shared/README.md: names step.py, which is not there"]


def test_catches_a_file_that_does_not_say_what_it_is_for(house: Path) -> None:
    (house / "shared" / "rules" / "margin.py").write_text("x = 1\n")
    rooms.find_faults(house)
    assert "shared/rules/margin.py: does not say what it is for" in list(rooms.find_faults(house, fix=True))


def test_catches_a_page_longer_than_a_screen(house: Path) -> None:
    (house / "deploy" / "README.md").write_text("line\n" * (rooms.SCREEN + 1))
    assert list(rooms.find_faults(house)) == [
        f"deploy/README.md: {rooms.SCREEN + 1} lines, {rooms.SCREEN} fit on a screen"
    ]
