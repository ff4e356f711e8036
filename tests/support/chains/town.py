"""An exchange whose operator has posted a few batches, and those who can live on without it: strangers and traders."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.support.chains.exchange import Exchange, call_data

from setoff.deploy.cli import main as cli
from setoff.deploy.devnet.anvil import Anvil
from setoff.deploy.simulation.sample_traffic import SampleTraffic, trader_key
from setoff.shared.codec import records, signatures
from setoff.shared.dispute.strategy import Policy
from setoff.shared.dispute.trace_provider import ExecutedEpoch
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.inbox import Inbox
from setoff.shared.l1.player import CourtPlayer
from setoff.shared.machine.batch import epoch_hash
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.machine import Machine
from setoff.shared.params import DEVNET
from setoff.shared.sdk.fallback_post import post_waiting
from setoff.shared.sdk.forced_inclusion import ForcedInclusion
from setoff.shared.sdk.signer import KeySigner
from setoff.shared.state import keys

PARAMS = replace(DEVNET, max_skew=100, silence=200, force_delay=20, wind_down=1000).check()
TRADERS = {1: 10_000_000, 2: 10_000_000, 3: 5_000_000, 4: 3_000_000}
STRANGER, CLAIMANT = 5, 6
"""Funded accounts of the chain."""


class Followed:
    """Every epoch on L1, run by whoever wants to know."""

    def __init__(self, reader: ChainReader) -> None:
        self.reader = reader
        self.machine = Machine.genesis(*reader.deployment.genesis)
        self.epochs: list[ExecutedEpoch] = []

    def follow(self) -> None:
        count = self.reader.deployment.epoch_batches
        while (len(self.epochs) + 1) * count <= self.reader.batch_count():
            epoch = len(self.epochs)
            batches = [self.reader.batch(number) for number in range(epoch * count, (epoch + 1) * count)]
            run = EpochRun(self.machine, batches, self.reader.queue_hash_at(batches[0].header.first_message))
            last = batches[-1].header
            self.epochs.append(ExecutedEpoch(epoch_hash(epoch, count, last.hash()), last.timestamp, run))
            self.machine = run.end_machine()

    def executed(self, epoch: int) -> ExecutedEpoch | None:
        return self.epochs[epoch] if epoch < len(self.epochs) else None


class Town:
    """An exchange whose operator has posted a few batches, and those who live on without it."""

    def __init__(self, anvil: Anvil, folder: Path) -> None:
        self.anvil = anvil
        self.exchange = Exchange(anvil, PARAMS)
        self.deployment = self.exchange.deployment
        self.path = folder / "deployment.json"
        self.deployment.save(self.path)
        self.stranger: L1 = anvil.connect(STRANGER)
        self.reader = ChainReader(self.stranger, self.deployment)
        self.inbox = Inbox(self.stranger, self.deployment)
        self.followed = Followed(self.reader)
        self.player = CourtPlayer(
            anvil.connect(CLAIMANT),
            self.deployment.court,
            self.followed,
            Policy(claim_after=0),
            first_block=self.deployment.block,
            spread=0.0,
        )
        vault = bytes.fromhex(self.deployment.vault[2:])
        self.traffic = SampleTraffic(self.deployment.chain_id, vault)
        for account in TRADERS:
            owner = "0x" + signatures.address_of(trader_key(account)).hex()
            anvil.l1.request("anvil_setBalance", owner, hex(10**18))

    @property
    def now(self) -> int:
        return self.stranger.head().timestamp

    @property
    def waiting(self) -> int:
        """Messages that no batch has consumed."""
        return self.inbox.state().waiting

    def trade(self) -> None:
        """What the operator does while it lives: two markets, positions, resting and armed orders, a backstop."""
        for account, amount in TRADERS.items():
            self.exchange.deposit(account, amount)
        traffic = self.traffic
        for message in (traffic.list_market(1), traffic.list_market(2, max_age=10**6), traffic.set_signer(0, 1, 10**6)):
            self.exchange.enact(message)
        traffic.time = self.now
        inputs = [
            traffic.report(0, 1_000, market=1),
            traffic.report(0, 500, market=2),
            traffic.backstop_deposit(4, 1_000_000),
        ]
        inputs += [
            traffic.order(1, records.BUY, 1_000, 500, market=1),
            traffic.order(2, records.SELL, 1_000, 500, market=1),
        ]
        inputs += [
            traffic.order(2, records.BUY, 500, 300, market=2),
            traffic.order(3, records.SELL, 500, 300, market=2),
        ]
        inputs += [traffic.order(1, records.BUY, 900, 100, market=1), traffic.order(3, records.SELL, 600, 50, market=2)]
        inputs += [traffic.order(1, records.SELL, 800, 100, market=1, flags=records.BELOW, trigger=850)]
        inputs += [traffic.transfer(1, keys.sub_account(1, 2), 777_777)]
        assert self.exchange.post(0, self.waiting, inputs).succeeded
        traffic.time = self.now + 1
        self.anvil.advance(1)
        assert self.exchange.post(1, 0, [traffic.report(0, 1_100, market=1, time=traffic.time)]).succeeded

    def post(self) -> None:
        """A stranger posts what waits."""
        assert post_waiting(self.stranger, self.deployment).succeeded

    def confirm(self) -> None:
        """Strangers claim every epoch, and the challenge period passes."""
        for _ in range(60):
            self.followed.follow()
            self.player.step()
            court = self.player.reader.court
            if court.confirmed >= len(self.followed.epochs):
                return
            self.anvil.advance(10)
        raise AssertionError("the claims are not confirmed")

    def inclusion(self, account: int) -> ForcedInclusion:
        """A trader who pays for its own records and vouches for them as their sender."""
        key = trader_key(account)
        l1 = L1(self.anvil.url, key, chain_id=self.deployment.chain_id)
        return ForcedInclusion(l1, self.deployment, KeySigner(key), as_sender=True)

    def setoff(self, account: int, line: str) -> int:
        """Run the command as a trader."""
        return cli.main(self.line(account, line).split())

    def line(self, account: int, line: str) -> str:
        return f"{line} --key {trader_key(account).hex()} --rpc {self.anvil.url} --deployment {self.path}"

    def balance(self, account: int) -> int:
        owner = signatures.address_of(trader_key(account))
        data = call_data("balanceOf(address)", "0x" + owner.hex())
        return int.from_bytes(self.stranger.call(self.deployment.token, data), "big")


@contextmanager
def open_town(folder: Path) -> Iterator[Town]:
    """A town that has traded, on a chain of its own."""
    with Anvil() as anvil:
        town = Town(anvil, folder)
        town.trade()
        yield town


class Command(threading.Thread):
    """A command that waits for L1."""

    def __init__(self, words: list[str]) -> None:
        super().__init__(daemon=True)
        self.code: int | None = None
        self._words = words
        self.start()

    def run(self) -> None:
        self.code = cli.main(self._words)


def in_background(line: str) -> Command:
    return Command(line.split())
