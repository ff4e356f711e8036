"""Alerts in plain words, posted to webhooks: once when one begins and once when it ends.

Each is `{"text": …}`, as Slack, Mattermost and those who speak like them take it (to Discord also as `content`).
Whoever has alerts says again and again which there are (`see`), and is never held up: threads of their own post, and
try again what was not taken. What was told, and what is still to be, is in a file, so that a restart tells nothing
twice; only a process that is killed between an answer and the file posts that one message again.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from setoff.shared.config.shown import show_url, show_urls
from setoff.shared.config.whole_file import replace_file

STARTS: Final = 30.0
"""Seconds in which a service starts: what is not there yet is no alert."""
HOLDS: Final = 5.0
"""Seconds for which something has to be so before it is an alert: what passes by itself is none."""
GONE: Final = 60.0
"""Seconds of this process without it after which an alert has ended: a restart, or a look that failed, ends none."""
AGAIN: Final = 900.0
"""Seconds after an alert was told before the same is told again, should it have ended meanwhile."""
FIRST_PAUSE, LAST_PAUSE = 1.0, 300.0
"""Seconds before a message that was not taken is posted again: at first, doubled each time, and at most."""
TIMEOUT: Final = 10.0
"""Seconds that a receiver has."""
MOST_WAITING: Final = 200
"""Messages that wait for a receiver: of more, the oldest are given up."""
LONGEST: Final = 1800
"""Characters of a message: Discord takes 2,000."""
PASSING: Final = (408, 425, 429)
"""Statuses below 500 after which the same may be taken later."""
FAREWELL: Final = 2.0
"""Seconds that those who post have to end."""
_DISCORD: Final = ("discord.com", "discordapp.com")

log = logging.getLogger(__name__)


class Webhooks:
    """Of one service. A context manager: at its end nothing is posted any more."""

    def __init__(
        self, urls: Iterable[str], service: str, file: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`service`: what it is called in the messages; `file`: keeps what was told; `clock`: for tests."""
        self._service = service
        self._file = file
        self._clock = clock
        self._starts_until = clock() + STARTS
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}
        """When what is no alert yet was seen first."""
        state = _load(file)
        self._open: dict[str, str] = state["open"]
        """Alerts that were told, with their words."""
        self._missed = dict.fromkeys(self._open, clock())
        """When each of them was last seen."""
        self._told: dict[str, float] = state["told"]
        """When each was told last, unix seconds."""
        self._posts = [_Post(url, state["waiting"].get(_name(url), []), self._save) for url in urls]

    def __enter__(self) -> Webhooks:
        for post in self._posts:
            post.start()
        return self

    def __exit__(self, *_: object) -> None:
        for post in self._posts:
            post.stop()

    def see(self, alerts: Mapping[str, str]) -> None:
        """What is wrong now, in words, by what it is: a name that stays while the words may change."""
        now, today = self._clock(), time.time()
        with self._lock:
            self._seen = {key: self._seen.get(key, now) for key in alerts if key not in self._open}
            for key in alerts:
                if key in self._open:
                    self._missed[key] = now
            begun = [
                key for key, since in self._seen.items()
                if now >= self._starts_until and now - since >= HOLDS and today - self._told.get(key, 0.0) >= AGAIN
            ]  # fmt: skip
            ended = [key for key, seen in self._missed.items() if now - seen >= GONE]
            for key in begun:
                del self._seen[key]
                self._open[key], self._missed[key], self._told[key] = alerts[key], now, today
            words = [f"{self._service}: {alerts[key]}" for key in begun]
            for key in ended:
                del self._missed[key]
                words.append(f"{self._service}: over: {self._open.pop(key)}")
            self._told = {key: at for key, at in self._told.items() if key in self._open or today - at < AGAIN}
        for text in words:
            for post in self._posts:
                post.add(_tame(show_urls(text)))
        if words:
            self._save()

    def _save(self) -> None:
        with self._lock:
            waiting = {post.name: post.waiting for post in self._posts}
            content = json.dumps({"open": self._open, "told": self._told, "waiting": waiting})
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                replace_file(self._file, content)
            except OSError as error:
                log.warning("what was told is not kept, and a restart may tell it again: %s", error)


def name_alert(text: str) -> str:
    """What an alert is, by its words: the same whatever its numbers are."""
    return re.sub(r"\b\d+(\.\d+)?\b", "#", text)


class _Post:
    """Posts to one receiver, one message after the other."""

    def __init__(self, url: str, waiting: list[str], save: Callable[[], None]) -> None:
        self.name = _name(url)
        self._url = url
        self._waiting = list(waiting)
        self._save = save
        self._changed = threading.Condition()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="webhook", daemon=True)

    @property
    def waiting(self) -> list[str]:
        """Messages that are not taken yet."""
        with self._changed:
            return list(self._waiting)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what waits is for the next run."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        self._thread.join(FAREWELL)

    def add(self, text: str) -> None:
        """One more message."""
        with self._changed:
            self._waiting.append(text)
            if len(self._waiting) > MOST_WAITING:
                log.error("the webhook %s takes nothing: an alert is given up: %s", show_url(self._url), text)
                del self._waiting[0]
            self._changed.notify()

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while (text := self._next()) is not None:
            complaint, is_passing = _post(self._url, text)
            if complaint and is_passing:
                log.warning("the webhook %s does not take an alert: %s", show_url(self._url), complaint)
                with self._changed:
                    self._changed.wait_for(lambda: self._is_stopping, pause)
                pause = min(2 * pause, LAST_PAUSE)
                continue
            if complaint:
                log.error("the webhook %s refuses an alert: %s: %s", show_url(self._url), complaint, text)
            pause = FIRST_PAUSE
            with self._changed:
                if text in self._waiting:
                    self._waiting.remove(text)
            self._save()

    def _next(self) -> str | None:
        """The next message as soon as there is one; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_stopping)
            return None if self._is_stopping else self._waiting[0]


def _post(url: str, text: str) -> tuple[str, bool]:
    """What is wrong, "" for nothing, and whether the same may be taken later."""
    body = {"text": text}
    if (urlsplit(url).hostname or "").removeprefix("ptb.").removeprefix("canary.") in _DISCORD:
        body["content"] = text
    try:
        with requests.post(url, json=body, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
            status = answer.status_code
    except (requests.RequestException, OSError) as error:
        return type(error).__name__, True
    if 200 <= status < 300:
        return "", False
    return f"HTTP status {status}", status >= 500 or status in PASSING


def _tame(text: str) -> str:
    """Words that others may have written call nobody together, and make no links."""
    tame = text.replace("<", "‹").replace(">", "›").replace("@", "(at)")
    return tame if len(tame) <= LONGEST else tame[: LONGEST - 1] + "…"


def _name(url: str) -> str:
    """What tells receivers apart in the file, where their addresses are not to be."""
    from setoff.shared.codec.hashing import keccak

    return keccak(url.encode()).hex()[:16]


def _load(file: Path) -> dict[str, Any]:
    """What was told, as it is in the file; nothing where there is none that can be read."""
    try:
        found = json.loads(file.read_text())
        opened = {str(key): str(text) for key, text in found["open"].items()}
        told = {str(key): float(at) for key, at in found["told"].items()}
        waiting = {str(name): [str(text) for text in texts] for name, texts in found["waiting"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {"open": {}, "told": {}, "waiting": {}}
    return {"open": opened, "told": told, "waiting": waiting}
