"""The committed vectors are those that the generator makes, cover the protocol, and stay small."""

import json
from pathlib import Path

import pytest
from tests.support.scene_vectors import EDGES_FILE, Edges, build_scenes
from tests.support.vectors import HERE, load

from setoff.deploy.tools.vectors import NAMES, build, render, write
from setoff.shared import errors
from setoff.shared.rules import phases

# On one worker, so that they are made once.
pytestmark = pytest.mark.xdist_group("vectors")

FILES = sorted(path.name for path in HERE.glob("*.json"))


@pytest.fixture(scope="module")
def documents() -> dict[str, object]:
    """What comes of variants is what is committed: they are played once, by `test_python.py`."""
    return build(known=json.loads((HERE / "scenes.json").read_text()))


@pytest.mark.slow
def test_every_file_is_committed(documents: dict[str, object]) -> None:
    assert sorted(documents) == FILES


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_a_committed_file_is_what_the_generator_makes(name: str, documents: dict[str, object]) -> None:
    assert (HERE / name).read_text() == render(documents[name])


@pytest.mark.slow
def test_writing_them_elsewhere_gives_the_same_files(tmp_path: Path, documents: dict[str, object]) -> None:
    write(tmp_path / "vectors", documents=documents)
    assert sorted(path.name for path in (tmp_path / "vectors").iterdir()) == FILES


def test_every_outcome_and_every_phase_occurs() -> None:
    steps = load("steps")["steps"]
    assert {step["outcome"] for step in steps} == set(errors.OUTCOMES)
    names = {step["name"] for step in steps}
    assert names >= set(phases.NAMES)
    kinds = {name.removeprefix("fetch ") for name in names if name.startswith("fetch")}
    assert kinds == {*NAMES.values(), "unknown"}
    assert max(len(step["witness"]) for step in steps) == phases.MAX_LEAVES


def test_they_are_small() -> None:
    sizes = {name: (HERE / name).stat().st_size for name in FILES}
    assert sizes.pop("scenes.json") < 9_000_000
    assert sizes.pop("witnesses.json") < 800_000
    assert sum(sizes.values()) < 8_500_000


def test_every_outcome_occurs_in_a_scene() -> None:
    scenes = load("scenes")["scenes"]
    seen = {outcome for scene in scenes for batch in scene["batches"] for outcome in batch["outcomes"]}
    assert seen == set(errors.OUTCOMES)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_edges_of_the_scenes_are_where_a_search_finds_them() -> None:
    found: Edges = {}
    build_scenes(found)
    assert found == json.loads(EDGES_FILE.read_text())
