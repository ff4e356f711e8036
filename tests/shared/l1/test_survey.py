"""Several endpoints: who lies or lags is named, and asked last."""

from collections.abc import Iterator

import pytest
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import FaultyNode

from setoff.deploy.devnet.anvil import Anvil
from setoff.shared.l1 import endpoint, survey
from setoff.shared.l1.rpc import SPLIT, Node
from setoff.shared.l1.survey import Survey


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "INTERVAL", 0.0)


@pytest.fixture
def three(anvil: Anvil) -> Iterator[tuple[FaultyNode, Node]]:
    """The first of three endpoints, and a node that has them."""
    with FaultyNode(anvil.url) as first, FaultyNode(anvil.url) as second, FaultyNode(anvil.url) as third:
        yield first, Node([first.url, second.url, third.url])


def test_who_lies_lags_or_is_silent_is_named_and_asked_last(anvil: Anvil, three: tuple[FaultyNode, Node]) -> None:
    anvil.mine(10)
    with Anvil() as fork:
        first, node = three
        fork.advance(1000)
        fork.mine(9)
        comparison = Survey(node, 3)
        assert comparison.look() == []
        for fault, words in (
            (faults.Elsewhere(first, fork.url), "for block 7, others do not"),
            (faults.Lagging(5), "is 5 blocks behind"),
            (faults.Reset(), "does not answer"),
            (faults.Malformed(5), "does not answer"),
        ):
            first.faults = [fault]
            (complaint,) = comparison.look()
            assert complaint.startswith(first.url.removeprefix("http://")) and complaint.count(words) == 1
            before = first.asked.total()
            assert node.head().number == 10 and first.asked.total() == before
        first.faults = []
        assert comparison.look() == []
        before = first.asked.total()
        assert node.head().number == 10 and first.asked.total() == before + 1


def test_who_is_ahead_of_all_others_is_not_the_one_to_believe(anvil: Anvil, three: tuple[FaultyNode, Node]) -> None:
    anvil.mine(10)
    with Anvil() as fork:
        first, node = three
        fork.mine(20)
        first.faults = [faults.Elsewhere(first, fork.url)]
        (complaint,) = Survey(node, 3).look()
        assert complaint.startswith(first.url.removeprefix("http://")) and "10 blocks ahead" in complaint
        assert node.head().hash == anvil.l1.head().hash


def test_of_two_that_differ_both_are_named(anvil: Anvil) -> None:
    anvil.mine(10)
    with Anvil() as fork:
        fork.advance(1000)
        fork.mine(9)
        found = Survey(Node(f"{anvil.url},{fork.url}"), 3).look()
        assert len(found) == 2 and all("block 7" in complaint for complaint in found)


def test_one_endpoint_has_nobody_to_be_compared_with(anvil: Anvil) -> None:
    with FaultyNode(anvil.url) as only:
        assert Survey(Node(only.url), 3).look() == [] and not only.asked


def test_an_only_one_that_contradicts_itself_is_told_of_for_a_while(
    anvil: Anvil, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(anvil.url)
    node.note_split()
    (complaint,) = Survey(node, 3).look()
    assert complaint.startswith(node.hosts) and "name a second L1 node beside it" in complaint
    monkeypatch.setattr(endpoint, "SPLIT_TOLD", 0.0)
    assert Survey(node, 3).look() == []


def test_one_of_several_that_contradicts_itself_is_asked_last_for_a_while(
    three: tuple[FaultyNode, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, node = three
    node.note_split()
    (complaint,) = Survey(node, 3).look()
    assert complaint == f"{node.endpoints[0].host} {SPLIT}: it is asked last"
    before = first.asked.total()
    assert node.head() and first.asked.total() == before
    monkeypatch.setattr(endpoint, "SPLIT_TOLD", 0.0)
    assert node.head() and first.asked.total() == before + 1
