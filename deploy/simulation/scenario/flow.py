"""Batches on a chain by a hand that knows what is in them: deposits, a market, orders that trade; and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from setoff.deploy.contracts.deployment import deploy
from setoff.deploy.contracts.listing import encode_listing, encode_signer
from setoff.deploy.devnet.devnet import BITCOIN, MAX_AGE, enact
from setoff.deploy.simulation.sample_traffic import SampleTraffic, oracle_key, trader_key
from setoff.deploy.simulation.scenario.script import Flow
from setoff.shared.codec import records, signatures
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import TOKEN, VAULT, Contract
from setoff.shared.l1.inbox import Inbox, encode_post
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.epoch import EpochRun, Stepper, honest_step
from setoff.shared.machine.machine import Machine
from setoff.shared.params import Params

TRADERS: Final = 4
DEPOSIT: Final = 10**12
PRICE: Final = 78_000
KINDS: Final = ("order", "order", "order", "order", "cross", "transfer", "withdraw", "cancel")


class Exchange:
    """A deployment with posted epochs. `operator` posts; its connection is to be used for its claims, too."""

    def __init__(self, deployer: L1, operator: L1, params: Params) -> None:
        """Puts the contracts on the chain; the deployer is the lister."""
        self.deployer = deployer
        self.operator = operator
        self.params = params
        self.deployment: Deployment = deploy(
            deployer, params, operator=operator.address, lister=deployer.address, least_deposit=1
        )
        self.batches: list[Batch] = []
        self._traffic = SampleTraffic(self.deployment.chain_id, self.deployment.vault_bytes)
        self._reader = ChainReader(operator, self.deployment)
        self._inbox = Inbox(operator, self.deployment)
        self._starts: list[tuple[Machine, bytes]] = []

    def post(self, flow: Flow) -> None:
        """Fill the L1 queue, then post every batch of the flow, and run them."""
        messages = self._queue()
        random = Random(flow.seed)
        for number in range(flow.epochs * self.params.epoch_batches):
            # A real clock may be behind a chain's whose time was moved, never ahead of a block's.
            now = self.operator.head().timestamp
            self._traffic.time = now
            inputs = self._records(random, flow.records)
            records = b"".join(inputs)
            header = self._inbox.next_header(self._inbox.state(), now, messages if number == 0 else 0, records)
            self.operator.transact(self.deployment.inbox, encode_post(header, records))
            self.batches.append(self._reader.batch(number))
        machine, queue_hash = Machine.genesis(*self.deployment.genesis), ZERO
        for epoch in range(flow.epochs):
            self._starts.append((machine.copy(), queue_hash))
            for batch in self.of_epoch(epoch):
                machine.run_batch(batch)
                queue_hash = batch.header.queue_hash

    def of_epoch(self, epoch: int) -> Sequence[Batch]:
        """The batches of an epoch."""
        count = self.params.epoch_batches
        return self.batches[epoch * count : (epoch + 1) * count]

    def start(self, epoch: int) -> Machine:
        """The machine before an epoch."""
        return self._starts[epoch][0]

    def run(self, epoch: int, stepper: Stepper = honest_step) -> EpochRun:
        """A new run of an epoch from its true start; runs are not to be shared by threads."""
        machine, queue_hash = self._starts[epoch]
        return EpochRun(machine, self.of_epoch(epoch), queue_hash, stepper)

    def _queue(self) -> int:
        """Deposits, a market and a signer; returns the number of messages."""
        l1 = self.deployer
        token, vault = Contract(l1, TOKEN, self.deployment.token), Contract(l1, VAULT, self.deployment.vault)
        token.transact("mint", l1.address, TRADERS * DEPOSIT)
        token.transact("approve", vault.address, TRADERS * DEPOSIT)
        for account in range(1, TRADERS + 1):
            owner = signatures.address_of(trader_key(account))
            vault.transact("deposit_for", owner, DEPOSIT)
        signer = encode_signer(0, signatures.address_of(oracle_key(0)), 1, MAX_AGE)
        enact(l1, self.deployment, [encode_listing(BITCOIN), signer])
        return self._reader.message_count()

    def _records(self, random: Random, count: int) -> list[bytes]:
        traffic = self._traffic
        inputs = [traffic.report(0, PRICE + random.randrange(-5, 6))]
        while len(inputs) < count:
            account = random.randrange(1, TRADERS + 1)
            kind, side = random.choice(KINDS), random.choice((records.BUY, records.SELL))
            away = random.randrange(1, 20) if kind == "order" else -random.randrange(20)
            price = PRICE - away if side == records.BUY else PRICE + away
            if kind in ("order", "cross"):
                inputs.append(traffic.order(account, side, price, random.randrange(1, 50)))
            elif kind == "transfer":
                inputs.append(traffic.transfer(account, account % TRADERS + 1, random.randrange(1, 1000)))
            elif kind == "withdraw":
                inputs.append(traffic.withdraw(account, random.randrange(1, 1000)))
            else:
                inputs.append(traffic.cancel(account, random.randrange(4)))
        return inputs
