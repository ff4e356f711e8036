"""A dispute with the real judge: an epoch of real inputs on L1, the machine's run of it, lies at any of its steps."""

from __future__ import annotations

from typing import Any

from tests.support.courts.arena import HONEST, Arena
from tests.support.evm import CHAIN_ID
from tests.support.judge.bench import GROUPS

from setoff.deploy.simulation.sample_traffic import SampleTraffic, trader_key
from setoff.shared.codec import eip712, signatures
from setoff.shared.dispute.bisection import make_move
from setoff.shared.machine.batch import ZERO, Batch
from setoff.shared.machine.epoch import EpochRun, Stepper, honest_step, used_inputs
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state import keys

DEPOSIT = 1_000_000


class Dispute:
    """An epoch of a deposit and of signed records on L1, and what happens in it by the machine."""

    def __init__(self) -> None:
        self.arena = arena = Arena(epochs=0, groups=GROUPS)
        vault = bytes.fromhex(arena.vault.address[2:])
        traffic = SampleTraffic(CHAIN_ID, vault)
        owner = "0x" + signatures.address_of(trader_key(1)).hex()
        arena.token.mint(HONEST, DEPOSIT)
        arena.token.approve(arena.vault.address, DEPOSIT, sender=HONEST)
        arena.vault.deposit_for(owner, DEPOSIT, sender=HONEST)
        (queued,) = arena.chain.last.named("MessageQueued")
        self.batches = [self.post(ZERO, ZERO, [queued["body"]], [])]
        last = self.batches[0].header
        records = [traffic.withdraw(1, 7), traffic.transfer(1, keys.sub_account(1, 1), 1), bytes(124)]
        self.batches.append(self.post(last.hash(), last.queue_hash, [], records))
        self.start = Machine.genesis(eip712.domain_separator(CHAIN_ID, vault))
        assert self.start.hash() == arena.genesis

    def post(self, parent: bytes, queue_hash: bytes, messages: list[bytes], records: list[bytes]) -> Batch:
        """Post a batch; the same one as the machine takes it."""
        number = self.arena.inbox.count()
        headers = [batch.header for batch in getattr(self, "batches", [])]
        counts = sum(header.message_count for header in headers), sum(header.record_count for header in headers)
        batch = Batch.seal(parent, number, self.arena.now, *counts, queue_hash, messages, records)
        assert self.arena.post(b"".join(records), len(messages)) == batch.header.hash()
        return batch

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


def move_arguments(key: bytes, mover: EpochRun, opponent: EpochRun, level: int, prefix: int) -> tuple[Any, ...]:
    """Of the court's `move` in a match that is at (level, prefix); the fourth is the index."""
    move = make_move(
        mover.children(level, prefix),
        opponent.children(level, prefix),
        lambda index: mover.children(level + 1, prefix * 32 + index),
    )
    sides = (move.common, move.mine, move.theirs)
    return (key, mover.root, opponent.root, move.index, move.children, move.their_child, *sides)


def proof_arguments(key: bytes, start: bytes, honest: EpochRun, liar: EpochRun, position: int) -> tuple[Any, ...]:
    """Of the court's `prove`, with the real step."""
    pre = honest.leaf(position - 1) if position else start
    path = honest.path(position - 1) if position else []
    return (key, honest.root, liar.root, pre, path, honest.proof(position))
