"""One answer a market for everybody who asks, made by no more than a part of the time, however many ask and for however
many markets."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Final, NamedTuple

from setoff.operator.api.reader import Reader
from setoff.operator.api.risk.pace import do_in_pieces
from setoff.operator.api.risk.shown import show_risk
from setoff.operator.api.views.scales import Scales

if TYPE_CHECKING:
    from setoff.operator.api.risk.picture import Picture

KEPT: Final = 2.0
"""Seconds for which a picture is the latest, once it is made."""
OLDEST: Final = 60.0
"""Seconds after which nobody is given an answer any more: he waits for another one."""


class Answer(NamedTuple):
    """`body`: JSON, `packed` as gzip has it."""

    body: bytes
    packed: bytes
    picture: int
    """Its number."""
    as_of: float
    """Seconds of `time.monotonic`, when the exchange was as it says."""


class RiskDesk:
    """Of one service."""

    def __init__(self, reader: Reader, scales: Scales) -> None:
        self._reader = reader
        self._scales = scales
        self._answers: dict[int, Answer] = {}
        self._making: dict[int, asyncio.Task[None]] = {}
        self._one_by_one = asyncio.Lock()
        self._picture: Picture | None = None
        self._number = 0  # of that picture
        self._as_of = 0.0
        self._as_of_ms = 0
        self._kept_until = 0.0

    async def ask(self, market: int) -> Answer:
        """The latest answer about a market; one that is not very old is given while another one is made. Raises
        StateError("not_ready")."""
        answer = self._answers.get(market)
        if answer is None or answer.picture != self._number or not self._is_latest():
            making = self._making.get(market)
            if making is None:
                making = self._making[market] = asyncio.create_task(self._make(market))
                making.add_done_callback(lambda done: self._end(market, done))
            if answer is None or time.monotonic() - answer.as_of > OLDEST:
                await asyncio.shield(making)
                answer = self._answers[market]
        return answer

    async def stop(self) -> None:
        """Whoever waits is told that it is over."""
        for making in list(self._making.values()):
            making.cancel()
        await asyncio.gather(*self._making.values(), return_exceptions=True)

    def _is_latest(self) -> bool:
        return self._picture is not None and time.monotonic() < self._kept_until

    def _end(self, market: int, done: asyncio.Task[None]) -> None:
        del self._making[market]
        if not done.cancelled():
            done.exception()  # whoever waits has it

    async def _make(self, market: int) -> None:
        """In the order in which they were asked for, from one picture as long as it is the latest."""
        async with self._one_by_one:
            if not self._is_latest():
                await self._take_picture()
            picture = self._picture
            assert picture is not None
            self._answers[market] = await do_in_pieces(self._show(picture, market))

    def _show(self, picture: Picture, market: int) -> Generator[None, None, Answer]:
        risk = yield from picture.show(market)
        yield
        shown = show_risk(self._scales[market], market, risk, picture.regs.time, self._as_of_ms)
        body = json.dumps(shown).encode()
        yield
        return Answer(body, gzip.compress(body), self._number, self._as_of)

    async def _take_picture(self) -> None:
        from setoff.operator.api.risk.picture import Picture  # the arithmetic by columns takes a while to load

        exchange = await self._reader.read()
        exchange.machine.state.commit()
        as_of, as_of_ms = time.monotonic(), time.time_ns() // 10**6
        picture = Picture(exchange.machine.state.tree.copy(), exchange.machine.regs.copy())
        await do_in_pieces(picture.read())
        self._picture, self._as_of, self._as_of_ms = picture, as_of, as_of_ms
        self._number += 1
        self._kept_until = time.monotonic() + KEPT
