"""A run of the demo: everything that happens, in order, on one machine, by separate processes on a real chain."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from setoff.deploy.contracts.compile import compile_all
from setoff.deploy.contracts.events import Event
from setoff.deploy.devnet.devnet import Devnet
from setoff.deploy.devnet.faucet import FAUCET, Faucet
from setoff.deploy.simulation.demo.console import Console
from setoff.deploy.simulation.demo.market import GAMBLING, Market
from setoff.deploy.simulation.demo.monitor import Monitor
from setoff.deploy.simulation.demo.summary import Expectation, Payout, Summary, summarize
from setoff.deploy.simulation.demo.traders import OracleSigner, Trader, derive_key
from setoff.deploy.simulation.lies import SILENT
from setoff.deploy.simulation.processes import Processes
from setoff.shared.codec import signatures
from setoff.shared.errors import StateError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.params import Params
from setoff.shared.sdk.answers import Refusal
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.wire.withdrawals import WithdrawalProof

SIGNERS: Final = 3
LOOK_SECONDS: Final = 0.4
QUIET_SECONDS: Final = 2.5
"""Without an event on L1, after which nobody is taken to be busy."""
WITHDRAWAL: Final = 12_345_678_901
"""Token units that a trader takes out in the end."""

EARLY: Final = frozenset({"wrong-funding"})
"""Lies whose only place in a short run is at its beginning: a market is cranked once a minute."""

Stay = Callable[[Summary, list[str]], None]
"""Called when all is over and everything still runs, with the addresses of the consoles."""
Interference = Callable[[Monitor, Processes], None]
"""Called after every look at L1, to meddle with what is going on."""


@dataclass(frozen=True, slots=True)
class Script:
    """How a run of the demo goes; times in seconds."""

    params: Params
    lie: str = "wrong-fill"
    """One of CLAIM_LIES, or "" for an honest run."""
    lie_from: int = 4
    """The first batch to lie about."""
    slander: str = ""
    """One of FAULTS with which watcher 1 disputes the honest claim of epoch `lie_from`."""
    watchers: int = 2
    traders: int = 24
    records: int = 4000
    thinning: int = 64
    """Of the sample's orders that did not trade, one in so many is sent."""
    trading_seconds: float = 40.0
    batch_interval: float = 3.0
    data: str = "calldata"
    """Where the operator posts records: the name of a module."""
    confirmations: int = 0
    """Blocks on top of a deposit before the operator credits it."""
    seed: int = 0
    patience: float = 150.0
    """For everything to be confirmed once the trading is over."""
    hurries: bool = False
    """Whether the chain's clock jumps ahead where nothing is missing but time. For tests."""


class Play:
    """One run in `folder`, which keeps logs and state; use it once."""

    def __init__(
        self,
        script: Script,
        folder: Path,
        console: Console,
        interfere: Interference | None = None,
        stay: Stay | None = None,
    ) -> None:
        self.script = script
        self._interfere = interfere
        self._stay = stay
        self.folder = folder
        self.console = console
        self._market: Market | None = None

    def run(self) -> Summary:
        """Play it. Raises SetoffError if something cannot go on; whatever was started is stopped."""
        self.console.chapter("the contracts, compiled")
        compile_all()
        self.console.chapter("a chain, two markets")
        with Devnet(self.folder, self.script.params, signers=list_signers(self.script.seed)) as devnet:
            return self.run_on(devnet)

    def run_on(self, devnet: Devnet) -> Summary:
        """Play it on a chain that is there, with the script's terms and the oracle signers of its seed."""
        deployment = devnet.deployment
        self.console.tell(f"chain {deployment.chain_id} at {devnet.chain.url}, court {deployment.court}")
        processes = Processes(devnet, self.folder)
        try:
            summary = asyncio.run(self._play(devnet, processes))
            if self._stay is not None:
                self._stay(summary, processes.console_urls())
            return summary
        finally:
            processes.stop()

    async def _play(self, devnet: Devnet, processes: Processes) -> Summary:
        script, console, domain = self.script, self.console, devnet.deployment.domain
        console.chapter(f"an operator and {script.watchers} watchers, processes of their own")
        lie_from = 0 if script.lie in EARLY else script.lie_from
        processes.start_operator(
            lie=script.lie,
            lie_from=lie_from,
            batch_interval=script.batch_interval,
            confirmations=script.confirmations,
            data=script.data,
        )
        for number in range(1, script.watchers + 1):
            slander = script.slander if number == 1 else ""
            processes.start_watcher(number, lie=slander, lie_epoch=script.lie_from // script.params.epoch_batches)

        if self._stay is not None:
            for url in await asyncio.to_thread(processes.console_urls):
                console.tell(f"a console is at {url}")

        console.chapter(f"{script.traders} traders deposit on L1")
        traders = [Trader(derive_key(script.seed, "trader", i), domain) for i in range(script.traders)]
        signers = [OracleSigner(number, key, domain) for number, key in enumerate(_derive_oracle(script.seed))]
        gambler = Trader(derive_key(script.seed, "gambler", 0), domain)
        self._market = market = Market(devnet, traders, gambler, signers)
        total = await asyncio.to_thread(market.deposit_all, Faucet(devnet.chain.connect(FAUCET), devnet.deployment))
        console.tell(f"{total / 10**6:,.2f} tUSD are in the vault")
        monitor = Monitor(L1(devnet.chain.url), devnet.deployment, self._names(processes, traders))

        async with self._reporting(monitor, processes), SetoffClient(processes.operator_url()) as client:
            await market.wait_until_open(client)
            console.chapter("real order flow, signed, through the HTTP API")
            await market.trade(client, script.records, script.trading_seconds, script.thinning, script.seed)
            console.tell(
                f"{len(market.acknowledged)} records accepted, {market.refused.total()} refused {_show(market)}"
            )
            await self._tell_liquidation(client, market)
            withdrawal = await self._request_withdrawal(client, traders[0])

            console.chapter("all of it confirmed on L1, what is false replaced" if script.lie else "confirmed on L1")
            hurry = asyncio.create_task(self._hurry(monitor, devnet))
            is_confirmed = await self._until(lambda: self._is_all_confirmed(monitor), "confirmation of every epoch")
            hurry.cancel()
            console.chapter("a trader withdraws on L1")
            payout = await self._withdraw(client, market, traders[0], withdrawal) if is_confirmed else None
            if script.lie or script.slander:
                console.chapter("bonds and stakes paid out")
                await self._until(lambda: self._is_settled(monitor), "settlement of the dispute")

        console.chapter("the facts, read back from L1")
        slanderer = processes.watcher_address(1) if script.slander else b""
        expected = Expectation(
            script.lie, processes.operator_address, slanderer, frozenset(market.acknowledged), gambler.account, payout
        )
        return await asyncio.to_thread(summarize, devnet.l1, devnet.deployment, script.params, expected)

    # --- scenes ------------------------------------------------------------------------------------------------------

    async def _tell_liquidation(self, client: SetoffClient, market: Market) -> None:
        """What the machine did by itself when a price fell."""
        fills = await client.fills(after=0, limit=1000, account=market.gambler.account)
        lost = [fill for fill in fills if fill["kind"] != "trade"]
        if lost:
            lots, kinds = sum(int(fill["size"]) for fill in lost), ", ".join(sorted({fill["kind"] for fill in lost}))
            self.console.tell(f"market {GAMBLING} fell for a moment: a gambler lost {lots} lots ({kinds})", "yellow")

    async def _request_withdrawal(self, client: SetoffClient, trader: Trader) -> int:
        """The trader asks the exchange for its money; returns the withdrawal's index."""
        index = int((await client.status())["withdrawals"])
        assert self._market is not None
        if not await self._market.submit(client, trader.sign_withdraw(WITHDRAWAL)):
            raise StateError("not_ready", "the withdrawal was refused")
        return index

    async def _withdraw(self, client: SetoffClient, market: Market, trader: Trader, index: int) -> Payout | None:
        """The proof comes from the API, the money from the vault; None if the vault refuses."""
        proof = await self._proof(client, index)
        vault = market.vault(trader)
        before = await asyncio.to_thread(vault.balance)
        try:
            await asyncio.to_thread(vault.withdraw, proof)
        except Reverted as refusal:
            self.console.tell(f"the vault refuses to pay: {refusal.reason}", "bold red")
            return None
        return Payout(trader.address, WITHDRAWAL, before)

    async def _proof(self, client: SetoffClient, index: int) -> WithdrawalProof:
        while True:
            try:
                return await client.withdrawal(index)
            except Refusal:
                await asyncio.sleep(LOOK_SECONDS)

    # --- keeping an eye on things ------------------------------------------------------------------------------------

    def _is_all_confirmed(self, monitor: Monitor) -> bool:
        """Whether the batch with the last record is posted, and every posted epoch confirmed."""
        assert self._market is not None
        epochs = monitor.posted // self.script.params.epoch_batches
        return monitor.posted > self._market.last_batch and 0 < epochs == monitor.confirmed

    def _is_settled(self, monitor: Monitor) -> bool:
        """Whether the lie is paid for, all bonds are paid out, and every claim that was built on a lie is closed."""
        joined, released = len(monitor.named("Joined")), len(monitor.named("Released"))
        is_paid = bool(monitor.named("Slashed")) or not self.script.lie
        return is_paid and 0 < joined == released and monitor.loose_claims == 0

    async def _hurry(self, monitor: Monitor, devnet: Devnet) -> None:
        """Let the challenge period pass in one jump whenever nobody has anything to do but wait for it."""
        seen = -1
        while self.script.hurries:
            await asyncio.sleep(QUIET_SECONDS)
            is_quiet, seen = len(monitor.events) == seen, len(monitor.events)
            if is_quiet and self._is_only_time_missing(monitor):
                self.console.tell(f"the chain's clock jumps {self.script.params.challenge_period} s ahead")
                await asyncio.to_thread(devnet.chain.advance, self.script.params.challenge_period)

    def _is_only_time_missing(self, monitor: Monitor) -> bool:
        """Whether all is posted and claimed, and each dispute decided, or one with a liar who does not move."""
        expects_dispute = bool(self.script.lie or self.script.slander) and self.script.watchers > 0
        keys = monitor.disputed_keys
        joined = [len(monitor.named("Joined", key=key)) for key in keys]
        decided = [bool(monitor.named("Eliminated", key=key)) for key in keys]
        if self.script.lie == SILENT:
            decided = [count > 1 for count in joined]
        return monitor.posted == monitor.claimed and bool(keys) == expects_dispute and all(decided)

    async def _until(self, condition: Callable[[], bool], what: str) -> bool:
        """Wait for it as long as the script has patience; returns whether it came true."""
        deadline = self.console.seconds + self.script.patience
        while not condition():
            if self.console.seconds > deadline:
                self.console.tell(f"waited {self.script.patience:.0f} s in vain for the {what}", "bold red")
                return False
            await asyncio.sleep(LOOK_SECONDS)
        return True

    @contextlib.asynccontextmanager
    async def _reporting(self, monitor: Monitor, processes: Processes) -> AsyncIterator[None]:
        """Meanwhile tell what is seen on L1; the body is cancelled if a process ends."""
        body = asyncio.current_task()
        assert body is not None
        failure: list[BaseException] = []

        async def report() -> None:
            try:
                while True:
                    processes.check()
                    self._tell(monitor, await asyncio.to_thread(monitor.look))
                    if self._interfere:
                        self._interfere(monitor, processes)
                    await asyncio.sleep(LOOK_SECONDS)
            except Exception as error:
                failure.append(error)
                body.cancel()

        reporter = asyncio.create_task(report())
        try:
            yield
        except asyncio.CancelledError:
            if failure:
                raise failure[0] from None
            raise
        finally:
            reporter.cancel()
            await asyncio.gather(reporter, return_exceptions=True)

    def _tell(self, monitor: Monitor, events: list[Event]) -> None:
        for sentence, style in monitor.sentences(events):
            self.console.tell(sentence, style)
        market = self._market
        self.console.update(
            records=f"{len(market.acknowledged) if market else 0}",
            fills=market.fills if market else 0,
            posted=monitor.posted,
            claimed=monitor.claimed,
            confirmed=monitor.confirmed,
        )

    def _names(self, processes: Processes, traders: list[Trader]) -> dict[str, str]:
        return processes.names() | {
            "0x" + trader.address.hex(): f"trader {number}" for number, trader in enumerate(traders, start=1)
        }


def list_signers(seed: int) -> list[bytes]:
    """The addresses of the oracle's signers, 20 bytes each."""
    return [signatures.address_of(key) for key in _derive_oracle(seed)]


def _derive_oracle(seed: int) -> list[bytes]:
    return [derive_key(seed, "oracle", number) for number in range(SIGNERS)]


def _show(market: Market) -> str:
    return (
        f"({', '.join(f'{reason} {count}' for reason, count in market.refused.most_common())})"
        if market.refused
        else ""
    )
