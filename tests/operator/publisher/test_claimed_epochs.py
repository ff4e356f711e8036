"""The epochs that the operator claims: the truth, checked against what L1 confirms, kept as long as they are needed."""

import pytest
from tests.support.machines.wrong_fast_path import draw, spoil

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.operator.publisher.claimed_epochs import ClaimedEpochs
from setoff.shared.codec.records import BUY, SELL
from setoff.shared.errors import DataError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import EVERY_STEP, Machine
from setoff.shared.machine.spot_checks import SpotChecks, WrongFastPath


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


def swept(traffic: SampleTraffic) -> list[Batch]:
    """Two batches: positions that are opened and closed, then a sweep that comes by the accounts that had them."""
    messages = [traffic.deposit(1, 10**9), traffic.deposit(2, 10**9)]
    messages += [traffic.list_market(max_age=10**6), traffic.set_signer(max_age=10**6)]
    sides = ((1, SELL), (2, BUY), (2, SELL), (1, BUY))
    orders = [traffic.order(account, side, 100, 5) for account, side in sides]
    first = traffic.seal(messages, [traffic.report(0, 100), *orders])
    traffic.time += 60
    return [first, traffic.seal([], [traffic.crank(), traffic.withdraw(2, 7)])]


@pytest.mark.parametrize("is_drawn", [True, False], ids=["before the claim", "in a dispute"])
def test_a_wrong_fast_path_is_found_before_a_bond_goes_down_or_a_move_is_made(
    traffic: SampleTraffic, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, is_drawn: bool
) -> None:
    batches = swept(traffic)
    machine, ends = Machine.genesis(traffic.domain), []
    machine.many_accounts = EVERY_STEP
    for batch in batches:
        machine.run_batch(batch)
        ends.append(machine.hash())
    spoil(monkeypatch)
    draw(monkeypatch, every=is_drawn)
    monkeypatch.setattr(SpotChecks, "begin_epoch", lambda checks, inputs: None)
    epochs = ClaimedEpochs(Machine.genesis(traffic.domain))
    with pytest.raises(WrongFastPath) as found:
        for batch in batches:
            epochs.extend([batch])
        assert [epochs[number].run.end for number in range(2)] != ends, "nobody has looked yet"
        _ = epochs[1].run.root
    epochs.distrust(found.value)
    assert "ALARM" in caplog.text and epochs.next == 0
    assert [epochs.extend([batch]).end for batch in batches] == ends
    assert len(epochs[1].run.root) == 32
