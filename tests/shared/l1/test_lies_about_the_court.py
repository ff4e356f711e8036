"""A node that lies about the court in all that it does not have to prove is not believed."""

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import FaultyNode

from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import ChainError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.l1.storage import SLOTS

CLAIMANT = 6
FAR = 100
"""Blocks: a way that is read through the node's filter."""


class Scene:
    """A court with claims, each on the end of the one before."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.claimant = exchange.anvil.connect(CLAIMANT)
        self.contract = CourtContract(self.claimant, exchange.deployment.court)
        self.ends = [self.contract.genesis]

    def claim(self) -> int:
        """Post and claim the next epoch; the block of the claim."""
        epoch = len(self.ends) - 1
        self.exchange.post(epoch, 0)
        self.ends.append(keccak(b"the end of %d" % epoch))
        terms = self.contract.terms
        value = 0 if epoch % terms.stake_claims else terms.stake
        return self.contract.transact("claim", epoch, *self.ends[-2:], value=value).block_number

    def read(self, *urls: str) -> CourtReader:
        """A reader behind these endpoints, that has not looked yet."""
        l1 = L1(list(urls), patience=1.0)
        return CourtReader(CourtContract(l1, self.exchange.deployment.court), self.exchange.block)

    def shown_by(self, reader: CourtReader) -> list[bytes]:
        """The ends that it was shown claims for, without a complaint."""
        reader.poll()
        return [claim.end for claim in sorted(reader.court.claims.values(), key=lambda claim: claim.epoch)]


@pytest.fixture
def scene(exchange: Exchange) -> Scene:
    return Scene(exchange)


def tell_lie(scene: Scene, lie: str) -> faults.Fault:
    """Two claims, long ago, and a node's story about the second."""
    scene.claim()
    block = scene.claim()
    scene.exchange.anvil.mine(FAR)
    if lie == "conceals":
        return faults.Conceals(block)
    return faults.Forges({scene.ends[2].hex(): keccak(b"no such end").hex()})


@pytest.mark.parametrize("lie", ["conceals", "forges"])
def test_a_claim_that_the_only_node_lies_about_is_read_where_it_cannot_lie(
    scene: Scene, node: FaultyNode, lie: str
) -> None:
    node.faults = [tell_lie(scene, lie)]
    reader, complaints = scene.read(node.url), 0
    host = node.url.removeprefix("http://")
    for _ in range(5):
        try:
            assert scene.shown_by(reader) == scene.ends[1:]
            break
        except ChainError as error:
            assert f"{host} does not show what L1 has" in str(error)
            complaints += 1
    assert complaints == 2, "first narrower, then block by block, with proof of each"


@pytest.mark.parametrize("lie", ["conceals", "forges"])
def test_the_liar_is_named_and_the_truth_had_from_another(scene: Scene, node: FaultyNode, lie: str) -> None:
    node.faults = [tell_lie(scene, lie)]
    liar, honest = node.url, scene.exchange.anvil.url
    reader = scene.read(liar, honest)
    with pytest.raises(ChainError, match="does not show what L1 has") as caught:
        reader.poll()
    assert liar.removeprefix("http://") in str(caught.value)
    assert honest.removeprefix("http://") not in str(caught.value)
    asked = node.asked["eth_getLogs"]
    assert asked and scene.shown_by(reader) == scene.ends[1:]
    assert node.asked["eth_getLogs"] == asked, "it is asked last from now on"


@pytest.mark.parametrize("lie", ["conceals", "forges"])
def test_a_node_without_proofs_is_believed(scene: Scene, node: FaultyNode, lie: str) -> None:
    """As every node was: what the two above would come to without a proof."""
    node.faults = [faults.NoMethod("eth_getProof"), tell_lie(scene, lie)]
    assert scene.shown_by(scene.read(node.url)) != scene.ends[1:]


def test_a_hundred_open_claims_take_a_few_requests(scene: Scene, node: FaultyNode) -> None:
    count = 100
    for _ in range(count):
        scene.claim()
    scene.exchange.anvil.mine(FAR)
    reader = scene.read(node.url)
    assert reader.contract.terms and reader.contract.genesis
    before, proofs = node.asked["eth_call"], node.asked["eth_getProof"]
    assert proofs == 2, "once to find out whether it can, and whether there is a court"
    assert scene.shown_by(reader) == scene.ends[1:]
    stakes = -(-count // reader.contract.terms.stake_claims)
    facts = 6 * count + 3 * stakes + 3
    assert node.asked["eth_getProof"] == proofs + -(-facts // SLOTS) and node.asked["eth_call"] == before
