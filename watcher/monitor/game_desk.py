"""Disputes and the watcher's health over HTTP, for the console: what is now, and every game event by event.

    GET /v1/watch              the disputes that are on, alerts, processes, the latest claims, what L1's terms are
    GET /v1/games/{key}        one claim from its beginning: what happened, with block and time
    GET /v1/games/{key}/step   the step at which its histories part, run again by this watcher
    GET /v1/past               disputes that are over, and what they brought and cost this watcher

Money is wei and, as every number that JavaScript cannot hold, a decimal string.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final, NamedTuple

from aiohttp import web

from setoff.shared.dispute.events import Event, Moved
from setoff.shared.dispute.game import Claim
from setoff.shared.errors import InputError, SetoffError, StateError
from setoff.shared.machine.history import EPOCH
from setoff.shared.monotonic import LONG_AGO
from setoff.watcher.monitor.dispute_monitor import DisputeMonitor
from setoff.watcher.monitor.judged_step import show_step
from setoff.watcher.monitor.narrative import narrate
from setoff.watcher.monitor.status import find_problems
from setoff.watcher.pulse import read_status
from setoff.watcher.settings import WatcherSettings
from setoff.watcher.store import Store

FRESH: Final = 1.0
"""Seconds for which a look is shown again, however many ask."""
LATEST: Final = 60
"""Claims that are listed."""
STEPS: Final = 256
"""Steps that are kept."""
_EXACT: Final = 2**53
_OWN: Final = frozenset({"pid", "host"})
"""What processes tell that is nobody else's affair."""


class GameDesk:
    """Of one watcher. What it shows is read from L1 and the watcher's store, in threads, when somebody asks."""

    def __init__(self, settings: WatcherSettings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._turn = threading.Lock()
        self._monitor: DisputeMonitor | None = None
        self._watch: dict[str, Any] = {}
        self._looked = LONG_AGO
        self._steps: dict[tuple[int, int, bytes], dict[str, Any]] = {}

    def routes(self) -> list[web.RouteDef]:
        """For the application."""
        return [
            web.get("/v1/watch", self.show_watch),
            web.get("/v1/past", self.show_past),
            web.get("/v1/games/{key}", self.show_game),
            web.get("/v1/games/{key}/step", self.show_step),
        ]

    async def show_watch(self, _: web.Request) -> web.Response:
        """How everything is."""
        return web.json_response(await asyncio.to_thread(self._look))

    async def show_past(self, _: web.Request) -> web.Response:
        """What is over."""
        return web.json_response(await asyncio.to_thread(self._read_past))

    async def show_game(self, request: web.Request) -> web.Response:
        """One claim's events."""
        return web.json_response(await asyncio.to_thread(self._tell_game, _read_key(request)))

    async def show_step(self, request: web.Request) -> web.Response:
        """The judged step."""
        return web.json_response(await asyncio.to_thread(self._run_step, _read_key(request)))

    # --- in threads, one at a time -----------------------------------------------------------------------------------

    def _look(self) -> dict[str, Any]:
        with self._turn:
            if time.monotonic() - self._looked > FRESH:
                self._watch = self._look_anew()
                self._looked = time.monotonic()
            return self._watch

    def _look_anew(self) -> dict[str, Any]:
        monitor = self._open()
        overview = monitor.look()
        court = monitor.reader.court
        latest = sorted(court.claims.values(), key=lambda claim: (claim.epoch, claim.claimed_at))[-LATEST:]
        statuses = read_status(self._store)
        words = {each.key: narrate(each, overview.operator_address, overview.account) for each in overview.disputes}
        shown = {
            **overview.to_dict(),
            "words": words,
            "terms": court.terms._asdict(),
            "claims": [_show_claim(claim) for claim in reversed(latest)],
            "processes": [
                {
                    "name": each.process,
                    "age": each.age,
                    "is_alive": each.is_alive,
                    "facts": {name: fact for name, fact in each.facts.items() if name not in _OWN},
                }
                for each in statuses
            ],
            "problems": find_problems(statuses),
        }
        return dict(_plain(shown))

    def _read_past(self) -> dict[str, Any]:
        with self._turn:
            past = self._open().read_past()
            shown = [
                {
                    **{
                        name: value for name, value in asdict(each).items() if name not in ("transactions", "histories")
                    },
                    "histories": len(each.histories),
                    "was_true": each.was_true,
                }
                for each in past
            ]
            return dict(_plain({"disputes": shown}))

    def _tell_game(self, key: bytes) -> dict[str, Any]:
        with self._turn:
            monitor = self._open()
            monitor.reader.poll()
            claim = self._find(monitor, key)
            sealed = _find_sealed(monitor.reader.events_of(key))
            shown = {
                "claim": _show_claim(claim),
                "histories": [
                    {
                        "root": history.root,
                        "end": history.end,
                        "owner": history.owner,
                        "state": history.state.value,
                        "joined_at": history.joined_at,
                    }
                    for history in claim.histories.values()
                ],
                "sealed": None if sealed is None else sealed.position,
                "events": [
                    {"block": block, "kind": type(event).__name__, **_show_event(event)}
                    for block, event in monitor.reader.events_of(key)
                ],
            }
            return dict(_plain(shown))

    def keep(self) -> None:
        """Run the steps of games that have come down to one, while the evidence is there: later it goes."""
        with self._turn:
            monitor = self._open()
            monitor.reader.poll()
            for claim in monitor.reader.court.unfinished():
                if claim.matches:
                    with contextlib.suppress(SetoffError):
                        self._find_step(monitor, claim)

    def _run_step(self, key: bytes) -> dict[str, Any]:
        with self._turn:
            monitor = self._open()
            monitor.reader.poll()
            return self._find_step(monitor, self._find(monitor, key))

    def _find_step(self, monitor: DisputeMonitor, claim: Claim) -> dict[str, Any]:
        sealed = _find_sealed(monitor.reader.events_of(claim.key))
        if sealed is None:
            raise InputError("not_found", "its histories have not come down to one step yet")
        place = claim.epoch, sealed.position, claim.start
        if place not in self._steps:
            if monitor.archive is None:
                raise StateError("not_ready", "the watcher's store does not answer")
            self._steps[place] = show_step(monitor.archive, claim.epoch, sealed.position)
            if len(self._steps) > STEPS:
                self._steps.pop(next(iter(self._steps)))
        return self._steps[place] | {"position": sealed.position, "leaves_said": sealed.said}

    def _open(self) -> DisputeMonitor:
        if self._monitor is None:
            self._monitor = DisputeMonitor(self._settings)
            self._monitor.reader.poll()
        return self._monitor

    def _find(self, monitor: DisputeMonitor, key: bytes) -> Claim:
        claim = monitor.reader.court.claims.get(key)
        if claim is None:
            raise InputError("not_found", f"the court has no claim 0x{key.hex()}, or it was closed long ago")
        return claim


def _read_key(request: web.Request) -> bytes:
    text = request.match_info["key"].removeprefix("0x")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise InputError("not_found", "a claim's key is 0x and 64 hexadecimal digits")
    return key


class _Sealed(NamedTuple):
    """Where two histories part, and by root what each says the machine is after that step."""

    position: int
    said: dict[str, str]


def _find_sealed(events: Iterable[tuple[int, Event]]) -> _Sealed | None:
    """Of the first match that came down to a step; None while there is none."""
    parts: dict[frozenset[bytes], int] = {}
    for _, event in events:
        if not isinstance(event, Moved):
            continue
        pair = frozenset((event.mover, event.opponent))
        parts[pair] = parts.get(pair, 0) << EPOCH.opening_bits | event.index
        if event.level == EPOCH.levels - 1:
            said = {event.mover: event.mover_child, event.opponent: event.opponent_child}
            return _Sealed(parts[pair], {"0x" + root.hex(): "0x" + leaf.hex() for root, leaf in said.items()})
    return None


def _show_claim(claim: Claim) -> dict[str, Any]:
    names = (
        "key",
        "epoch",
        "start",
        "end",
        "round",
        "claimant",
        "claimed_at",
        "disputed_at",
        "changed_at",
        "result",
        "winner",
    )
    shown = {name: getattr(claim, name) for name in names}
    return {**shown, "state": claim.state.value, "histories": len(claim.histories)}


def _show_event(event: Event) -> dict[str, Any]:
    return {name: value for name, value in asdict(event).items() if name != "key"}


def _plain(value: Any) -> Any:
    """As JSON that JavaScript reads without loss."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _EXACT:
        return str(value)
    return value
