"""A devnet with an operator's processes, an oracle that reports on, and traders with money: for what trades there."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, Self

from tests.support.chains.town import CLAIMANT, Followed
from tests.support.nodes.faulty_node import Fault, FaultyNode
from tests.support.waiting import wait_until

from setoff.deploy.devnet.devnet import Devnet
from setoff.deploy.devnet.faucet import FAUCET, Faucet
from setoff.deploy.simulation.demo.traders import derive_key
from setoff.deploy.simulation.processes import START_SECONDS, Processes
from setoff.shared.codec import signatures
from setoff.shared.dispute.strategy import Policy
from setoff.shared.errors import InputError, StateError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import TOKEN, Contract
from setoff.shared.l1.player import CourtPlayer
from setoff.shared.params import DEVNET
from setoff.shared.sdk import BlockingClient, KeySigner, Vault

PARAMS: Final = replace(DEVNET, max_skew=600, silence=2000, force_delay=20).check()
MONEY: Final = 1_000 * 10**6
"""Token units of each trader: a thousand dollars."""
INDEX: Final = 78_000
"""Ticks; of the first market a dollar each."""


class TradingFloor:
    """What programs of traders meet; `url` is the operator's API."""

    def __init__(self, devnet: Devnet, folder: Path, oracle: Sequence[bytes]) -> None:
        self.devnet = devnet
        self.folder = folder
        self._oracle = oracle
        self._processes = Processes(devnet, folder)
        self._stop = threading.Event()
        self._reporter = threading.Thread(target=self._report_on, daemon=True)
        self.url = ""
        self.browsers_node: FaultyNode | None = None

    def open(self, traders: int, *, names_node: bool, faults: Sequence[Fault], data: str, keeps_blobs: bool) -> Self:
        """Start the operator, fund the traders, and let the oracle report."""
        blobs_url = ""
        if keeps_blobs:
            blobs_url = self._processes.start_watcher(1).wait_for("server:", START_SECONDS)
        if faults:
            self.browsers_node = FaultyNode(self.devnet.chain.url, *faults)
        node = self.browsers_node.url if self.browsers_node else self.devnet.chain.url
        self._processes.start_operator(
            batch_interval=1.0, browsers_node=node if names_node else "", data=data, blobs_url=blobs_url
        )
        faucet = Faucet(self.devnet.chain.connect(FAUCET), self.devnet.deployment)
        for number in range(traders):
            faucet.give(signatures.address_of(self.key(number)), MONEY)
            l1 = L1(self.devnet.chain.url, self.key(number), chain_id=self.devnet.deployment.chain_id)
            Vault(l1, self.devnet.deployment).deposit(MONEY)
        self.url = self._processes.operator_url()
        with BlockingClient(self.url) as client:
            wait_until(lambda: client.status()["accounts"] >= traders, 60)
        self._reporter.start()
        with BlockingClient(self.url) as client:
            wait_until(lambda: client.market(1)["index"] == INDEX, 60)
        return self

    def key(self, number: int) -> bytes:
        """Of a trader, from 0."""
        return derive_key(14, "trader", number)

    def client(self, number: int) -> BlockingClient:
        """A trader's, not open yet."""
        return BlockingClient(self.url, KeySigner(self.key(number)))

    def environment(self, number: int) -> dict[str, str]:
        """What a trader sets, as a devnet's guide has it."""
        return os.environ | {
            "SETOFF_EXCHANGE": self.url,
            "SETOFF_KEY": self.key(number).hex(),
            "SETOFF_RPC_URL": self.devnet.chain.url,
            "SETOFF_DEPLOYMENT": str(self.devnet.deployment_file),
        }

    @contextmanager
    def running(self, number: int, *words: str) -> Iterator[Path]:
        """`python -m …` as a trader; the file with what it says. In the end it has to have ended well."""
        log = self.folder / f"{words[0].rpartition('.')[2]}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *words], env=self.environment(number), stdout=output, stderr=output
            )
        try:
            yield log
            wait_until(lambda: process.poll() is not None, 90, what=log.read_text)
            assert process.returncode == 0, log.read_text()
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    def kill_operator(self) -> None:
        """It is gone for good, and all that it has stored."""
        self._stop.set()
        self._reporter.join(30)
        self._processes.kill_operator(forgets=True)

    def give(self, number: int, amount: int) -> None:
        """Tokens on L1, to a trader."""
        faucet = Faucet(self.devnet.chain.connect(FAUCET), self.devnet.deployment)
        faucet.give(signatures.address_of(self.key(number)), amount)

    def allow(self, number: int, amount: int) -> None:
        """Let the vault take so many of a trader's tokens."""
        l1 = L1(self.devnet.chain.url, self.key(number), chain_id=self.devnet.deployment.chain_id)
        Contract(l1, TOKEN, self.devnet.deployment.token).transact("approve", self.devnet.deployment.vault, amount)

    def live_on(self, until: Path, word: str) -> None:
        """Time passes, and a stranger claims what is posted, until a file has a word."""
        reader = ChainReader(self.devnet.l1, self.devnet.deployment)
        followed = Followed(reader)
        player = CourtPlayer(
            self.devnet.chain.connect(CLAIMANT),
            self.devnet.deployment.court,
            followed,
            Policy(claim_after=0),
            first_block=self.devnet.deployment.block,
            spread=0.0,
        )

        def is_said() -> bool:
            followed.follow()
            player.step()
            self.devnet.chain.advance(60)
            return word in until.read_text()

        wait_until(is_said, 90, what=until.read_text)

    def close(self) -> None:
        """Stop everything but the chain."""
        self._stop.set()
        self._processes.stop()
        if self.browsers_node:
            self.browsers_node.stop()

    def _report_on(self) -> None:
        with BlockingClient(self.url) as client:
            while not self._stop.is_set():
                now = client.now()
                for market in (1, 2):
                    for number, key in enumerate(self._oracle):
                        with BlockingClient(self.url, KeySigner(key)) as signer:
                            try:
                                signer.report(number, now, market, INDEX)
                            except (InputError, StateError):
                                continue  # of the same second as the last one, or the operator was killed
                self._stop.wait(5)


@contextmanager
def open_trading_floor(
    folder: Path,
    traders: int,
    *,
    names_node: bool = True,
    faults: Sequence[Fault] = (),
    data: str = "calldata",
    keeps_blobs: bool = False,
) -> Iterator[TradingFloor]:
    """Everything started; everything stopped in the end. `names_node`: to the console's browsers, the chain's,
    which has `faults` for them; `data`: the module that batches are posted in; `keeps_blobs`: by a watcher, which
    gives them to browsers."""
    oracle = [derive_key(14, "oracle", number) for number in range(2)]
    with Devnet(folder, PARAMS, signers=[signatures.address_of(key) for key in oracle]) as devnet:
        floor = TradingFloor(devnet, folder, oracle)
        try:
            yield floor.open(traders, names_node=names_node, faults=faults, data=data, keeps_blobs=keeps_blobs)
        finally:
            floor.close()
