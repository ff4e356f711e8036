"""The house that serves now. An exchange that was away and comes back is served at once; where another one answers at
its address, as after a devnet was started again, that is said, and the house is opened anew as soon as it can be."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from typing import Final, Self

from setoff.shared.errors import SetoffError
from setoff.shared.gateway.house import House
from setoff.shared.gateway.streams.beginnings import Beginnings
from setoff.shared.sdk import Unavailable

PAUSE: Final = 1.0
"""Seconds between two looks at an exchange that something was odd with."""
_log = logging.getLogger(__name__)

Move = Callable[[House], None]


class Door:
    """Leads to a house. An async context manager."""

    def __init__(self, open_house: Callable[[], AbstractAsyncContextManager[House]]) -> None:
        self._open = open_house
        self._inside = AsyncExitStack()
        self._house: House | None = None
        self._trouble: Unavailable | None = None
        self._doubt = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None
        self.is_settled = True
        """Whether the exchange answered when it was last looked at, and was the one that is served."""
        self.movers: set[Move] = set()
        """What is told of a new house."""
        self.beginnings = Beginnings()

    async def __aenter__(self) -> Self:
        """Raises ConfigError, Unavailable, DataError."""
        self._house = await self._enter(self._inside)
        self._watcher = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            with suppress(asyncio.CancelledError):
                await self._watcher
        await self._inside.aclose()

    @property
    def house(self) -> House:
        """That which serves now. Raises Unavailable while the exchange is another one than it was opened for."""
        if self._trouble is not None:
            raise self._trouble
        assert self._house is not None
        return self._house

    def doubt(self) -> None:
        """Something was odd with the exchange: look at it."""
        self._doubt.set()

    async def _enter(self, stack: AsyncExitStack) -> House:
        house = await stack.enter_async_context(self._open())
        house.client.on_trouble = self.doubt
        return house

    async def _watch(self) -> None:
        while True:
            await self._doubt.wait()
            self._doubt.clear()  # before the look: what is odd after it has to be looked at as well
            self.is_settled = await self._look()
            if not self.is_settled:
                self.doubt()
            await asyncio.sleep(PAUSE)

    async def _look(self) -> bool:
        """Whether the house serves the exchange that answers now, after it was opened anew if that helps."""
        assert self._house is not None
        try:
            change = await self._house.find_change()
        except Unavailable:
            return False  # it is away: whoever asks is told so by what is asked
        except SetoffError as error:
            change = str(error)
        except Exception:
            _log.exception("the exchange could not be looked at")
            return False
        if not change:
            self._trouble = None
            return True
        stack = AsyncExitStack()
        try:
            house = await self._enter(stack)
        except Exception as error:
            await stack.aclose()
            if not isinstance(error, SetoffError):
                _log.exception("the gateway could not be opened anew")
            self._note(f"{change}; {error}" if str(error) not in change else change)
            return False
        before, self._inside, self._house, self._trouble = self._inside, stack, house, None
        for move in tuple(self.movers):
            move(house)
        await before.aclose()
        _log.warning("the exchange has become another one (%s); the gateway was opened anew for it", change)
        return True

    def _note(self, why: str) -> None:
        text = (
            f"another exchange answers than this gateway was opened for: {why}. Nothing is done until that is mended;"
        )
        if self._trouble is None:
            _log.error("%s", text)
        self._trouble = Unavailable("not_ready", f"{text} once it is mended, it goes on by itself")
