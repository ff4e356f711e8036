"""Numbers of orders lead to client ids and back, without a store; cloids survive a restart in a file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setoff.shared.gateway import order_ids
from setoff.shared.gateway.order_ids import FOREIGN, HASHED, Cloids, hash_cloid, is_client_id, to_oid
from setoff.shared.gateway.refusals import BotError


def test_orders_without_a_cloid_get_numbers_that_rise() -> None:
    cloids = Cloids(None)
    made = [cloids.make(None) for _ in range(1000)]
    assert made == sorted(set(made)) and made[0] > 0 and made[-1] < HASHED
    assert Cloids(None).make(None) > made[0], "after a restart they go on"


@given(st.integers(0, 2**128 - 1))
def test_a_cloid_is_always_the_same_number(cloid: int) -> None:
    text = f"{cloid:#034x}"
    number = hash_cloid(text)
    assert number == hash_cloid(text.replace("0x", "", 1).upper().join(["0x", ""]))
    assert HASHED <= number < FOREIGN and is_client_id(number) and to_oid(number, 7) == number


@pytest.mark.parametrize("cloid", ["", "0x12", "12" * 16, "0x" + "g" * 32, 5])
def test_what_is_no_cloid_is_refused(cloid: object) -> None:
    with pytest.raises(BotError, match="Invalid cloid"):
        hash_cloid(cloid)


@pytest.mark.parametrize("client", [0, FOREIGN, 2**64 - 1])
def test_an_order_that_another_client_sent_is_named_by_its_number_in_the_history(client: int) -> None:
    assert to_oid(client, 41) == FOREIGN + 41 and not is_client_id(client)


def test_cloids_are_known_after_a_restart_and_only_the_latest_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_ids, "KEPT", 10)
    file = tmp_path / "cloids"
    cloids = Cloids(file)
    texts = [f"{number:#034x}" for number in range(25)]
    made = [cloids.make(text) for text in texts]
    assert [cloids.find(client) for client in made[-10:]] == texts[-10:] and cloids.find(made[0]) is None
    assert file.stat().st_size <= 20 * order_ids.CLOID_BYTES
    file.write_bytes(file.read_bytes() + b"cut off")
    again = Cloids(file)
    assert [again.find(client) for client in made[-10:]] == texts[-10:]
