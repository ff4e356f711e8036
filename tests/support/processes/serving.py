"""An aiohttp application in a thread of this process, for whoever speaks HTTP from another one."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohttp import web


@contextmanager
def serving(make_app: Callable[[], web.Application], host: str = "127.0.0.1") -> Iterator[str]:
    """The application on a free port; its URL."""
    loop, ready, url = asyncio.new_event_loop(), threading.Event(), []
    runners = []

    async def start() -> None:
        runner = web.AppRunner(make_app(), shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, host, 0).start()
        url.append(f"http://{host}:{runner.addresses[0][1]}")
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(start())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield url[0]
    finally:
        asyncio.run_coroutine_threadsafe(runners[0].cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
