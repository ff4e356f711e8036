"""The vectors against the Python implementation, each by the shortest way through it."""

import pytest
from tests.support.vector_checks import Check, list_checks
from tests.support.vectors import HERE, load

DOCUMENTS = {path.stem: load(path.stem) for path in sorted(HERE.glob("*.json"))}
CHECKS = list(list_checks(DOCUMENTS))


def mark(check: Check) -> object:
    marks = [pytest.mark.xdist_group("blobs")] if check.file == "blobs" else []  # their set-up takes seconds to load
    return pytest.param(check, marks=marks, id=f"{check.file}: {check.name}")


@pytest.mark.parametrize("check", list(map(mark, CHECKS)))
def test_the_implementation_comes_to_what_the_vector_says(check: Check) -> None:
    check.run()


def test_signatures_are_of_either_kind() -> None:
    signers = [entry["signer"] for entry in DOCUMENTS["codec"]["signatures"]]
    assert 10 < len(signers) - signers.count(None) < len(signers) - 10
