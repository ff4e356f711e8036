"""The process of the history: `python -m setoff.operator.history.process`, started by `keeper.py`, which tells it over
its standard input what to follow, and whose end is its own."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from typing import Final

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from setoff.operator.history.follower import Follower
from setoff.operator.history.landings import Landings
from setoff.operator.history.store import Store, open_engine
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.logs import set_up_for
from setoff.shared.errors import SetoffError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1

NICE: Final = 10
"""The machine and the API come first."""
LOOKS: Final = 5
"""Times the sequencer's own pause between looks at L1."""
PAUSE: Final = 1.0
"""Seconds after an error."""

log = logging.getLogger(__name__)


def main() -> None:
    """Follow until whoever started this has ended."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(NICE)
    told = json.loads(sys.stdin.readline())
    set_up_for(told["log_level"], told["log_format"], "history", told["secrets"])
    deployment = Deployment.read(told["deployment"], "of the sequencer")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    engine = open_engine(told["history_url"], is_writer=True)
    store = Store(engine, deployment.namespace)
    reader = _make_reader(told["rpc_url"], deployment)
    looking = (Landings(engine, reader.l1, deployment), told["l1_poll"])
    threading.Thread(target=look_at_l1, args=looking, daemon=True).start()
    with Redis.from_url(told["redis_url"]) as redis:
        follow(Follower(redis, deployment, store, reader))


def _make_reader(rpc_url: str, deployment: Deployment) -> ChainReader:
    """Of L1, which is asked nothing before it has to be."""
    return ChainReader(L1(rpc_url, chain_id=deployment.chain_id), deployment)


def follow(follower: Follower) -> None:
    """For ever; what fails is tried again from the checkpoint on."""
    while True:
        try:
            follower.step()
        except (SetoffError, RedisError, SQLAlchemyError, OSError) as error:
            log.error("the history cannot go on now: %s", error)
            time.sleep(PAUSE)


def look_at_l1(landings: Landings, poll: float) -> None:
    """For ever, seldom enough to be nothing to the node."""
    is_behind = False
    while True:
        time.sleep(0 if is_behind else LOOKS * poll)
        try:
            is_behind = landings.step()
        except (SetoffError, SQLAlchemyError, OSError) as error:
            log.debug("L1 cannot be looked at now: %s", error)
            is_behind = False


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
