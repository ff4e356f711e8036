"""The operator's line of epochs: the truth, a lie and what is built on it, and the way back."""

import pytest

from setoff.deploy.simulation.sample_traffic import Scene
from setoff.operator.publisher.claimed_epochs import MAINNET, SILENT, Lie, Line
from setoff.shared.errors import ConfigError, DataError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine

TESTNET = 31337


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def batches(scene: Scene) -> list[Batch]:
    """Four batches: funds first, then a transfer in each."""
    first = scene.seal([scene.deposit(1, 1000), scene.deposit(2, 1000)], [])
    return [first, *(scene.seal([], [scene.transfer(1, 2, amount)]) for amount in (1, 2, 3))]


def true_ends(scene: Scene, batches: list[Batch]) -> list[bytes]:
    machine, ends = Machine.genesis(scene.domain), []
    for batch in batches:
        machine.run_batch(batch)
        ends.append(machine.hash())
    return ends


def line_of(scene: Scene, batches: list[Batch], lie: Lie | None = None) -> Line:
    line = Line(Machine.genesis(scene.domain), lie=lie)
    for batch in batches:
        line.extend([batch])
    return line


def test_an_honest_line_is_the_truth(scene: Scene, batches: list[Batch]) -> None:
    line = line_of(scene, batches)
    assert [line.start_hash(number) for number in range(1, 5)] == true_ends(scene, batches)
    assert not any(line[number].is_lie for number in range(4))


def test_a_lie_is_told_once_and_built_upon(scene: Scene, batches: list[Batch]) -> None:
    truth = true_ends(scene, batches)
    line = line_of(scene, batches, Lie("wrong-root", 1, TESTNET))
    assert [line[number].is_lie for number in range(4)] == [False, True, False, False]
    assert line[0].run.end == truth[0]
    assert all(line[number].run.end != truth[number] for number in (1, 2, 3))
    assert line[2].run.start_hash == line[1].run.end


def test_returns_to_the_truth_that_l1_confirmed(scene: Scene, batches: list[Batch]) -> None:
    truth = true_ends(scene, batches)
    line = line_of(scene, batches, Lie("wrong-root", 1, TESTNET))
    assert not line.correct(1, truth[0])
    assert line.correct(2, truth[1])
    assert line.next == 2
    for batch in batches[2:]:
        line.extend([batch])
    assert [line[number].run.end for number in range(4)] == truth


def test_refuses_a_confirmed_start_that_is_not_the_truth(scene: Scene, batches: list[Batch]) -> None:
    with pytest.raises(DataError):
        line_of(scene, batches).correct(2, bytes(32))


def test_a_lie_is_not_wasted_on_what_l1_has_confirmed(scene: Scene, batches: list[Batch]) -> None:
    truth = true_ends(scene, batches)
    line = Line(Machine.genesis(scene.domain), lie=Lie("wrong-root", 1, TESTNET))
    for number, batch in enumerate(batches):
        line.extend([batch], is_confirmed=number <= 1)
    assert [line[number].is_lie for number in range(4)] == [False, False, True, False]
    assert [line[number].run.end for number in (0, 1)] == truth[:2] and line[2].run.end != truth[2]


def test_goes_on_after_what_was_forgotten_or_cut(scene: Scene, batches: list[Batch]) -> None:
    line, truth = line_of(scene, batches), true_ends(scene, batches)
    line.forget(2)
    assert (line.first, line.start_hash(2)) == (2, truth[1])
    line.cut(3)
    assert line.next == 3
    assert line.extend([batches[3]]).end == truth[3]


@pytest.mark.parametrize("name", ["wrong-root", SILENT])
def test_nobody_lies_on_mainnet(name: str) -> None:
    with pytest.raises(ConfigError):
        Lie(name, 0, MAINNET)


def test_refuses_an_unknown_lie() -> None:
    with pytest.raises(ConfigError):
        Lie("white", 0, TESTNET)
