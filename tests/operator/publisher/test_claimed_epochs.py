"""The epochs that the operator claims: the truth, checked against what L1 confirms, kept as long as they are needed."""

import pytest

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.operator.publisher.claimed_epochs import ClaimedEpochs
from setoff.shared.errors import DataError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine


@pytest.fixture
def traffic() -> SampleTraffic:
    return SampleTraffic()


@pytest.fixture
def batches(traffic: SampleTraffic) -> list[Batch]:
    """Four batches: funds first, then a transfer in each."""
    first = traffic.seal([traffic.deposit(1, 1000), traffic.deposit(2, 1000)], [])
    return [first, *(traffic.seal([], [traffic.transfer(1, 2, amount)]) for amount in (1, 2, 3))]


@pytest.fixture
def truth(traffic: SampleTraffic, batches: list[Batch]) -> list[bytes]:
    machine, ends = Machine.genesis(traffic.domain), []
    for batch in batches:
        machine.run_batch(batch)
        ends.append(machine.hash())
    return ends


@pytest.fixture
def epochs(traffic: SampleTraffic, batches: list[Batch]) -> ClaimedEpochs:
    epochs = ClaimedEpochs(Machine.genesis(traffic.domain))
    for batch in batches:
        epochs.extend([batch])
    return epochs


def test_what_is_claimed_is_the_truth(epochs: ClaimedEpochs, truth: list[bytes]) -> None:
    assert [epochs.start_hash(number) for number in range(1, 5)] == truth
    for number, end in enumerate(truth, 1):
        epochs.check(number, end)


def test_refuses_a_confirmed_start_that_is_not_the_truth(epochs: ClaimedEpochs) -> None:
    with pytest.raises(DataError):
        epochs.check(2, bytes(32))
    epochs.check(5, bytes(32))  # not run yet


def test_goes_on_after_what_was_forgotten_or_cut(
    epochs: ClaimedEpochs, batches: list[Batch], truth: list[bytes]
) -> None:
    epochs.forget(2)
    assert (epochs.first, epochs.start_hash(2)) == (2, truth[1])
    epochs.cut(3)
    assert epochs.next == 3
    assert epochs.extend([batches[3]]).end == truth[3]
