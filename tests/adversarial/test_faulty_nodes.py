"""Everybody behind a node that does not tell everything, and an operator that lies: the truth is confirmed, a deposit
is credited once, money moves once.

Whoever is examined sees L1 through the fault alone; the liar, and the hand that turns the chain's clock, see it as it
is. The long run is the whole matrix, and an hour of random mixtures of faults, or as many seconds as SETOFF_MIXTURES
says, shared out among four workers.
"""

import contextlib
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import pytest
from redis import Redis
from tests.support.chains.exchange import Exchange, call_data
from tests.support.nodes import faults
from tests.support.nodes.faulty_node import Fault, FaultyNode
from tests.support.processes.lone_watcher import LoneWatcher
from tests.support.processes.running_operator import SETTINGS
from tests.support.processes.watching import Desk
from tests.support.waiting import until

from setoff.deploy.devnet.anvil import CHAIN_ID, Anvil, dev_keys
from setoff.deploy.simulation.lying_watcher import WatcherLie, open_false_epochs
from setoff.deploy.simulation.sample_traffic import SampleTraffic
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
from setoff.shared.errors import SetoffError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.l1.sender import Fees
from setoff.shared.machine.machine import Machine
from setoff.shared.params import DEMO, Params
from setoff.shared.sdk.replay import Replay
from setoff.shared.sdk.vault import Vault
from setoff.watcher.context import Context
from setoff.watcher.dispute.challenger import make_player, open_epochs
from setoff.watcher.execution.verify import verify_epoch
from setoff.watcher.settings import WatcherSettings

T = TypeVar("T")

OPERATOR, WATCHER, LIAR, TRADER = 0, 5, 6, 7
"""Their accounts on the chain."""
LIE = 1
"""The epoch that it is told about."""
SHARES = 4
"""Of the random mixtures, for the workers of a test run."""
ROUNDS = 200
"""At most, two seconds of the chain's time each."""

FAULTS: Final[dict[str, Callable[[int], list[Fault]]]] = {
    "events from three blocks ago": lambda seed: [faults.Balanced(faults.Lagging(3), 3, {"eth_getLogs"})],
    "anything from three blocks ago": lambda seed: [faults.Balanced(faults.Lagging(3), 3)],
    "half of it two blocks ago": lambda seed: [faults.Flaky(faults.Lagging(2), 0.5, seed)],
    "events left out": lambda seed: [faults.Flaky(faults.LogGaps(), 0.5, seed)],
    "null blocks, no times": lambda seed: [
        faults.DropTimes(), faults.Flaky(faults.Null(), 0.3, seed, faults.BLOCK_NULLS)
    ],
    "null receipts": lambda seed: [faults.Flaky(faults.Null(), 0.5, seed, faults.RECEIPT_NULLS)],
    "null transactions": lambda seed: [faults.Flaky(faults.Null(), 0.5, seed, ["eth_getTransactionByHash"])],
    **{f"range limit {name}": lambda seed, name=name: [faults.RangeLimit(4, name)] for name in faults.RANGE_LIMITS},
    **{f"rate limit {name}": lambda seed, name=name: [faults.Balanced(faults.RateLimit(name), 3)]
       for name in faults.RATE_LIMITS},
    "resets": lambda seed: [faults.Flaky(faults.Reset(), 0.3, seed)],
    "slow": lambda seed: [faults.Slow(0.05)],
    "no old transactions": lambda seed: [faults.Unindexed(2)],
    "a hidden pool": lambda seed: [faults.HiddenPool()],
    "late receipts": lambda seed: [faults.LateReceipts(1.0)],
    "first topic only": lambda seed: [faults.FirstTopicOnly()],
    **{f"malformed {value!r}": lambda seed, value=value: [faults.Flaky(faults.Malformed(value), 0.2, seed)]
       for value in (5, None, [], "0x", {"number": "0x1"})},
    "lacks much": lambda seed: list(faults.LACKS.values()),
}  # fmt: skip
"""By name: the faults of a node, from a seed."""

SAMPLE: Final = [
    ("watcher", "events from three blocks ago"),
    ("watcher", "null blocks, no times"),
    ("watcher", "rate limit alchemy"),
    ("operator", "anything from three blocks ago"),
    ("keeper", "malformed 5"),
    ("client", "half of it two blocks ago"),
    ("watcher", "lacks much"),
    ("operator", "lacks much"),
]
"""Of the matrix, in the default run: what has confirmed a lie, lost deposits, ended processes, sent twice, come to no
end."""


class Scene:
    """A chain with contracts, and a faulty way to it."""

    def __init__(self, anvil: Anvil, redis: RedisServer, folder: Path, node: FaultyNode, params: Params = DEMO) -> None:
        self.anvil, self.redis, self.node = anvil, redis, node
        self.exchange = Exchange(anvil, params)
        path = folder / "deployment.json"
        self.exchange.deployment.save(path)
        self.settings = WatcherSettings(
            deployment=path, rpc_url=anvil.url, redis_url=redis.url, l1_poll=0.1, l1_patience=3.0, listen="127.0.0.1:0"
        )
        self.faulty = replace(self.settings, rpc_url=node.url)

    def post_three(self) -> None:
        exchange = self.exchange
        traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
        exchange.deposit(1, 1_000_000)
        exchange.post(0, 1)
        exchange.post(1, 0, [traffic.withdraw(1, 7), traffic.withdraw(1, 8)])
        exchange.post(2, 0)
        self.anvil.mine(5)

    def court(self) -> CourtReader:
        """The court as it is."""
        reader = CourtReader(CourtContract(self.anvil.l1, self.exchange.deployment.court), self.exchange.block)
        reader.poll()
        return reader

    def true_end(self, epoch: int) -> bytes:
        return verify_epoch(ChainReader(self.anvil.l1, self.exchange.deployment), epoch)[0].end


@pytest.fixture
def scene(redis_server: RedisServer, tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    with Anvil() as anvil, FaultyNode(anvil.url) as node:
        yield partial(Scene, anvil, redis_server, tmp_path, node)


def attempt(action: Callable[[], object]) -> None:
    """As every process does: what fails is tried again in the next round."""
    with contextlib.suppress(SetoffError):
        action()


def begin(make: Callable[[], T], tries: int = 20) -> T:
    """As a supervisor does."""
    for _ in range(tries):
        try:
            return make()
        except SetoffError:
            continue
    raise AssertionError("it never started")


async def watch(make_scene: Callable[..., Scene], fault: list[Fault]) -> None:
    """A watcher against an operator that lies about an epoch and plays on."""
    scene = make_scene()
    scene.post_three()
    liar_settings = replace(scene.settings, name="liar", key=dev_keys()[LIAR].hex(), claim_after=0)
    Desk(liar_settings).execute_all()
    liar = make_player(
        liar_settings,
        Context.open(liar_settings, key=dev_keys()[LIAR]),
        partial(open_false_epochs, WatcherLie("wrong-root", LIE)),
    )
    scene.node.faults = fault
    settings = replace(scene.faulty, key=dev_keys()[WATCHER].hex())
    desk = begin(lambda: Desk(settings))
    player = begin(lambda: make_player(settings, Context.open(settings, key=dev_keys()[WATCHER]), open_epochs))
    court = scene.court()
    for _ in range(ROUNDS):
        liar.step()
        attempt(desk.execute_all)
        attempt(player.step)
        scene.anvil.advance(2)
        court.poll()
        if court.court.confirmed > LIE:
            break
    assert court.court.start_of.get(LIE + 1) == scene.true_end(LIE), "the lie is confirmed"


async def operate(make_scene: Callable[..., Scene], fault: list[Fault]) -> None:
    """Sequencer and publisher: three deposits are credited, each once, and every epoch is claimed."""
    scene = make_scene()
    deployment, url = scene.exchange.deployment, scene.node.url
    scene.node.faults = fault
    chain = ChainReader(L1(url, chain_id=CHAIN_ID, patience=3.0), deployment)
    l1 = L1(url, dev_keys()[OPERATOR], chain_id=CHAIN_ID, patience=3.0, fees=Fees(patience=2.0))
    settings = OperatorSettings(**(SETTINGS | {"batch_interval": 0.1, "l1_poll": 0.1, "l1_patience": 30.0}))
    posted = begin(lambda: InboxBatches(chain))
    with Redis.from_url(scene.redis.url) as redis:
        outbox = Outbox(redis, deployment.namespace)
        batcher = Batcher(l1, ChainReader(l1, deployment), outbox)
        proposer = Proposer(ChainReader(l1, deployment), outbox, ClaimedEpochs(Machine.genesis(deployment.domain)))
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


async def keep(make_scene: Callable[..., Scene], fault: list[Fault]) -> None:
    """A liveness keeper: the operator is gone, what waits is posted, claimed and confirmed."""
    scene = make_scene()
    scene.exchange.deposit(1, 1_000)
    scene.anvil.advance(DEMO.silence)
    scene.node.faults = fault
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


async def trade(make_scene: Callable[..., Scene], fault: list[Fault]) -> None:
    """A client: deposits arrive, once each, and are seen in what was posted."""
    scene = make_scene()
    deployment, funder = scene.exchange.deployment, scene.exchange.funder
    trader = L1(scene.node.url, dev_keys()[TRADER], chain_id=CHAIN_ID, patience=3.0)
    funder.transact(deployment.token, call_data("transfer(address,uint256)", trader.address, 1_000))
    scene.anvil.mine(5)
    scene.node.faults = fault
    vault = Vault(trader, deployment)
    for amount in (100, 200, 300):
        vault.deposit(amount)
        scene.anvil.mine(3)
    held = scene.anvil.l1.call(deployment.token, call_data("balanceOf(address)", deployment.vault))
    assert int.from_bytes(held, "big") == 600
    scene.exchange.post(0, 3)
    scene.anvil.mine(3)
    replay = Replay(ChainReader(L1(scene.node.url, patience=3.0), deployment))
    for _ in range(10):
        attempt(replay.advance)
    assert replay.consumed == 3 and replay.machine.state.account(1).collateral == 600


PARTIES: Final[dict[str, Callable[[Callable[..., Scene], list[Fault]], Awaitable[None]]]] = {
    "watcher": watch,
    "operator": operate,
    "keeper": keep,
    "client": trade,
}


@pytest.mark.parametrize(("party", "fault"), SAMPLE)
async def test_whoever_is_behind_such_a_node_is_right_in_the_end(
    scene: Callable[..., Scene], party: str, fault: str
) -> None:
    await PARTIES[party](scene, FAULTS[fault](1))


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("party", PARTIES)
async def test_every_party_behind_every_fault(scene: Callable[..., Scene], party: str, fault: str) -> None:
    await PARTIES[party](scene, FAULTS[fault](2))


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
            mixture = [fault for name in names for fault in FAULTS[name](seed)]
            try:
                await PARTIES[party](partial(Scene, anvil, redis_server, tmp_path, node), mixture)
            except Exception as error:
                raise AssertionError(f"SETOFF_SEED={seed}: {party} behind {names}") from error
        seed += 1
