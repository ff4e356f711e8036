"""Signers that are found ahead of the steps that ask for them are those that each record has by itself, once."""

from __future__ import annotations

import pytest

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.records import BUY

COUNT = 80


def recover_alone(domain: bytes, record: bytes) -> bytes | None:
    return signatures.recover(eip712.digest(domain, record), record[records.BODY_BYTES :])


def make_batch(traffic: SampleTraffic) -> list[bytes]:
    """Signed records, one that nobody signs, and one whose signature is none."""
    signed = [traffic.order(1 + number % 5, BUY, 90, 1 + number) for number in range(COUNT)]
    return [*signed, traffic.crank(1), signed[0][: records.BODY_BYTES] + bytes(records.SIGNATURE_BYTES)]


@pytest.mark.parametrize("is_helped", [False, True])
def test_they_are_those_of_each_by_itself(is_helped: bool) -> None:
    traffic = SampleTraffic()
    batch = make_batch(traffic)
    alone = [recover_alone(traffic.domain, record) for record in batch if record[0] in records.SIGNED]
    assert alone[-1] is None and None not in alone[:COUNT]
    eip712.recover_ahead(traffic.domain, batch, is_helped=is_helped)
    for _ in range(2):  # found ahead, and by itself
        found = [eip712.recover_signer(traffic.domain, record) for record in batch if record[0] in records.SIGNED]
        assert found == alone
    assert not eip712._ahead


def test_they_are_of_one_domain_and_of_one_batch() -> None:
    traffic = SampleTraffic()
    batch = make_batch(traffic)
    other = bytes(range(32))
    eip712.recover_ahead(other, batch)
    assert eip712.recover_signer(traffic.domain, batch[0]) == recover_alone(traffic.domain, batch[0])
    eip712.recover_ahead(traffic.domain, batch[:3])
    assert len(eip712._ahead) == 3


def test_without_a_thread_to_help_they_are_found_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoThread:
        def __init__(self, **_: object) -> None: ...

        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(eip712, "Thread", NoThread)
    traffic = SampleTraffic()
    batch = make_batch(traffic)
    eip712.recover_ahead(traffic.domain, batch, is_helped=True)
    assert eip712.recover_signer(traffic.domain, batch[1]) == recover_alone(traffic.domain, batch[1])
