"""What several of the sequencer's tests begin with."""

import pytest

from setoff.operator.sequencer import l1_monitor


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reset begins at once."""
    monkeypatch.setattr(l1_monitor, "RESET_PAUSE", 0.0)
