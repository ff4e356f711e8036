"""The demo's market: traders who deposit on L1 and send signed orders over HTTP, and an oracle that reports prices.

Everybody does what a real client does: transactions from a wallet of one's own, records through the API, one after the
other for each trader and side by side for all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from setoff.deploy.devnet.devnet import BITCOIN, Devnet
from setoff.deploy.devnet.faucet import Faucet
from setoff.deploy.simulation.demo.flow import MARKETS, PriceFeed, Submission, schedule, sign_flow
from setoff.deploy.simulation.demo.traders import OracleSigner, Trader
from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.errors import ChainError
from setoff.shared.l1.connection import L1
from setoff.shared.sdk.answers import Refusal
from setoff.shared.sdk.bodies import get_bound
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.sdk.vault import Vault
from setoff.shared.wire.slippage import SLIPPAGE

DEPOSIT: Final = 500_000 * 10**6
"""Token units a trader begins with."""
MORE: Final = 1_000 * 10**6
"""Token units of a later deposit."""
TRANSFER: Final = 25 * 10**6
BACKING: Final = 10_000 * 10**6
"""Token units that a trader puts into the backstop vault."""
GAMBLE: Final = 200 * 10**6
"""Token units of the gambler, who buys as many lots for them as the margin allows."""
GAMBLING: Final = MARKETS
"""The market he does it in."""
FALL: Final = 45_000
"""Parts per million by which its price falls for a while."""
REPORT_SECONDS: Final = 2.0
DEPOSIT_SECONDS: Final = 3.0
WALLETS: Final = 8
"""Wallets that send side by side."""


class Market:
    """Traders, signers and the flow of their orders. `acknowledged` holds every record that the API accepted."""

    def __init__(
        self, devnet: Devnet, traders: Sequence[Trader], gambler: Trader, signers: Sequence[OracleSigner]
    ) -> None:
        self.acknowledged: set[bytes] = set()
        self.refused: Counter[str] = Counter()
        self.fills = 0
        self.total = 0
        self.last_batch = 0
        self._devnet = devnet
        self._traders = traders
        self.gambler = gambler
        self._signers = signers
        self._feed = PriceFeed()
        self._traffic_time = 0.0
        self._reported = 0
        self._fallen = False

    # --- L1 ----------------------------------------------------------------------------------------------------------

    def deposit_all(self, faucet: Faucet) -> int:
        """Every trader gets ether and tokens from the faucet and deposits; returns the units deposited."""
        for trader in self._traders:
            faucet.give(trader.address, DEPOSIT + 10 * MORE)
        faucet.give(self.gambler.address, GAMBLE)
        stakes = [*((trader, DEPOSIT) for trader in self._traders), (self.gambler, GAMBLE)]
        with ThreadPoolExecutor(WALLETS) as pool:
            accounts = list(pool.map(lambda stake: self.vault(stake[0]).deposit(stake[1]), stakes))
        for (trader, _), account in zip(stakes, accounts, strict=True):
            trader.account = account
        return sum(amount for _, amount in stakes)

    def vault(self, trader: Trader) -> Vault:
        """The vault, as the trader's wallet uses it."""
        return Vault(L1(self._devnet.chain.url, trader.key), self._devnet.deployment)

    # --- the exchange ------------------------------------------------------------------------------------------------

    async def wait_until_open(self, client: SetoffClient) -> None:
        """Wait until the exchange has consumed the deposits and listings, then report the first prices."""
        while (await client.status())["accounts"] <= len(self._traders):
            await asyncio.sleep(0.2)
        await self._report(client)
        await self.submit(client, self._traders[1].sign_backstop_deposit(BACKING))

    async def trade(self, client: SetoffClient, count: int, seconds: float, thinning: int, seed: int) -> None:
        """Send the first `count` events of the sample in about `seconds`; between them reports, deposits, transfers.

        Meanwhile the gambler buys, the price falls, and recovers. Raises Unavailable if the exchange stops answering.
        """
        events = schedule(thinning, count, seed)
        self.total = len(events)
        queues: list[asyncio.Queue[bytes | None]] = [asyncio.Queue() for _ in self._traders]
        try:
            async with asyncio.TaskGroup() as group:
                for queue in queues:
                    group.create_task(self._send(client, queue))
                others = [group.create_task(self._report_on(client)), group.create_task(self._pay_on(queues))]
                gamble = group.create_task(self._gamble(client, seconds))
                await self._pace(sign_flow(events, self._traders), queues, seconds / max(1, len(events)))
                await gamble
                for other in others:
                    other.cancel()
                for queue in queues:
                    queue.put_nowait(None)
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def submit(self, client: SetoffClient, record: bytes) -> bool:
        """Send one record; returns whether it was accepted."""
        try:
            result = await client.submit(record)
        except Refusal as refusal:
            self.refused[refusal.reason] += 1
            return False
        self.acknowledged.add(record)
        self.fills += len(result.fills)
        self.last_batch = max(self.last_batch, result.batch)
        return True

    async def _pace(
        self, submissions: Iterable[Submission], queues: Sequence[asyncio.Queue[bytes | None]], step: float
    ) -> None:
        """Hand a record to its trader every `step` seconds."""
        begin = time.monotonic()
        for number, submission in enumerate(submissions):
            delay = begin + number * step - time.monotonic()
            if delay > 0.005:
                await asyncio.sleep(delay)
            self._traffic_time = submission.at
            queues[submission.trader].put_nowait(submission.record)

    async def _send(self, client: SetoffClient, queue: asyncio.Queue[bytes | None]) -> None:
        """One trader's records, in order."""
        while (record := await queue.get()) is not None:
            await self.submit(client, record)

    async def _report_on(self, client: SetoffClient) -> None:
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            await self._report(client)

    async def _report(self, client: SetoffClient) -> None:
        """All signers report what they see, with the time that the exchange has."""
        self._reported = max((await client.status())["l1_time"], self._reported + 1)
        for market in range(1, MARKETS + 1):
            for signer in self._signers:
                price = self._feed.price(market, self._traffic_time)
                if self._fallen and market == GAMBLING:
                    price -= price * FALL // PPM
                await self.submit(client, signer.sign_report(self._reported, market, price))

    async def _gamble(self, client: SetoffClient, seconds: float) -> None:
        """In the first half of the time the gambler buys what he can; then the price falls until he is liquidated."""
        half = time.monotonic() + seconds / 2
        mark = (await client.market(GAMBLING))["mark"]
        wanted = GAMBLE * 17 * PPM // (20 * BITCOIN.parameters.initial_margin * mark * BITCOIN.parameters.unit)
        while (missing := wanted - await self._get_gamble(client)) > 0 and time.monotonic() < half:
            price = get_bound((await client.market(GAMBLING))["mark"], records.BUY, SLIPPAGE // 2)
            await self.submit(client, self.gambler.sign_order(GAMBLING, records.BUY, records.IOC, 0, price, missing))
            await asyncio.sleep(seconds / 40)
        await asyncio.sleep(max(0.0, half - time.monotonic()))
        held = await self._get_gamble(client)
        self._fallen = True
        while await self._get_gamble(client) == held and time.monotonic() < half + seconds:
            await asyncio.sleep(REPORT_SECONDS / 4)
        self._fallen = False

    async def _get_gamble(self, client: SetoffClient) -> int:
        """Lots that the gambler has."""
        positions = (await client.account(self.gambler.account))["positions"]
        return sum(int(position["size"]) for position in positions)

    async def _pay_on(self, queues: Sequence[asyncio.Queue[bytes | None]]) -> None:
        """Now and then a trader deposits once more, and another one pays a third."""
        turn = 0
        while True:
            await asyncio.sleep(DEPOSIT_SECONDS)
            trader = self._traders[turn % len(self._traders)]
            with contextlib.suppress(ChainError):  # lost in a reorg, say: there will be another one
                await asyncio.to_thread(self.vault(trader).deposit, MORE)
            payer = (turn + 1) % len(self._traders)
            payee = self._traders[(turn + 2) % len(self._traders)]
            queues[payer].put_nowait(self._traders[payer].sign_transfer(payee.account, TRANSFER))
            turn += 1
