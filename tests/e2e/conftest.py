"""Whole systems run as users run them."""

import pytest
from tests.support.builds import AS_USERS


@pytest.fixture(autouse=True)
def build_of_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETOFF_BUILD", AS_USERS)
