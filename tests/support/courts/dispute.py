"""A dispute with the real judge: an epoch of real inputs on L1, the machine's run of it, lies at any of its steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.support.courts.arena import TRADER, Arena
from tests.support.evm import CHAIN_ID, Chain
from tests.support.judge.bench import GROUPS

from setoff.deploy.simulation.sample_traffic import SampleTraffic, trader_key
from setoff.shared.codec import signatures
from setoff.shared.codec.records import stamp_message
from setoff.shared.machine.batch import ZERO, Batch
from setoff.shared.machine.epoch import EpochRun, Stepper, honest_step, used_inputs
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state import keys

DEPOSIT = 1_000_000


class JudgedArena:
    """Contracts with the real judge, and each batch that is posted to them as the machine takes it."""

    def __init__(self, chain: Chain | None = None) -> None:
        """`chain`: as an arena has it."""
        self.arena = Arena(epochs=0, groups=GROUPS, chain=chain)
        self.vault = bytes.fromhex(self.arena.vault.address[2:])
        self.traffic = SampleTraffic(CHAIN_ID, self.vault)
        self.batches: list[Batch] = []
        self._bodies: list[bytes] = []
        self._taken = 0

    def deposit(self, accounts: int, amount: int) -> None:
        """The first deposits: so much for each owner of accounts 1 to `accounts`, by one trader."""
        arena = self.arena
        arena.token.mint(TRADER, accounts * amount)
        arena.token.approve(arena.vault.address, accounts * amount, sender=TRADER)
        for account in range(1, accounts + 1):
            owner = "0x" + signatures.address_of(trader_key(account)).hex()
            self.queue(arena.vault.deposit_for, owner, amount, sender=TRADER)

    def queue(self, call: Callable[..., object], *arguments: object, **options: object) -> None:
        """A call that queues messages."""
        call(*arguments, **options)
        events = self.arena.chain.last.named("MessageQueued")
        self._bodies += [stamp_message(event["body"], event["timestamp"]) for event in events]

    def post(self, records: Sequence[bytes] = (), **options: str) -> None:
        """A batch of all queued messages and these records."""
        messages = self._bodies[self._taken :]
        self._taken = len(self._bodies)
        headers = [batch.header for batch in self.batches]
        counts = sum(header.message_count for header in headers), sum(header.record_count for header in headers)
        parent, queue_hash = (headers[-1].hash(), headers[-1].queue_hash) if headers else (ZERO, ZERO)
        batch = Batch.seal(parent, len(headers), self.arena.now, *counts, queue_hash, messages, records)
        assert self.arena.post(b"".join(records), len(messages), **options) == batch.header.hash()
        self.batches.append(batch)


class Dispute(JudgedArena):
    """An epoch of a deposit and of signed records on L1, and what happens in it by the machine."""

    def __init__(self) -> None:
        super().__init__()
        self.deposit(1, DEPOSIT)
        self.post()
        traffic = self.traffic
        self.post([traffic.withdraw(1, 7), traffic.transfer(1, keys.sub_account(1, 1), 1), bytes(124)])
        self.start = Machine.genesis(traffic.domain)
        assert self.start.hash() == self.arena.genesis

    def steps(self) -> dict[str, int]:
        """The first position of each kind of step: of each phase, and of each fetch by its batch and input index."""
        found: dict[str, int] = {}
        machine = self.start.copy()
        for number, batch in enumerate(self.batches):
            for input_index in range(used_inputs(batch)):
                micro = 0
                while micro == 0 or machine.regs.phase != phases.IDLE:
                    name = phases.NAMES[machine.regs.phase] if micro else f"fetch {number}.{input_index}"
                    found.setdefault(name, (number << 10 | input_index) << 20 | micro)
                    machine.step(batch, input_index, micro)
                    micro += 1
        return found

    def run(self, stepper: Stepper = honest_step) -> EpochRun:
        """A party's run of the epoch."""
        return EpochRun(self.start, self.batches, ZERO, stepper)


def lie_at(position: int, number: int = 1) -> Stepper:
    """Honest but for one step, after which a register is another; each number is a lie of its own."""

    def step(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
        honest_step(machine, batch, input_index, micro)
        if (batch.header.number << 10 | input_index) << 20 | micro == position:
            machine.regs.sequence += number

    return step
