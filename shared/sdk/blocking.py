"""The client for programs without `await`: the same methods, each of which returns when it is done.

    with BlockingClient("http://127.0.0.1:8700", KeySigner(key)) as client:
        result = client.place("BTC-PERP", BUY, Decimal("77990"), Decimal("0.001"))
        for trade in client.subscribe("trades", market="BTC-PERP"):
            print(trade["data"]["decimal"])

It runs `SetoffClient` in a loop of its own, in one thread; any thread may use it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

from setoff.shared.errors import StateError
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.sdk.exchange_clock import SKEW
from setoff.shared.sdk.local_book import LocalBook
from setoff.shared.sdk.signer import Signer

if TYPE_CHECKING:
    from setoff.shared.config.deployment_file import Deployment
    from setoff.shared.sdk.listed_units import ListedUnits
    from setoff.shared.sdk.market_scales import MarketScales
    from setoff.shared.sdk.receipt_store import ReceiptStore
    from setoff.shared.wire.api.market_answers import Book

P = ParamSpec("P")
T = TypeVar("T")


class LoopThread:
    """A loop in a thread of its own, for a client and its twins."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="setoff-client", daemon=True)
        self._thread.start()
        self._lock = threading.Lock()  # what is begun before it closes is seen by who closes it
        self._is_closing = False

    def run(self, asked: Coroutine[Any, Any, T]) -> T:
        """What a coroutine comes to. Raises StateError("not_ready") if this is closed, before or meanwhile."""
        with self._lock:
            if self._is_closing:
                asked.close()
                raise StateError("not_ready", "the client is closed")
            future: Future[T] = asyncio.run_coroutine_threadsafe(asked, self._loop)
        try:
            return future.result()
        except CancelledError:
            raise StateError("not_ready", "the client is closed") from None
        except KeyboardInterrupt:
            future.cancel()
            raise

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        """Run the last coroutine, and end what other threads wait for."""
        with self._lock:
            self._is_closing = True
            future = asyncio.run_coroutine_threadsafe(self._finish(last), self._loop)
        future.result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _finish(self, last: Coroutine[Any, Any, None]) -> None:
        await last
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def _blocking(
    method: Callable[Concatenate[SetoffClient, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[BlockingClient, P], T]:
    """The method for who does not await."""

    @wraps(method)
    def call(self: BlockingClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._run(method(self._client, *args, **kwargs))

    return call


def _streaming(
    method: Callable[Concatenate[SetoffClient, P], AsyncIterator[T]],
) -> Callable[Concatenate[BlockingClient, P], Iterator[T]]:
    """The stream for who does not await."""

    @wraps(method)
    def call(self: BlockingClient, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        stream = method(self._client, *args, **kwargs)

        async def step() -> tuple[T, ...]:
            async for told in stream:
                return (told,)
            return ()

        try:
            while told := self._run(step()):
                yield told[0]
        finally:
            with contextlib.suppress(StateError):  # the client may be closed before who reads its stream
                self._run(stream.aclose())  # type: ignore[attr-defined] # a generator

    return call


class BlockingClient:
    """See `SetoffClient`, whose arguments it takes. A context manager."""

    def __init__(
        self,
        url: str,
        signer: Signer | None = None,
        *,
        account: int | str = "",
        agent: int = 0,
        sub: int = 0,
        receipt_store: ReceiptStore | None = None,
        over_socket: bool = False,
        deployment: Deployment | None = None,
        listed: ListedUnits | None = None,
        patience: float = 0.0,
        clock_skew: float = SKEW,
    ) -> None:
        self._client = SetoffClient(
            url,
            signer,
            account=account,
            agent=agent,
            sub=sub,
            receipt_store=receipt_store,
            over_socket=over_socket,
            deployment=deployment,
            listed=listed,
            patience=patience,
            clock_skew=clock_skew,
        )
        self._loop: LoopThread | None = None
        self._is_twin = False

    def __enter__(self) -> Self:
        self._loop = LoopThread()
        self._run(self._client.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        loop, self._loop = self._loop, None
        if loop is not None and not self._is_twin:
            loop.close(self._client.__aexit__())

    def at(self, sub: int) -> Self:
        """See `SetoffClient.at`."""
        twin = type(self)("")
        twin._client, twin._loop, twin._is_twin = self._client.at(sub), self._loop, True
        return twin

    @contextlib.contextmanager
    def follow_book(self, market: int | str) -> Iterator[LocalBook]:
        """A book that is kept up to date while the block runs: look at it whenever you like."""
        request = self._client.book(market)
        book = self._run(request.__aenter__())
        try:
            yield book
        finally:
            self._run(request.__aexit__())

    def book(self, market: int | str, depth: int = 20) -> Book:
        """The best levels of a market now, as the API has them."""

        async def ask() -> Book:
            return await self._client.book(market, depth)

        return self._run(ask())

    def history(self, what: str, of: int | str, **query: int | str) -> dict[str, Any]:
        """See `SetoffClient.history`."""
        return self._run(self._client.history(what, of, **query))

    def take_scales(self, info: Mapping[str, Any]) -> MarketScales:
        """See `SetoffClient.take_scales`."""
        return self._client.take_scales(info)

    def sign(self, body: bytes) -> bytes:
        """See `SetoffClient.sign`."""
        return self._client.sign(body)

    def _run(self, asked: Coroutine[Any, Any, T]) -> T:
        """See `LoopThread.run`."""
        if self._loop is None:
            asked.close()
            raise StateError("not_ready", "use the client in a `with` block")
        return self._loop.run(asked)

    # --- what an exchange shows

    info = _blocking(SetoffClient.info)
    markets = _blocking(SetoffClient.markets)
    terms = _blocking(SetoffClient.terms)
    market = _blocking(SetoffClient.market)
    account = _blocking(SetoffClient.account)
    balance = _blocking(SetoffClient.balance)
    orders = _blocking(SetoffClient.orders)
    fills = _blocking(SetoffClient.fills)
    find = _blocking(SetoffClient.find)
    backstop = _blocking(SetoffClient.backstop)
    risk = _blocking(SetoffClient.risk)
    record = _blocking(SetoffClient.record)
    read_domain = _blocking(SetoffClient.read_domain)
    batch = _blocking(SetoffClient.batch)
    withdrawal = _blocking(SetoffClient.withdrawal)
    status = _blocking(SetoffClient.status)
    now = _blocking(SetoffClient.now)
    scales = _blocking(SetoffClient.scales)
    find_market = _blocking(SetoffClient.find_market)
    stream = _streaming(SetoffClient.stream)
    subscribe = _streaming(SetoffClient.subscribe)

    # --- what has happened

    candles = _blocking(SetoffClient.candles)
    trades = _streaming(SetoffClient.trades)
    prices = _streaming(SetoffClient.prices)
    funding_rates = _streaming(SetoffClient.funding_rates)
    liquidations = _streaming(SetoffClient.liquidations)
    past_fills = _streaming(SetoffClient.past_fills)
    past_orders = _streaming(SetoffClient.past_orders)
    ledger = _streaming(SetoffClient.ledger)
    past_records = _streaming(SetoffClient.past_records)
    past_batches = _streaming(SetoffClient.past_batches)

    # --- orders

    place = _blocking(SetoffClient.place)
    place_market = _blocking(SetoffClient.place_market)
    place_stop = _blocking(SetoffClient.place_stop)
    place_pair = _blocking(SetoffClient.place_pair)
    close_position = _blocking(SetoffClient.close_position)
    cancel = _blocking(SetoffClient.cancel)
    cancel_client = _blocking(SetoffClient.cancel_client)
    cancel_all = _blocking(SetoffClient.cancel_all)
    amend = _blocking(SetoffClient.amend)
    schedule_cancel = _blocking(SetoffClient.schedule_cancel)
    bulk = _blocking(SetoffClient.bulk)
    take_order_slot = _blocking(SetoffClient.take_order_slot)

    # --- money and keys

    transfer = _blocking(SetoffClient.transfer)
    withdraw = _blocking(SetoffClient.withdraw)
    request_withdrawal = _blocking(SetoffClient.request_withdrawal)
    backstop_deposit = _blocking(SetoffClient.backstop_deposit)
    backstop_withdraw = _blocking(SetoffClient.backstop_withdraw)
    set_agent = _blocking(SetoffClient.set_agent)

    # --- records

    load = _blocking(SetoffClient.load)
    submit = _blocking(SetoffClient.submit)
    report = _blocking(SetoffClient.report)
    crank = _blocking(SetoffClient.crank)
