"""A dispute between two whole watchers, one of them a liar who claims; in mid-game the honest one loses its challenger,
all that it has in Redis, or the Redis server."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from redis.exceptions import RedisError
from tests.support.chains.exchange import Exchange
from tests.support.processes.watching import Desk
from tests.support.waiting import wait_until

from setoff.deploy.devnet.anvil import dev_keys
from setoff.deploy.simulation.lying_watcher import WatcherLie, challenge_falsely
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.params import DEMO, Params
from setoff.watcher.pulse import read_status
from setoff.watcher.service import Watcher
from setoff.watcher.settings import WatcherSettings

pytestmark = pytest.mark.xdist_group("watcher processes")

SECONDS = 120.0
"""Seconds on the wall that a test waits at most; the chain's own clock runs faster."""


@pytest.fixture
def params() -> Params:
    return DEMO


def challengers(desk: Desk) -> list[int]:
    return [s.facts["pid"] for s in read_status(desk.store) if s.process == "challenger" and s.facts.get("block")]


def is_ready(desk: Desk) -> bool:
    try:
        return desk.store.epoch_count() == 1 and bool(challengers(desk))
    except RedisError:
        return False


def lose_the_challenger(desk: Desk) -> None:
    (killed,) = challengers(desk)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: set(challengers(desk)) - {killed})


def lose_what_is_stored(desk: Desk) -> None:
    desk.store.redis.flushall()


def lose_the_store(desk: Desk) -> None:
    server = desk.store.redis.info("server")["process_id"]  # type: ignore[index]
    os.kill(server, signal.SIGKILL)
    wait_until(lambda: not is_ready(desk))


@pytest.mark.parametrize("lose", [lose_the_challenger, lose_what_is_stored, lose_the_store])
def test_the_honest_watcher_wins_whatever_it_loses(
    exchange: Exchange, settings: WatcherSettings, tmp_path: Path, lose: Callable[[Desk], None]
) -> None:
    honest = replace(settings, name="honest", key=dev_keys()[5].hex(), redis_url="", redis_dir=tmp_path / "redis")
    liar = replace(settings, name="liar", key=dev_keys()[6].hex(), claim_after=0)
    exchange.deposit(1, 1_000_000)
    exchange.post(0, 1)
    reader = CourtReader(CourtContract(exchange.anvil.l1, exchange.deployment.court), exchange.block)

    def go_on() -> None:
        exchange.anvil.advance(1)
        reader.poll()

    with Watcher(honest) as watcher:
        desk = Desk(watcher.settings)

        def play_until(holds: Callable[[], bool]) -> None:
            wait_until(holds, SECONDS, what=lambda: read_status(desk.store), meanwhile=go_on, pause=0.3)

        # A challenge period of seconds leaves no time to start: it stands ready before the claim, and comes back while
        # the clock goes at its usual pace.
        wait_until(lambda: is_ready(desk))
        with Watcher(liar, partial(challenge_falsely, WatcherLie("double-deposit"))):
            play_until(lambda: any(claim.matches for claim in reader.court.claims.values()))
            lose(desk)
            wait_until(lambda: is_ready(desk))
            play_until(lambda: reader.court.confirmed >= 1)
        result = desk.store.epoch(0)
    assert result is not None and reader.court.start_of[1] == result.end
    (claim,) = reader.court.claims.values()
    assert claim.end != result.end
