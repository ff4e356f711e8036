"""All sources of the markets, asked side by side; one that fails is left alone for a while."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Final, Self

import aiohttp

from setoff.shared.config.pause import Pause
from setoff.shared.errors import ConfigError
from setoff.shared.oracle.aggregate import Observation
from setoff.shared.oracle.ccxt_source import CcxtSource
from setoff.shared.oracle.feeds import CCXT, FILE, HTTP, SourceName
from setoff.shared.oracle.file_source import FileSource, ReplaySource
from setoff.shared.oracle.http_source import HttpSource
from setoff.shared.oracle.source import Source

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds for which a source that failed is left alone: at first, and at most."""

MOST_TEXT: Final = 120
"""Characters of what a library complains of."""

log = logging.getLogger(__name__)


class _Asked:
    """A source, and how it has been."""

    def __init__(self, name: str, source: Source) -> None:
        self.name = name
        self.source = source
        self.problem = ""
        self.failures = 0
        self._pause: Pause | None = None

    @property
    def rests(self) -> bool:
        """Whether it failed a moment ago."""
        return self._pause is not None and not self._pause.is_over

    def has_answered(self) -> None:
        if self.problem:
            log.warning("%s answers again", self.name)
        self.problem, self._pause = "", None

    def has_failed(self, problem: str) -> None:
        if not self.problem:  # said once, not in every round
            log.warning("%s: %s", self.name, problem)
        self.problem = problem
        self.failures += 1
        self._pause = self._pause or Pause(FIRST_PAUSE, LONGEST_PAUSE)
        self._pause.begin()


class Sources:
    """The sources by market. An async context manager that closes them."""

    def __init__(self, named: Mapping[str, Sequence[SourceName]], timeout: float) -> None:
        """`timeout`: seconds that one has to answer."""
        self._named = named
        self._timeout = timeout
        self._sources: dict[str, list[_Asked]] = {}

    async def __aenter__(self) -> Self:
        """Raises ConfigError for a source that cannot be one."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._timeout))
        try:
            for market, names in self._named.items():
                opened = self._sources.setdefault(market, [])
                for name in names:
                    opened.append(_Asked(str(name), self._open(name)))
        except ConfigError:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for asked in self._all():
            await asked.source.close()
        await self._session.close()

    async def ask(self, market: str) -> list[Observation]:
        """What each source of a market says now."""
        return list(await asyncio.gather(*map(self._ask, self._sources[market])))

    def failures(self) -> list[tuple[str, str, int]]:
        """Market, source, and how often it has failed."""
        return [(market, asked.name, asked.failures) for market, opened in self._sources.items() for asked in opened]

    def _all(self) -> list[_Asked]:
        return [asked for opened in self._sources.values() for asked in opened]

    def _open(self, name: SourceName) -> Source:
        if name.kind == CCXT:
            return CcxtSource(name.rest, self._timeout)
        if name.kind in HTTP:
            return HttpSource(str(name), self._session)
        return FileSource(name.rest) if name.kind == FILE else ReplaySource(name.rest)

    async def _ask(self, asked: _Asked) -> Observation:
        if asked.rests:
            return Observation(asked.name, None, problem=f"{asked.problem}; asked again in a while")
        try:
            quote = await asyncio.wait_for(asked.source.ask(), self._timeout)
        except TimeoutError:
            asked.has_failed(f"no answer within {self._timeout:g} s")
        except Exception as error:  # of whatever library: a source that fails is one that is not there
            text = " ".join(str(error).split())[:MOST_TEXT]
            asked.has_failed(f"{type(error).__name__}: {text}" if text else type(error).__name__)
        else:
            asked.has_answered()
            return Observation(asked.name, quote.price, time.time() if quote.time is None else quote.time)
        return Observation(asked.name, None, problem=asked.problem)
