"""An operator that claims a false end: its one lie, what is built on it, and the way back to the truth."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from setoff.deploy.cli.main import main
from setoff.deploy.simulation.faults import FAULTS
from setoff.deploy.simulation.lies import CLAIM_LIES, RECEIPT_LIES
from setoff.deploy.simulation.lying_publisher import FalseEpochs
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import DataError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine

FALSE_FROM = 1


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


def claim(
    traffic: SampleTraffic, batches: list[Batch], is_confirmed: Callable[[int], bool] = lambda _: False
) -> FalseEpochs:
    epochs = FalseEpochs(
        Machine.genesis(traffic.domain), fault="wrong-root", from_batch=FALSE_FROM, is_confirmed=is_confirmed
    )
    for batch in batches:
        epochs.extend([batch])
    return epochs


def test_a_lie_is_told_once_and_built_upon(traffic: SampleTraffic, batches: list[Batch], truth: list[bytes]) -> None:
    epochs = claim(traffic, batches)
    assert epochs.told == FALSE_FROM
    assert epochs[0].run.end == truth[0]
    assert all(epochs[number].run.end != truth[number] for number in (1, 2, 3))
    assert epochs[2].run.start_hash == epochs[1].run.end


def test_returns_to_the_truth_that_l1_confirmed(
    traffic: SampleTraffic, batches: list[Batch], truth: list[bytes]
) -> None:
    epochs = claim(traffic, batches)
    epochs.check(1, truth[0])
    assert epochs.next == 4
    epochs.check(2, truth[1])
    assert epochs.next == 2
    for batch in batches[2:]:
        epochs.extend([batch])
    assert [epochs[number].run.end for number in range(4)] == truth


def test_knows_the_truth_by_itself(traffic: SampleTraffic, batches: list[Batch]) -> None:
    with pytest.raises(DataError):
        claim(traffic, batches).check(2, bytes(32))


def test_a_lie_is_not_wasted_on_what_l1_has_confirmed(
    traffic: SampleTraffic, batches: list[Batch], truth: list[bytes]
) -> None:
    epochs = claim(traffic, batches, lambda epoch: epoch <= FALSE_FROM)
    assert epochs.told == FALSE_FROM + 1
    assert [epochs[number].run.end for number in (0, 1)] == truth[:2] and epochs[2].run.end != truth[2]


PARTIES: dict[str, Iterable[str]] = {"publisher": CLAIM_LIES, "sequencer": RECEIPT_LIES, "watcher": FAULTS}


@pytest.mark.parametrize("party", PARTIES)
def test_every_party_explains_its_lies(party: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["scenario", "liar", party, "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert all(lie in told for lie in PARTIES[party])


@pytest.mark.parametrize("party", PARTIES)
def test_nobody_lies_on_mainnet(party: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = "0x" + "11" * 20
    Deployment(1, *[nowhere] * 7).save(tmp_path / "deployment.json")
    words = ["scenario", "liar", party, f"--lie={next(iter(PARTIES[party]))}"]
    assert main([*words, "--set", f"deployment={tmp_path / 'deployment.json'}"]) == 2
    assert "test networks" in capsys.readouterr().err
