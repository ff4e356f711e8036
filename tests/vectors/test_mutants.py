"""The vectors alone show small changes of the rules: a sample of them here, all of them in the long run."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.mutation.mutants import list_mutants
from tests.support.mutation.results import Results
from tests.support.mutation.run import FILES, judge, judge_all, list_all, list_equivalent, read_list
from tests.support.mutation.suite import Suite

from setoff.shared.cache import get_cache_folder

# Mutants are of sources.
pytestmark = pytest.mark.plain

SAMPLE = 420
"""Of so many mutants one is judged in the default run."""


def test_a_sample_of_the_mutants_is_killed() -> None:
    listed = list_equivalent()
    files = tuple(file for file in FILES if file.startswith("shared/rules/"))
    mutants = [mutant for mutant in list_all(files) if not mutant.is_loading and mutant.name not in listed]
    sample = mutants[::SAMPLE]
    suite = Suite(files, is_traced=False)
    assert [mutant.name for mutant, is_killed in judge(suite, sample) if not is_killed] == []
    # What is not changed lives: of all checks `test_python.py` says so.
    del suite.checks[50:]
    assert not suite.is_killed(replace(sample[0], number=-1))


def test_what_is_listed_is_there() -> None:
    """A change that cannot be made any more, a function that is gone, a name that stands twice: none is listed."""
    groups = read_list()
    listed = [f"{group['file']}: {name}" for group in groups["equivalent"] for name in group["mutants"]]
    assert len(listed) == len(set(listed))
    assert set(listed) - {mutant.name for mutant in list_all()} == set()
    outside = {(group["file"], name) for group in groups["outside"] for name in group["functions"]}
    assert (
        outside - {(m.file, place) for file in FILES for m in list_mutants(file) for place in list_places(m.where)}
        == set()
    )
    assert all(group["why"] for part in groups.values() for group in part)


def list_places(where: str) -> list[str]:
    """The class, the method …: all that a mutant is inside of."""
    parts = where.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def test_a_run_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as nothing has changed that it depends on."""
    first, second = list_mutants("shared/rules/step.py")[:2]
    kept = tmp_path / "kept"
    Results(kept).keep(iter([(first, True), (second, False)])).__next__()
    assert Results(kept).known == {first.name: True}
    assert list(judge_all(("shared/rules/step.py",), [first], 1, kept)) == [(first, True)]
    monkeypatch.setattr("tests.support.mutation.results.compute_stamp", lambda: "another")
    assert Results(kept).known == {}


@pytest.mark.long
@pytest.mark.timeout(0)
def test_nearly_all_mutants_are_killed() -> None:
    """Hours: it goes on where it was stopped."""
    listed = list_equivalent()
    mutants = list_all()
    results = judge_all(FILES, mutants, 2, get_cache_folder() / "mutants.jsonl")
    survivors = {mutant.name for mutant, is_killed in results if not is_killed}
    assert listed <= survivors, "what is killed is listed"
    missed = survivors - listed
    assert len(missed) <= (len(mutants) - len(listed)) * 3 // 100, sorted(missed)
