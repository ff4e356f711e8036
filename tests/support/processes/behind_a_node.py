"""Parties that see L1 through a faulty node, on a chain whose clock the test turns: the world, and a lie in it."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from tests.support.chains.exchange import Exchange
from tests.support.nodes.faulty_node import FaultyNode
from tests.support.nodes.matrix import MakeFaults
from tests.support.processes.watching import Desk

from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.deploy.simulation.lying_watcher import WatcherLie, open_false_epochs
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import SetoffError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.params import DEMO, Params
from setoff.watcher.context import Context
from setoff.watcher.dispute.challenger import make_player, open_epochs
from setoff.watcher.execution.verify import verify_epoch
from setoff.watcher.settings import WatcherSettings

T = TypeVar("T")
WATCHER, LIAR = 5, 6
"""Their accounts on the chain."""
LIE: Final = 1
"""The epoch that it is told about."""
ROUNDS: Final = 200
"""At most, two seconds of the chain's time each."""


class Scene:
    """A chain with contracts, and a faulty way to it."""

    def __init__(self, anvil: Anvil, redis: RedisServer, folder: Path, node: FaultyNode, params: Params = DEMO) -> None:
        self.anvil, self.redis, self.node = anvil, redis, node
        self.exchange = Exchange(anvil, params)
        path = folder / "deployment.json"
        self.exchange.deployment.save(path)
        self.settings = WatcherSettings(
            deployment=path,
            rpc_url=anvil.url,
            redis_url=redis.url,
            l1_poll=0.1,
            l1_patience=3.0,
            listen="127.0.0.1:0",
            evidence_dir=folder / "evidence",
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


def attempt(action: Callable[[], object]) -> None:
    """As every process does: what fails is tried again in the next round."""
    with contextlib.suppress(SetoffError):
        action()


def begin(make: Callable[[], T], tries: int = 100) -> T:
    """As a supervisor does, who never gives up: more tries than a fault that passes lasts for."""
    for _ in range(tries):
        try:
            return make()
        except SetoffError:
            continue
    raise AssertionError("it never started")


def play_lie(scene: Scene, make_faults: MakeFaults) -> CourtReader:
    """A watcher against an operator that lies about an epoch and plays on, until L1 has confirmed some end of it; the
    court as it then is, to anybody who sees it."""
    scene.post_three()
    liar_settings = replace(scene.settings, name="liar", key=dev_keys()[LIAR].hex(), claim_after=0)
    Desk(liar_settings).execute_all()
    liar = make_player(
        liar_settings,
        Context.open(liar_settings, key=dev_keys()[LIAR]),
        partial(open_false_epochs, WatcherLie("wrong-root", LIE)),
    )
    scene.node.faults = make_faults(scene.node)
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
    return court
