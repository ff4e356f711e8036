"""Everybody behind a node that does not tell everything, and an operator that lies: the truth is confirmed, a deposit
is credited once, money moves once.

Whoever is examined sees L1 through the fault alone; the liar, and the hand that turns the chain's clock, see it as it
is. The long run is the whole matrix, and an hour of random mixtures of faults, or as many seconds as SETOFF_MIXTURES
says, shared out among four workers.
"""

import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import pytest
from redis import Redis
from tests.support.chains.exchange import call_data
from tests.support.nodes.faulty_node import FaultyNode
from tests.support.nodes.matrix import FAULTS, MakeFaults, branch_for_good, mix
from tests.support.processes.behind_a_node import LIE, ROUNDS, WATCHER, Scene, attempt, begin, play_lie
from tests.support.processes.lone_watcher import LoneWatcher
from tests.support.processes.running_operator import SETTINGS
from tests.support.waiting import until

from setoff.deploy.devnet.anvil import CHAIN_ID, Anvil, dev_keys
from setoff.operator.api.service import serve
from setoff.operator.publisher.batcher import Batcher
from setoff.operator.publisher.claimed_epochs import ClaimedEpochs
from setoff.operator.publisher.defender import Defender
from setoff.operator.publisher.proposer import Proposer
from setoff.operator.publisher.publisher import Publisher
from setoff.operator.publisher.snapshot import EpochSnapshot
from setoff.operator.sequencer.messages import QueueMessages
from setoff.operator.sequencer.outbox import Outbox
from setoff.operator.sequencer.posted_batches import InboxBatches
from setoff.operator.settings import OperatorSettings
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import ChainError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.sender import Fees, Sender
from setoff.shared.machine.machine import Machine
from setoff.shared.params import DEMO
from setoff.shared.sdk.replay import Replay
from setoff.shared.sdk.vault import Vault

OPERATOR, TRADER = 0, 7
"""Their accounts on the chain."""
SHARES = 4
"""Of the random mixtures, for the workers of a test run."""
SAMPLE: Final = [
    ("watcher", "null blocks, no times"),
    ("operator", "anything from three blocks ago"),
    ("keeper", "malformed 5"),
    ("client", "half of it two blocks ago"),
    ("watcher", "a branch, for a while"),
    ("watcher", "lacks much"),
]
"""Of the matrix, in the default run: what has confirmed a lie, lost deposits, ended processes, sent twice, come to no
end."""


@pytest.fixture
def scene(redis_server: RedisServer, tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    with Anvil() as anvil, FaultyNode(anvil.url) as node:
        yield partial(Scene, anvil, redis_server, tmp_path, node)


async def operate(make_scene: Callable[..., Scene], make_faults: MakeFaults) -> None:
    """Sequencer and publisher: three deposits are credited, each once, and every epoch is claimed."""
    scene = make_scene()
    deployment, url = scene.exchange.deployment, scene.node.url
    scene.node.faults = make_faults(scene.node)
    chain = ChainReader(L1(url, chain_id=CHAIN_ID, patience=3.0), deployment)
    l1 = L1(url, dev_keys()[OPERATOR], chain_id=CHAIN_ID, patience=3.0, fees=Fees(patience=2.0))
    settings = OperatorSettings(**(SETTINGS | {"batch_interval": 0.1, "l1_poll": 0.1, "l1_patience": 30.0}))
    posted = begin(lambda: InboxBatches(chain))
    with Redis.from_url(scene.redis.url) as redis:
        outbox = Outbox(redis, deployment.namespace)
        batcher = Batcher(l1, ChainReader(l1, deployment), outbox)
        proposer = Proposer(
            ChainReader(l1, deployment),
            outbox,
            ClaimedEpochs(Machine.genesis(deployment.domain, deployment.backstop_delay)),
        )
        defender = begin(lambda: Defender(l1, deployment, proposer))
        publisher = Publisher(proposer, defender, EpochSnapshot(redis, deployment.namespace))
        async with serve(settings, deployment, scene.redis.url, QueueMessages(chain, 1), posted) as (sequencer, _):
            for account in (1, 2, 3):
                scene.exchange.deposit(account, 100 * account)
                for _ in range(4):
                    scene.anvil.mine()
            court = scene.court()

            def is_done() -> bool:
                attempt(batcher.post_next)
                attempt(publisher.step)
                scene.anvil.advance(1)
                court.poll()
                on_l1 = ChainReader(scene.anvil.l1, deployment).batch_count()
                machine = sequencer.exchange.machine
                return machine.regs.accounts >= 3 and 0 < on_l1 == len(court.court.claims)

            await until(is_done, lambda: f"{sequencer.obstacle()}, {len(court.court.claims)} claims", 100)
            state = sequencer.exchange.machine.state
            assert [state.account(account).collateral for account in (1, 2, 3)] == [100, 200, 300]
            assert sequencer.failure is None
    replay = Replay(ChainReader(scene.anvil.l1, deployment))
    replay.advance()
    assert replay.consumed == 3 == ChainReader(scene.anvil.l1, deployment).message_count()
    for claim in court.court.claims.values():
        assert claim.end == scene.true_end(claim.epoch)


async def watch(make_scene: Callable[..., Scene], make_faults: MakeFaults) -> None:
    """A watcher against an operator that lies about an epoch and plays on."""
    scene = make_scene()
    court = play_lie(scene, make_faults).court
    assert court.start_of.get(LIE + 1) == scene.true_end(LIE), "the lie is confirmed"


async def keep(make_scene: Callable[..., Scene], make_faults: MakeFaults) -> None:
    """A liveness keeper: the operator is gone, what waits is posted, claimed and confirmed."""
    scene = make_scene()
    scene.exchange.deposit(1, 1_000)
    scene.anvil.advance(DEMO.silence)
    scene.node.faults = make_faults(scene.node)
    settings = replace(scene.faulty, key=dev_keys()[WATCHER].hex(), liveness_keeper=True, claim_after=1)
    watcher = begin(lambda: LoneWatcher(scene.exchange, settings, WATCHER))
    court = scene.court()
    for _ in range(ROUNDS):
        attempt(watcher.desk.execute_all)
        attempt(watcher.player.step)
        attempt(watcher.liveness_keeper.step)
        scene.anvil.advance(2)
        court.poll()
        if court.court.confirmed >= 1:
            break
    reader = ChainReader(scene.anvil.l1, scene.exchange.deployment)
    assert court.court.start_of.get(1) == scene.true_end(0)
    assert reader.batch(0).header.message_count == 1 and reader.message_count() == 1


def is_there(vault: Vault, sent: bytes) -> bool:
    """Whether a deposit was made, and not refused: one that another chain had no contract for has too little gas."""
    try:
        vault.follow_deposit(sent)
    except ChainError as error:
        if error.reason == "transaction_reverted":
            return False
        raise
    return True


async def trade(make_scene: Callable[..., Scene], make_faults: MakeFaults) -> None:
    """A client: deposits arrive, once each, and are seen in what was posted."""
    scene = make_scene()
    deployment, funder = scene.exchange.deployment, scene.exchange.funder
    trader = L1(scene.node.url, dev_keys()[TRADER], chain_id=CHAIN_ID)  # a command, which nobody tries again
    funder.transact(deployment.token, call_data("transfer(address,uint256)", trader.address, 1_000))
    scene.anvil.mine(5)
    scene.node.faults = make_faults(scene.node)
    vault = Vault(trader, deployment)
    for amount in (100, 200, 300):
        # What was sent is looked for, and not sent again, unless it is known to have failed.
        while not begin(partial(is_there, vault, begin(partial(vault.send_deposit, amount)))):
            pass
        scene.anvil.mine(3)
    held = scene.anvil.l1.call(deployment.token, call_data("balanceOf(address)", deployment.vault))
    assert int.from_bytes(held, "big") == 600
    scene.exchange.post(0, 3)
    scene.anvil.mine(3)
    replay = Replay(ChainReader(L1(scene.node.url, patience=3.0), deployment))
    for _ in range(10):
        attempt(replay.advance)
    assert replay.consumed == 3 and replay.machine.state.account(1).collateral == 600


PARTIES: Final[dict[str, Callable[[Callable[..., Scene], MakeFaults], Awaitable[None]]]] = {
    "watcher": watch,
    "operator": operate,
    "keeper": keep,
    "client": trade,
}


@pytest.mark.parametrize(("party", "fault"), SAMPLE)
async def test_whoever_is_behind_such_a_node_is_right_in_the_end(
    scene: Callable[..., Scene], party: str, fault: str
) -> None:
    await PARTIES[party](scene, partial(FAULTS[fault], 1))


async def test_a_second_endpoint_makes_up_for_a_backend_that_stays_on_a_branch(
    scene: Callable[..., Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Sender, "_patience", lambda *_: 0.3)  # the test turns the chain's clock, not the sender's

    def make_scene() -> Scene:
        made = scene()
        made.faulty = replace(made.faulty, rpc_url=f"{made.node.url},{made.anvil.url}")
        return made

    await watch(make_scene, branch_for_good)


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("party", PARTIES)
async def test_every_party_behind_every_fault(scene: Callable[..., Scene], party: str, fault: str) -> None:
    await PARTIES[party](scene, partial(FAULTS[fault], 2))


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.parametrize("share", range(SHARES))
async def test_random_mixtures(redis_server: RedisServer, tmp_path: Path, share: int) -> None:
    """Two faults at once, drawn by lot; the seed of what failed is in the message."""
    deadline = time.monotonic() + float(os.environ.get("SETOFF_MIXTURES", "3600")) / SHARES
    seed = int(os.environ.get("SETOFF_SEED", time.time_ns() % 10**6 * 10**6)) + share * 10**6
    while time.monotonic() < deadline:
        lot = random.Random(seed)
        party, names = lot.choice(sorted(PARTIES)), lot.sample(sorted(FAULTS), 2)
        with redis_server.client() as redis:
            redis.flushall()
        with Anvil() as anvil, FaultyNode(anvil.url) as node:
            try:
                await PARTIES[party](partial(Scene, anvil, redis_server, tmp_path, node), partial(mix, names, seed))
            except Exception as error:
                raise AssertionError(f"SETOFF_SEED={seed}: {party} behind {names}") from error
        seed += 1
