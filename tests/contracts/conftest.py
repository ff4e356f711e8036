"""The contracts for the tests of this folder."""

import pytest
from tests.support.courts.arena import Arena


@pytest.fixture
def arena() -> Arena:
    """With one epoch posted."""
    return Arena()
