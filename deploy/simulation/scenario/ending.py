"""An exchange whose operator dies in the middle of trading, with everything else as in the demo: processes on anvil.

It returns in time, and goes on; or never, and then a liveness keeper posts, claims and ends the exchange, and everybody
takes out what is theirs through L1. The chain's clock jumps ahead where nothing is missing but time.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from setoff.deploy.contracts.compile import compile_all
from setoff.deploy.devnet.devnet import Devnet
from setoff.deploy.devnet.faucet import FAUCET, Faucet
from setoff.deploy.simulation.demo.console import Console
from setoff.deploy.simulation.demo.market import TRANSFER, Market
from setoff.deploy.simulation.demo.monitor import Monitor
from setoff.deploy.simulation.demo.replay import count_owed, replay
from setoff.deploy.simulation.demo.traders import OracleSigner, Trader, derive_key
from setoff.deploy.simulation.processes import Processes
from setoff.deploy.simulation.scenario.report import Report
from setoff.deploy.simulation.scenario.script import Cue, Script
from setoff.deploy.simulation.scenario.withdrawals import FIRST, Withdrawals
from setoff.shared.codec import signatures
from setoff.shared.errors import StateError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import TOKEN, Contract
from setoff.shared.l1.inbox import Inbox
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.sdk.replay import Replay
from setoff.shared.state import keys

SIGNERS: Final = 3
LOOK: Final = 0.4
QUIET: Final = 2.5
"""Seconds without an event on L1 after which nobody is taken to be busy."""
STRIDE: Final = 1800
"""Seconds of the chain's time that pass then: a liveness keeper's pace in two, and what it leaves others to claim in
one."""
THINNING: Final = 64
SAVINGS: Final = 1_000 * 10**6
"""Token units of one who does not trade: without an index nobody with a position can take anything out."""

Interfere = Callable[[Monitor, Processes], None]


class Ending:
    """One run in `folder`; use it once."""

    def __init__(self, script: Script, folder: Path, console: Console, interfere: Interfere) -> None:
        """`interfere` is called after every look at L1, to meddle with what is going on."""
        self._script = script
        self._folder = folder
        self._console = console
        self._interfere = interfere
        roles = {actor.name: actor for actor in script.actors}
        self._operator, self._watcher = roles["operator"], roles["watcher"]
        self._report = Report(script.name, script.text)

    def run(self) -> Report:
        """Play it. Raises SetoffError if something cannot go on; whatever was started is stopped."""
        script, console = self._script, self._console
        console.chapter(f"{script.name}: {script.text}")
        begun = time.monotonic()
        compile_all()
        seed = script.flow.seed
        oracle = [derive_key(seed, "oracle", number) for number in range(SIGNERS)]
        with Devnet(self._folder, script.params, signers=[signatures.address_of(key) for key in oracle]) as devnet:
            domain = devnet.deployment.domain
            processes = Processes(devnet, self._folder)
            traders = [Trader(derive_key(seed, "trader", number), domain) for number in range(script.flow.traders)]
            gambler = Trader(derive_key(seed, "gambler", 0), domain)
            signers = [OracleSigner(number, key, domain) for number, key in enumerate(oracle)]
            saver = Trader(derive_key(seed, "saver", 0), domain)
            self._devnet, self._processes, self._people = devnet, processes, [saver, *traders, gambler]
            self._market = Market(devnet, traders, gambler, signers)
            self._monitor = Monitor(L1(devnet.chain.url), devnet.deployment, processes.names())
            self._inbox = Inbox(devnet.l1, devnet.deployment)
            self._reader = ChainReader(devnet.l1, devnet.deployment)
            self._withdrawals = Withdrawals(devnet, Replay(self._reader), self._people)
            try:
                asyncio.run(self._play())
            finally:
                processes.stop()
        self._report.figures["seconds"] = round(time.monotonic() - begun, 1)
        return self._report

    async def _play(self) -> None:
        processes, flow, console = self._processes, self._script.flow, self._console
        processes.start_operator(batch_interval=flow.batch_interval, confirmations=flow.confirmations)
        for number in range(1, self._watcher.count + 1):
            processes.start_watcher(number, is_liveness_keeper=self._watcher.liveness_keeper)
        await asyncio.to_thread(self._deposit)
        console.chapter("trading, until the operator dies")
        await self._trade_to_death()
        self._died_at, self._posted = self._devnet.l1.now(), self._monitor.posted
        if self._operator.returns:
            await self._return()
        else:
            await self._end()

    def _deposit(self) -> None:
        """The market's people, and one who only keeps money there."""
        faucet, saver = Faucet(self._devnet.chain.connect(FAUCET), self._devnet.deployment), self._people[0]
        self._market.deposit_all(faucet)
        faucet.give(saver.address, SAVINGS)
        saver.account = self._market.vault(saver).deposit(SAVINGS)

    # --- scenes ------------------------------------------------------------------------------------------------------

    async def _trade_to_death(self) -> None:
        cue, flow = Cue.parse(self._operator.dies), self._script.flow
        deadline = self._console.seconds + self._script.patience
        async with SetoffClient(self._processes.operator_url()) as client:
            await self._market.wait_until_open(client)
            trading = asyncio.create_task(self._market.trade(client, flow.records, flow.seconds, THINNING, flow.seed))
            came_at = None
            while came_at is None or self._devnet.l1.now() < came_at + cue.seconds:
                await self._look()
                if came_at is None and len(self._monitor.named(cue.event)) >= cue.times:
                    came_at = self._devnet.l1.now()
                if self._console.seconds > deadline:
                    raise StateError("not_ready", f"the cue '{self._operator.dies}' did not come")
                if trading.done() and trading.exception() is not None:
                    await trading
                await asyncio.sleep(LOOK)
            self._console.tell("the operator is killed", "bold red")
            self._processes.kill_operator(forgets=not self._operator.returns)
            trading.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await trading  # whatever it found when nobody answered any more

    async def _return(self) -> None:
        """The operator comes back, finds what others did, and goes on."""
        console, withdrawals, inbox = self._console, self._withdrawals, self._inbox
        returns_at, opens_at = self._died_at + self._operator.returns, inbox.opens_at()
        await asyncio.to_thread(withdrawals.force_first)
        is_replaced = returns_at >= opens_at and self._watcher.liveness_keeper
        if is_replaced:
            self._jump_to(opens_at)
            await self._until(lambda: None not in withdrawals.results(), "a liveness keeper's batch", stride=0)
        self._jump_to(returns_at)
        what = "others posted in its place" if is_replaced else "nobody posted in its place"
        self._check(what, bool(self._strangers()) == is_replaced,
                    f"{len(self._strangers())} of {self._monitor.posted} batches")  # fmt: skip
        before = len(self._strangers())
        console.chapter("the operator returns")
        self._processes.revive_operator()
        async with SetoffClient(await asyncio.to_thread(self._processes.operator_url)) as client:
            await self._market.wait_until_open(client)
            one, two = self._people[0], self._people[1]
            for trader in self._people[:-1]:  # the gambler has nothing left to give
                await self._market.submit(
                    client, trader.sign_transfer((two if trader is one else one).account, TRANSFER)
                )
            wanted = two.sign_withdraw(FIRST)
            is_taken = await self._market.submit(client, wanted)
            is_there = lambda: wanted in self._records() and withdrawals.is_confirmed() and self._is_all_confirmed()  # noqa: E731
            await self._until(is_there, "confirmation of all that is posted")
        await asyncio.to_thread(withdrawals.collect)
        missing = self._market.acknowledged - self._records()
        self._check("every record that the API acknowledged, before and after, is on L1", is_taken and not missing,
                    f"{len(self._market.acknowledged)} acknowledged, {len(missing)} missing")  # fmt: skip
        self._check("nobody but the operator posts once it is back", len(self._strangers()) == before,
                    f"{len(self._strangers()) - before} batches of others")  # fmt: skip
        are_paid = withdrawals.accepted and withdrawals.received == {one.account: FIRST, two.account: FIRST}
        self._check("the withdrawal forced and the one asked for are paid", are_paid, withdrawals.describe())
        self._check_end(has_wound_down=False)

    async def _end(self) -> None:
        """Nobody comes back: the exchange is ended by those who are there."""
        console, withdrawals, inbox = self._console, self._withdrawals, self._inbox
        console.chapter("the operator is silent")
        await asyncio.to_thread(withdrawals.force_first)
        self._jump_to(inbox.opens_at())
        await self._until(withdrawals.is_confirmed, "confirmation of a forced withdrawal", stride=STRIDE // 3)
        await asyncio.to_thread(withdrawals.collect)
        first = self._people[0].account
        is_paid = withdrawals.received == {first: FIRST} and not inbox.is_winding_down()
        self._check("a withdrawal forced while the operator is silent is paid, before any wind-down", is_paid,
                    withdrawals.describe())  # fmt: skip
        console.chapter("the exchange winds down")
        self._jump_to(inbox.operator_posted_at() + inbox.wind_down())
        await self._until(self._is_settled, "settlement of every market")
        console.chapter("everybody takes out everything")
        await asyncio.to_thread(withdrawals.force_unstaking)
        await self._until(lambda: None not in withdrawals.results(), "a batch with what was forced")
        await asyncio.to_thread(withdrawals.force_everything)
        await self._until(withdrawals.is_confirmed, "confirmation of every withdrawal")
        withdrawals.received.clear()
        await asyncio.to_thread(withdrawals.collect)
        are_granted = withdrawals.accepted and len(withdrawals.owed) >= len(self._people) - 1
        self._check("everybody was granted all", are_granted,
                    f"{len(withdrawals.owed)} of {len(self._people)} had something")  # fmt: skip
        self._check("the vault has paid everybody, to the unit", withdrawals.received == withdrawals.owed,
                    f"{sum(withdrawals.received.values())} of {sum(withdrawals.owed.values())} units")  # fmt: skip
        strangers = len(self._strangers())
        self._check("all batches since the death are others'", strangers == self._monitor.posted - self._posted > 0,
                    f"{strangers} of {self._monitor.posted}")  # fmt: skip
        self._check_end(has_wound_down=True)

    # --- verdict -----------------------------------------------------------------------------------------------------

    def _check_end(self, *, has_wound_down: bool) -> None:
        self._monitor.look()
        run = replay(self._reader)
        count = self._devnet.deployment.epoch_batches
        ends = run.ends[count - 1 :: count]
        confirmed = [self._monitor.end_of(epoch) for epoch in range(self._monitor.confirmed)]
        self._check("every confirmed end is the one that re-execution gives", confirmed == ends[: len(confirmed)] != [],
                    f"{len(confirmed)} of {len(ends)} epochs")  # fmt: skip
        self._check("nobody disputed anything", not self._monitor.disputed_keys,
                    f"{len(self._monitor.disputed_keys)} disputes")  # fmt: skip
        winding, wanted = self._inbox.is_winding_down(), self._script.expect.wind_down
        self._check("the exchange has ended" if wanted else "the exchange goes on",
                    winding == has_wound_down == wanted, "ended" if winding else "not ended")  # fmt: skip
        owed = count_owed(run.machine, {event["index"] for event in self._monitor.named("Withdrawn")})
        deployment = self._devnet.deployment
        held = Contract(self._devnet.l1, TOKEN, deployment.token).view("balanceOf", deployment.vault)
        consumed = sum(batch.header.message_count for batch in run.batches)
        waiting = sum(e["amount"] for e in self._monitor.named("Deposited") if e["message"] >= consumed)
        self._check("the vault holds what it owes, to the unit", held == owed.total + waiting,
                    f"{held} = {owed.total} owed + {waiting} on the way")  # fmt: skip
        if has_wound_down:
            run.machine.state.commit()
            rest = run.machine.state.account(keys.BACKSTOP).collateral + owed.insurance + owed.pool
            self._check("nothing is left but insurance, dust and what the backstop holds for nobody",
                        owed.total == rest, f"{owed.total} units")  # fmt: skip
        self._report.figures |= {
            "batches": len(run.batches),
            "batches of strangers": len(self._strangers()),
            "records": len(run.records),
            "fills": run.fills,
            "confirmed_epochs": len(confirmed),
        }

    def _check(self, what: str, passed: bool, seen: str) -> None:
        self._report.check(what, passed, seen)
        self._console.tell(f"{what}: {seen}", "green" if passed else "bold red")

    # --- what L1 shows, and its clock --------------------------------------------------------------------------------

    def _strangers(self) -> Sequence[bytes]:
        """Transactions that posted in the operator's place."""
        self._monitor.look()
        operator = self._processes.operator_address
        sent = {event.transaction for event in self._monitor.named("BatchPosted")}
        found = {transaction: self._devnet.l1.find_transaction(transaction) for transaction in sent}
        return [hash_ for hash_, transaction in found.items() if transaction and transaction.sender != operator]

    def _records(self) -> set[bytes]:
        return replay(self._reader).records

    def _is_all_confirmed(self) -> bool:
        return 0 < self._monitor.posted // self._devnet.deployment.epoch_batches == self._monitor.confirmed

    def _is_settled(self) -> bool:
        """Whether the end has begun and no market is left to settle, nor work to do."""
        run = self._withdrawals.replay
        run.advance()
        run.machine.state.commit()
        regs = run.machine.regs
        markets = [run.machine.state.market(number) for number in range(1, regs.markets + 1)]
        are_settled = all(market.settled for market in markets if market.index)
        return bool(regs.winding_since and not regs.has_work and are_settled)

    def _jump_to(self, moment: int) -> None:
        """Let the chain's time be (at least) that."""
        ahead = moment - self._devnet.l1.now()
        if ahead > 0:
            self._console.tell(f"the chain's clock jumps {ahead} s ahead")
            self._devnet.chain.advance(ahead)

    async def _look(self) -> int:
        """Look at L1, tell what is new, let go wrong what is to; returns how many events there are."""
        self._processes.check()
        for sentence, style in self._monitor.sentences(await asyncio.to_thread(self._monitor.look)):
            self._console.tell(sentence, style)
        self._interfere(self._monitor, self._processes)
        return len(self._monitor.events)

    async def _until(self, holds: Callable[[], bool], what: str, stride: int = STRIDE) -> None:
        """Wait for it; `stride`: seconds by which the clock jumps whenever nobody does anything, 0: it does not.

        Raises StateError if the script's patience ends first.
        """
        deadline, seen, since = self._console.seconds + self._script.patience, -1, time.monotonic()
        while True:
            count = await self._look()
            if await asyncio.to_thread(holds):
                return
            if count != seen:
                seen, since = count, time.monotonic()
            elif stride and time.monotonic() - since > QUIET:
                self._jump_to(self._devnet.l1.now() + stride)
                since = time.monotonic()
            if self._console.seconds > deadline:
                raise StateError("not_ready", f"waited {self._script.patience:.0f} s in vain for {what}")
            await asyncio.sleep(LOOK)
