"""The vectors alone show small changes of the rules: a sample of them here, all of them in the long run."""

from dataclasses import replace

import pytest
from tests.support.mutation.run import FILES, judge, list_all, list_equivalent
from tests.support.mutation.suite import Suite

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


@pytest.mark.long
@pytest.mark.timeout(3 * 3600)
def test_nearly_all_mutants_are_killed() -> None:
    listed = list_equivalent()
    mutants = list_all()
    names = {mutant.name for mutant in mutants}
    assert set(listed) <= names, "a change that cannot be made any more is listed"
    survivors = {mutant.name for mutant, is_killed in judge(Suite(FILES), mutants, workers=2) if not is_killed}
    assert set(listed) <= survivors, "what is killed is listed"
    missed = survivors - set(listed)
    assert len(missed) <= (len(mutants) - len(listed)) * 3 // 100, sorted(missed)
