"""A second implementation, written by a third party from the protocol's text alone: it shares no code with ours, passes
every vector, and comes to the same machine hash after every step of random exchanges."""

import os
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from tests.support.generator.generator import Generator
from tests.support.judge.bench import Bench, Case
from tests.support.second import Second, find_misreadings, run_vectors

VECTORS = Path(__file__).parent
IS_LONG = os.environ.get("SETOFF_LONG") == "1"
STEPS = 100_000 if IS_LONG else 2_000
FREQUENT = {"work", "sweep", "idle", "unused input", "unused batch"}
"""Kinds of steps that come so often that some of them stand for all."""
AT_ONCE = 200
"""Steps in one question."""


UNREAD = {
    "codec": ["cranks[].name", "messages[].name", "records[].name"],  # they have a number, too
    "histories": ["lie.end"],  # nothing shows the end of a history but siblings, which a lie does not give
    "l1": ["games[].contracts.judge", "games[].what"],  # the court alone calls the judge; and words
}
"""Fields that say nothing by which a verifier could be wrong."""


@pytest.mark.slow
def test_it_passes_every_vector_and_reads_every_field() -> None:
    summary = run_vectors(VECTORS)
    assert set(summary) == {file.stem for file in VECTORS.glob("*.json")}
    for name, family in summary.items():
        assert family["failures"] == [] and all(
            part["passed"] == part["total"] > 0 for part in family["parts"].values()
        ), name
    assert {name: family["unread"] for name, family in summary.items() if family["unread"]} == UNREAD


def test_a_file_that_it_does_not_read_is_found(tmp_path: Path) -> None:
    for file in VECTORS.glob("*.json"):
        (tmp_path / file.name).symlink_to(file)
    (tmp_path / "meadows.json").write_text("{}")
    with pytest.raises(AssertionError, match=r"nobody reads meadows\.json"):
        run_vectors(tmp_path)


@pytest.mark.timeout(10_000 if IS_LONG else 300)
def test_it_comes_to_the_same_hash_after_random_steps() -> None:
    judged: Counter[str] = Counter()
    waiting: list[Case] = []
    with Second() as second:

        def compare(case: Case) -> None:
            waiting.append(case)
            if len(waiting) >= AT_ONCE:
                answers = second.ask(waiting)
                for asked, answer in zip(waiting, answers, strict=True):
                    assert answer == {"post": "0x" + asked.post.hex()}, (asked.kind, asked.position)
                waiting.clear()

        life = 0
        while judged.total() < STEPS:
            rng = Random(life)
            bench = Bench(None, judged=judged)
            bench.compare = compare
            bench.choose = lambda kind, rng=rng: kind not in FREQUENT or rng.random() < 0.05
            generator = Generator(life, bench.machine)
            plan = generator.opening()
            for number in range(60):
                bench.run(*plan)
                if judged.total() >= STEPS:
                    break
                plan = generator.batch() if number % 4 else generator.crisis()
            life += 1
    assert len(judged) > 50, judged


def test_the_vectors_catch_a_sample_of_the_misreadings() -> None:
    """That they pass what is not misread is for the tests above."""
    assert "MISSED" not in find_misreadings(VECTORS, every=180, control=False)


@pytest.mark.long
@pytest.mark.timeout(0)
def test_the_vectors_catch_the_misreadings_that_they_caught() -> None:
    """A tenth of them: ways to read the page otherwise, each as a change of the second implementation."""
    assert "MISSED" not in find_misreadings(VECTORS, every=10)
