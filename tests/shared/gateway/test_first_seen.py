"""For which exchange a gateway signs where no deployment file says so."""

from pathlib import Path

import pytest

from setoff.shared.errors import DataError
from setoff.shared.gateway.first_seen import check_first_seen


def test_a_key_signs_for_the_exchange_that_it_was_first_used_at(tmp_path: Path) -> None:
    path = tmp_path / "state" / "domain"
    check_first_seen(path, b"\1" * 32)
    check_first_seen(path, b"\1" * 32)
    with pytest.raises(DataError, match="first used at 0101"):
        check_first_seen(path, b"\2" * 32)
    check_first_seen(path, b"\1" * 32)
