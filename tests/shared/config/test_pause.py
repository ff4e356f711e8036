"""What failed is left alone for longer each time, and no longer than is said."""

import pytest

from setoff.shared.config import pause
from setoff.shared.config.pause import Pause


def test_doubles_up_to_its_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(pause.time, "monotonic", lambda: now)
    one = Pause(0.25, 1.0)
    assert one.is_over
    for length in (0.25, 0.5, 1.0, 1.0):
        one.begin()
        now += length - 0.01
        assert not one.is_over
        now += 0.02
        assert one.is_over
    one.begin(0.5)
    now += 1.0
    one.begin()
    now += 0.6
    assert one.is_over, "the failure before may soon have been gone"
