"""What every process of a watcher is built of, made from its settings."""

from __future__ import annotations

import atexit
from typing import NamedTuple, Self

from redis import Redis

from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.config.shown import hide
from setoff.shared.l1.account import Account
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.da.module import DataPlaces
from setoff.shared.l1.sender import Fees
from setoff.shared.l1.stored_bids import StoredBids
from setoff.shared.params import GWEI
from setoff.watcher.settings import WatcherSettings
from setoff.watcher.store import Store


class Context(NamedTuple):
    """Connections and what stands on them; each process opens its own."""

    deployment: Deployment
    l1: L1
    store: Store
    reader: ChainReader

    @classmethod
    def open(cls, settings: WatcherSettings, *, key: bytes | Account | None = None) -> Self:
        """Connect; `settings.redis_url` names the server, `key` is the L1 account's secret, or who signs for
        it, if one is needed.

        Raises ConfigError if the deployment's file is unusable or L1 is another chain.
        """
        deployment = settings.load_deployment()
        fees = Fees(cap=settings.fee_cap * GWEI, urgent_cap=settings.urgent_fee_cap * GWEI)
        l1 = L1(settings.rpc_url, key, chain_id=deployment.chain_id, patience=settings.l1_patience, fees=fees)
        l1.check_chain()
        store = open_store(settings, deployment)
        if key is not None:
            l1.sender.journal = StoredBids(store.redis, store.prefix, l1.address)
        reader = open_reader(settings, l1, deployment, store)
        return cls(deployment, l1, store, reader)


def open_reader(settings: WatcherSettings, l1: L1, deployment: Deployment, store: Store | None) -> ChainReader:
    """Reads L1, and data from wherever the settings say it may be; without a `store` none is kept."""
    own = (store.blob, store.put_blob) if store is not None else ()
    return ChainReader(l1, deployment, DataPlaces(settings.beacon_url, settings.peer_urls, *own))


def open_store(settings: WatcherSettings, deployment: Deployment) -> Store:
    """The watcher's keys on the Redis server of the settings; one that had to be started ends with the process."""
    server = RedisServer.open(settings)
    atexit.register(server.stop)
    redis = server.client(socket_keepalive=True, health_check_interval=30)
    return _store_on(redis, settings, deployment)


def find_store(settings: WatcherSettings, deployment: Deployment) -> Store | None:
    """The watcher's keys where its Redis server runs already, None where it would start one of its own: none is started
    for a look. Raises ConfigError if the server that the settings name does not answer, in the words of `open_store`.
    """
    server = RedisServer.find(settings)
    return None if server is None else _store_on(server.client(socket_timeout=5), settings, deployment)


def name_redis(settings: WatcherSettings) -> str:
    """Which server that is, for people; without a password."""
    return hide(settings.redis_url) if settings.redis_url else f"the watcher's own in {settings.redis_dir.resolve()}"


def _store_on(redis: Redis, settings: WatcherSettings, deployment: Deployment) -> Store:
    return Store(redis, f"{deployment.namespace}:{settings.name}", deployment.epoch_batches)
