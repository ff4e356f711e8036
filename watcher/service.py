"""A whole watcher: follower, workers, archivist, server and challenger as processes of their own, under one supervisor.

A process that ends by itself is started again, later and later if it keeps ending. SIGTERM and SIGINT stop them all;
so does the end of the supervisor, however it came about. They are forked from one server that has loaded what they
run, so that starting, and starting again, takes no time and the memory of the code is there once.
"""

from __future__ import annotations

import dataclasses
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerProcess
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from redis.exceptions import RedisError

from setoff.shared.config import logs, readiness
from setoff.shared.config.backoff import Backoff
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import ConfigError
from setoff.shared.l1.abilities import tell_lacks
from setoff.shared.l1.patience import try_until
from setoff.watcher.context import Context
from setoff.watcher.preflight import check_preflight, wait_for_l1
from setoff.watcher.pulse import Pulse, forget_dead
from setoff.watcher.settings import WatcherSettings

GRACE: Final = 6.0
"""Seconds that processes have to stop by themselves. Killing them loses nothing but time."""

PING: Final = 1.0
"""Seconds between two looks whether our own Redis server still answers."""

LOOK: Final = 1.0
"""Seconds between two looks of a process whether the server that it was forked from still lives."""

_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "setoff.watcher.archivist_process",
        "setoff.watcher.challenger_process",
        "setoff.watcher.execution.worker",
        "setoff.watcher.follower_process",
        "setoff.watcher.server",
        "setoff.watcher.service",
    ]
)

Target = Callable[[WatcherSettings], None]
"""The main function of a process of the watcher."""

log = logging.getLogger(__name__)


class Child:
    """One process of the watcher, and when to start it again."""

    def __init__(self, name: str, target: Target, settings: WatcherSettings) -> None:
        self.name = name
        self._target = target
        self._settings = settings
        self._backoff = Backoff()
        self.process: ForkServerProcess | None = None

    @property
    def restarts(self) -> int:
        """Times that it was started again."""
        return self._backoff.restarts

    def tend(self) -> None:
        """Start the process if it does not run and it is time."""
        if self.process is not None:
            if self.process.is_alive():
                return
            log.error("%s ended with code %s, starting it again", self.name, self.process.exitcode)
            self.process.close()
            self.process = None
            self._backoff.has_ended()
        if self._backoff.is_due:
            process = _FORKS.Process(target=_run_child, args=(self._target, self._settings), name=self.name)
            try:
                process.start()
            except OSError as error:
                log.error("%s could not be started: %s", self.name, error)
                self._backoff.has_ended()
                return
            self.process = process
            self._backoff.has_started()

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        if self.process is not None and self.process.is_alive():
            self.process.terminate()

    def stop(self, deadline: float) -> None:
        """Wait for the end until `deadline` (monotonic seconds), then force it."""
        if self.process is not None:
            self.process.join(max(0.0, deadline - time.monotonic()))
            if self.process.is_alive():
                log.warning("%s does not stop, killing it", self.name)
                self.process.kill()
                self.process.join()
            self.process.close()
            self.process = None


class Watcher:
    """A running watcher; a context manager that stops it. For a program that does nothing else: `run_watcher`."""

    def __init__(self, settings: WatcherSettings, challenge: Target | None = None) -> None:
        """Starts at once, with a Redis server of its own unless `settings.redis_url` names one. Raises ConfigError.

        `challenge`: what the challenger's process runs in place of `_challenge`; it has to be picklable.
        """
        self._server = RedisServer.open(settings)
        self._owns_server = self._server.is_embedded
        try:
            self.settings = dataclasses.replace(settings, redis_url=self._server.url)
            self._store = Context.open(self.settings).store
            targets: dict[str, Target] = {"follower": _follow, "archivist": _keep, "server": _serve}
            targets |= {f"worker {number}": _work for number in range(1, settings.workers + 1)}
            if settings.key:
                targets["challenger"] = challenge or _challenge
            if settings.webhook:
                targets["alerting"] = _alert
            self.children = [Child(name, target, self.settings) for name, target in targets.items()]
        except BaseException:
            self._server.stop()
            raise
        self._next_ping = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="watcher", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop all processes, and the Redis server if it was started here; more than once does no harm."""
        self._stop.set()
        self._thread.join()
        self._server.stop()

    def _supervise(self) -> None:
        with Pulse(self._store, "supervisor").beating() as pulse:
            known = -1
            try:
                while not self._stop.wait(0.1):
                    self._keep_redis()
                    for child in self.children:
                        child.tend()
                    if (restarts := sum(child.restarts for child in self.children)) != known:
                        known = self._forget_dead(restarts, known)
                    pulse.tell(**{f"restarts of {child.name}": child.restarts for child in self.children})
            finally:
                for child in self.children:
                    child.ask_to_stop()
                deadline = time.monotonic() + GRACE
                for child in self.children:
                    child.stop(deadline)

    def _forget_dead(self, restarts: int, known: int) -> int:
        """Nobody is to look for those that were killed; `restarts` once it is done, else what was `known`."""
        try:
            forget_dead(self._store)
        except RedisError:
            return known
        return restarts

    def _keep_redis(self) -> None:
        """Start our own Redis server again if it is gone, at the address that the processes know; and again and again
        if it cannot start, as on a disk that is full."""
        if not self._owns_server or time.monotonic() < self._next_ping:
            return
        self._next_ping = time.monotonic() + PING
        try:
            self._store.redis.ping()
        except RedisError as error:
            log.error("the Redis server is gone, starting it again: %s", error)
            try:
                self._server.stop()
                self._server = RedisServer.embed(self.settings.redis_dir, urlsplit(self._server.url).port or 0)
            except (ConfigError, OSError) as failure:
                log.error("that failed: %s", failure)


def run_watcher(settings: WatcherSettings, challenge: Target | None = None) -> None:
    """Run a watcher until SIGTERM or SIGINT; wait for L1 first. Raises ConfigError if it cannot start.

    `challenge`: see `Watcher`.
    """
    asked = stop_on_signals()
    l1 = wait_for_l1(settings, asked)
    if l1 is None:
        return
    try_until(lambda: check_preflight(settings, l1), asked)
    if asked.is_set():
        return
    tell_lacks(l1)
    with Watcher(settings, challenge):
        readiness.tell(readiness.READY)
        log.info("the watcher runs: %s, %s", settings.name, "plays" if settings.key else "only watches, without a key")
        asked.wait()


# The main functions of the processes. Each imports what it runs, as the server has that they are forked from: the
# supervisor needs none of it.


def _follow(settings: WatcherSettings) -> None:
    from setoff.watcher.follower_process import run_follower

    run_follower(settings, stop_on_signals())


def _keep(settings: WatcherSettings) -> None:
    from setoff.watcher.archivist_process import run_archivist

    run_archivist(settings, stop_on_signals())


def _serve(settings: WatcherSettings) -> None:
    from setoff.watcher.server import run_server

    run_server(settings, stop_on_signals())


def _work(settings: WatcherSettings) -> None:
    from setoff.watcher.execution.worker import run_worker

    run_worker(settings)


def _challenge(settings: WatcherSettings) -> None:
    from setoff.watcher.challenger_process import run_challenger

    run_challenger(settings, stop_on_signals())


def _alert(settings: WatcherSettings) -> None:
    from setoff.watcher.monitor.alerting import run_alerting

    run_alerting(settings, stop_on_signals())


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    return asked


def _run_child(target: Target, settings: WatcherSettings) -> None:
    """The main function of every process."""
    logs.set_up(settings, multiprocessing.current_process().name)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Until the target has its own way to stop: leave in good order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        target(settings)
    except KeyboardInterrupt:
        return
    except (RedisError, ConfigError) as error:  # it is started again; where it was is no help
        log.error("the store, or a setting, is of no use now: %s", error)
        sys.exit(1)


def _end_with_parent() -> None:
    """End when the supervisor is gone; or the server that forked this one: then the supervisor takes this for ended."""
    parent, forked_from = multiprocessing.parent_process(), os.getppid()
    if parent is not None:
        while os.getppid() == forked_from and not wait([parent.sentinel], LOOK):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(1)
