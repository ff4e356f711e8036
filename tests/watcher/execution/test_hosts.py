"""A watcher whose workers are on several hosts, with a Redis that speaks TLS and asks for a password, and whose cables
are pulled; and a whole watcher with two workers beside one that has everything."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.processes.hosts import CAN_HAVE, Hosts, ending, forwarding, make_certificate
from tests.support.processes.serving import serving
from tests.support.processes.watching import Desk
from tests.support.waiting import wait_until

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.dispute.calls import Call
from setoff.shared.l1.court import CourtContract
from setoff.shared.params import DEVNET
from setoff.watcher.execution.scout import Scout
from setoff.watcher.pulse import read_status
from setoff.watcher.server import make_app, make_snapshot_desk
from setoff.watcher.service import Watcher
from setoff.watcher.settings import WatcherSettings

EPOCHS = 16

WORKER = """
import sys
from pathlib import Path
from setoff.watcher.execution.worker import run_worker
from setoff.watcher.settings import WatcherSettings
deployment, rpc_url, redis_url, peer = sys.argv[1:]
run_worker(WatcherSettings(
    deployment=Path(deployment), rpc_url=rpc_url, redis_url=redis_url, snapshot_peers=peer, name="new", l1_patience=2.0
))
"""


@pytest.fixture
def peer(exchange: Exchange, settings: WatcherSettings) -> Desk:
    """Another watcher, which has executed all; all is claimed."""
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    exchange.deposit(1, 1_000_000)
    exchange.post(0, 1)
    post(exchange, traffic, 1, EPOCHS)
    peer = Desk(replace(settings, name="peer"))
    peer.execute_all()
    claim(exchange, peer, 0)
    return peer


def post(exchange: Exchange, traffic: SampleTraffic, first: int, last: int) -> None:
    for number in range(first, last):
        exchange.post(number, 0, [traffic.withdraw(1, number)])


def claim(exchange: Exchange, peer: Desk, first: int) -> None:
    court = CourtContract(exchange.operator, exchange.deployment.court)
    for epoch, result in enumerate(peer.store.results()):
        if epoch >= first:
            call = Call("claim", (epoch, court.genesis if not epoch else result.start, result.end))
            exchange.operator.transact(court.address, court.encode(call), 0 if epoch else DEVNET.stake)


def test_a_whole_watcher_catches_up_with_two_workers(exchange: Exchange, peer: Desk, settings: WatcherSettings) -> None:
    with serving(lambda: make_app(make_snapshot_desk(peer.store).routes())) as url:
        desk = Desk(replace(settings, name="new", snapshot_peers=url))
        desk.catch_up()
        with Watcher(replace(desk.settings, workers=2)):
            wait_until(lambda: desk.store.epoch_count() == EPOCHS, 120)
            assert desk.store.results() == peer.store.results()
            wait_until(lambda: desk.jobs.ahead.count() == 0)
            assert not desk.jobs.attempts.poisoned()
            exchange.post(EPOCHS, 0)
            wait_until(lambda: desk.store.epoch_count() == EPOCHS + 1)
            ahead = [status.facts.get("ahead") for status in read_status(desk.store) if "worker" in status.process]
            assert len(ahead) == 2


@pytest.mark.long
@pytest.mark.skipif(not CAN_HAVE, reason="takes root, and network namespaces")
def test_workers_on_several_hosts_whose_cables_are_pulled(
    exchange: Exchange, peer: Desk, settings: WatcherSettings, tmp_path: Path
) -> None:
    desk = Desk(replace(settings, name="new"))
    desk.catch_up()
    redis, address = desk.store.redis, urlsplit(settings.redis_url)
    redis.acl_setuser("watcher", enabled=True, passwords=["+secret"], keys=["*"], channels=["*"], categories=["+@all"])
    with Hosts(3) as hosts:
        tls = make_certificate(tmp_path, hosts.address)
        desk_app = lambda: make_app(make_snapshot_desk(peer.store).routes())  # noqa: E731
        with (
            forwarding(hosts.address, address.port or 6379, tls) as redis_port,
            forwarding(hosts.address, urlsplit(exchange.anvil.url).port or 8545) as rpc_port,
            serving(desk_app, hosts.address) as peer_url,
        ):
            url = f"rediss://watcher:secret@{hosts.address}:{redis_port}/0?ssl_ca_certs={tls[0]}"
            rpc = f"http://{hosts.address}:{rpc_port}"
            workers = [hosts.run(host, WORKER, str(settings.deployment), rpc, url, peer_url) for host in range(3)]
            scout = Scout(replace(settings, name="new", snapshot_peers=peer_url), desk.store)

            def look() -> None:
                scout.look()
                desk.jobs.enqueue_next()

            with ending(workers):
                wait_until(lambda: len(desk.jobs.workers()) == 3, 120)
                look()
                hosts.pull(1)
                wait_until(lambda: len(desk.jobs.workers()) == 2, 120, meanwhile=look)
                wait_until(lambda: desk.store.epoch_count() == EPOCHS, 240, meanwhile=look)
                hosts.plug(1)
                hosts.pull(0)
                hosts.pull(2)
                traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
                traffic._nonces[1, 0] = EPOCHS - 1
                post(exchange, traffic, EPOCHS, EPOCHS + 4)
                desk.catch_up()
                wait_until(lambda: desk.store.epoch_count() == EPOCHS + 4, 240, meanwhile=look)
    peer.execute_all()
    assert desk.store.results() == peer.store.results()
    assert not desk.jobs.attempts.poisoned()
