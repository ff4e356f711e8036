"""Every named lie ends elsewhere, is honest up to its target, and is caught by one honest step."""

import pytest

from setoff.deploy.simulation.faults import FAULTS, plan_fault
from setoff.deploy.simulation.sample_traffic import SampleTraffic, play_epoch
from setoff.shared.codec.records import BUY, SELL
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.epoch import EpochRun, split_trace_position
from setoff.shared.machine.history import EPOCH
from setoff.shared.machine.machine import Machine


@pytest.fixture(scope="module")
def start() -> Machine:
    return Machine.genesis(SampleTraffic().domain)


def play_liquidation() -> list[Batch]:
    """An account buys with all it has; later the price falls and time passes."""
    traffic = SampleTraffic()
    funds = (92_000, 10**9, 10**9)
    messages = [traffic.list_market(), traffic.set_signer(), *(traffic.deposit(i, x) for i, x in enumerate(funds, 1))]
    trading = [
        traffic.report(0, 100),
        traffic.order(2, SELL, 100, 900),
        traffic.order(1, BUY, 100, 900),
        traffic.order(3, BUY, 94, 500),
    ]
    first = traffic.seal(messages, trading)
    traffic.time += 61
    return [first, traffic.seal((), [traffic.report(0, 94), traffic.crank(1), traffic.crank(1)])]


@pytest.fixture(scope="module")
def epochs() -> dict[str, list[Batch]]:
    return {
        "": play_epoch(SampleTraffic()),
        **dict.fromkeys(("skipped-liquidation", "wrong-funding"), play_liquidation()),
    }


@pytest.fixture
def batches(epochs: dict[str, list[Batch]], request: pytest.FixtureRequest) -> list[Batch]:
    """An epoch in which the lie of the test has a place."""
    name = getattr(request.node, "callspec", None)
    return epochs.get(name.params.get("name", "") if name else "", epochs[""])


@pytest.fixture
def honest(start: Machine, batches: list[Batch]) -> EpochRun:
    return EpochRun(start, batches, ZERO)


def find_first_difference(one: EpochRun, other: EpochRun) -> int:
    """Position of the first leaf in which two histories differ, found as a game does."""
    prefix = 0
    for level in range(EPOCH.levels):
        pairs = zip(one.children(level, prefix), other.children(level, prefix), strict=True)
        prefix = prefix * 32 + next(i for i, (a, b) in enumerate(pairs) if a != b)
    return prefix


@pytest.mark.parametrize("name", FAULTS)
def test_a_lie_is_honest_before_its_target_and_wrong_from_there(
    name: str, start: Machine, batches: list[Batch], honest: EpochRun
) -> None:
    stepper = plan_fault(name, start, batches)
    assert stepper is not None
    lie = EpochRun(start, batches, ZERO, stepper)
    assert lie.end != honest.end
    assert lie.root != honest.root
    at = find_first_difference(honest, lie)
    assert lie.leaf(at) != honest.leaf(at)
    if at:
        assert lie.leaf(at - 1) == honest.leaf(at - 1)
        assert lie.machine_before(at).hash() == honest.leaf(at - 1)
    # From the common state the honest step gives the honest leaf, whoever proves it.
    batch, input_index, micro = split_trace_position(at)
    machine = lie.machine_before(at)
    machine.step(batches[batch], input_index, micro)
    assert machine.hash() == honest.leaf(at)


def test_a_lie_that_would_be_healed_is_told_where_it_lasts(start: Machine) -> None:
    traffic = SampleTraffic()
    messages = [
        traffic.list_market(),
        traffic.set_signer(),
        traffic.deposit(1, 0),
        traffic.deposit(1, 5),
        traffic.deposit(1, 0),
    ]
    batch = traffic.seal(messages, [traffic.report(0, 5), traffic.report(0, 6, time=traffic.time + 1), bytes(124)])
    honest = EpochRun(start, [batch], ZERO)
    for name, input_index in (("wrong-price", 6), ("double-deposit", 3)):
        stepper = plan_fault(name, start, [batch])
        assert stepper is not None
        assert (
            split_trace_position(find_first_difference(honest, EpochRun(start, [batch], ZERO, stepper)))[1]
            == input_index
        )


@pytest.mark.parametrize("name", FAULTS)
def test_a_liar_knows_every_leaf_of_the_lie(name: str, start: Machine, batches: list[Batch]) -> None:
    stepper = plan_fault(name, start, batches)
    assert stepper is not None
    lie = EpochRun(start, batches, ZERO, stepper)
    assert lie.leaf(EPOCH.positions - 1) == lie.end


@pytest.mark.parametrize("name", FAULTS)
def test_an_epoch_in_which_a_lie_has_no_place_has_none(name: str, start: Machine) -> None:
    assert plan_fault(name, start, [SampleTraffic().seal()]) is None


def test_the_lie_about_a_liquidation_leaves_the_account_its_position(start: Machine) -> None:
    batches = play_liquidation()
    stepper = plan_fault("skipped-liquidation", start, batches)
    assert stepper is not None
    ends = [EpochRun(start, batches, ZERO, *way).end_machine() for way in ((), (stepper,))]
    assert [end.state.account(1).positions[0].size for end in ends] == [675, 900]


def test_planning_a_lie_leaves_the_machine_alone(start: Machine, batches: list[Batch]) -> None:
    before = start.hash()
    plan_fault("wrong-fill", start, batches)
    assert start.hash() == before


def test_refuses_unknown_lie(start: Machine, batches: list[Batch]) -> None:
    with pytest.raises(KeyError):
        plan_fault("white-lie", start, batches)
