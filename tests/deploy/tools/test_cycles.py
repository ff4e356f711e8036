"""Import circles are found, however they are hidden."""

from pathlib import Path

import pytest

from setoff.deploy.tools.cycles import find_cycles, find_imports, list_modules

KNOWN = dict.fromkeys(("setoff.shared.a", "setoff.shared.b", "setoff.shared.room", "setoff.shared.room.c"), Path())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import setoff.shared.a", {"setoff.shared.a"}),
        ("from setoff.shared.a import value, other", {"setoff.shared.a"}),
        ("from setoff.shared import a, b", {"setoff.shared.a", "setoff.shared.b"}),
        ("from setoff.shared.room import c, value", {"setoff.shared.room", "setoff.shared.room.c"}),
        ("if TYPE_CHECKING:\n    from setoff.shared.a import A", {"setoff.shared.a"}),
        ("def late():\n    import setoff.shared.b", {"setoff.shared.b"}),
        ("import os\nfrom pathlib import Path\nfrom setoff.elsewhere import thing", set()),
    ],
)
def test_every_kind_of_import_counts(text: str, found: set[str]) -> None:
    assert find_imports(text, KNOWN) == found


def test_a_circle_is_told_once_and_by_its_shortest_way() -> None:
    graph = {"a": {"b", "c"}, "b": {"a"}, "c": {"d"}, "d": {"a"}, "e": {"a"}, "f": set[str]()}
    assert list(find_cycles(graph)) == [["a", "b", "a"], ["c", "d", "a", "c"]]


def test_the_product_has_none() -> None:
    modules = list_modules()
    assert "setoff.shared.l1.rpc" in modules and "setoff.shared.sdk" in modules
    assert list(find_cycles({name: find_imports(path.read_text(), modules) for name, path in modules.items()})) == []
