"""`prove` with the real judge at every gas limit: it reverts, or eliminates the liar and nobody else.

The court hands the judge 63/64 of what is left, the judge hands 63/64 of that to the rules, and those to the precompile
that recovers a signature: whichever of them runs dry first, its failure must not be read as a verdict.
"""

from __future__ import annotations

import pytest
from tests.contracts.arena import ALICE, BOB, CLAIMANT, OUT, PARAMS, STANDING, Arena
from tests.differential.harness import GROUPS
from tests.evm import CHAIN_ID

from setoff.deploy.scene import Scene, trader_key
from setoff.shared.codec import eip712, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute.bisection import make_move
from setoff.shared.machine.batch import ZERO, Batch
from setoff.shared.machine.epoch import EpochRun, Stepper, honest_step, used_slots
from setoff.shared.machine.history import EPOCH
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state import keys

DEPOSIT = 1_000_000


class Dispute:
    """An epoch of a deposit and of signed records on L1, and what happens in it by the machine."""

    def __init__(self) -> None:
        self.arena = arena = Arena(epochs=0, groups=GROUPS)
        vault = bytes.fromhex(arena.vault.address[2:])
        scene = Scene(CHAIN_ID, vault)
        owner = "0x" + signatures.address_of(trader_key(1)).hex()
        arena.token.mint(ALICE, DEPOSIT)
        arena.token.approve(arena.vault.address, DEPOSIT, sender=ALICE)
        arena.vault.deposit_for(owner, DEPOSIT, sender=ALICE)
        (queued,) = arena.chain.last.named("MessageQueued")
        self.batches = [self.post(ZERO, ZERO, [queued["body"]], [])]
        last = self.batches[0].header
        records = [scene.withdraw(1, 7), scene.transfer(1, keys.sub_account(1, 1), 1), bytes(124)]
        self.batches.append(self.post(last.hash(), last.messages, [], records))
        self.start = Machine.genesis(eip712.domain_separator(CHAIN_ID, vault))
        assert self.start.hash() == arena.genesis

    def post(self, parent: bytes, chain: bytes, messages: list[bytes], records: list[bytes]) -> Batch:
        """Post a batch; the same one as the machine takes it."""
        number = self.arena.inbox.count()
        first = sum(batch.header.message_count for batch in getattr(self, "batches", []))
        batch = Batch.seal(parent, number, self.arena.now, first, chain, messages, records)
        assert self.arena.post(b"".join(records), len(messages)) == batch.header.hash()
        return batch

    def steps(self) -> dict[str, int]:
        """The first position of each kind of step: of each phase, and of each fetch by its batch and slot."""
        found: dict[str, int] = {}
        machine = self.start.copy()
        for number, batch in enumerate(self.batches):
            for slot in range(used_slots(batch)):
                micro = 0
                while micro == 0 or machine.regs.phase != phases.IDLE:
                    name = phases.NAMES[machine.regs.phase] if micro else f"fetch {number}.{slot}"
                    found.setdefault(name, (number << 10 | slot) << 20 | micro)
                    machine.step(batch, slot, micro)
                    micro += 1
        return found

    def run(self, stepper: Stepper = honest_step) -> EpochRun:
        """A party's run of the epoch."""
        return EpochRun(self.start, self.batches, ZERO, stepper)


def lie_at(position: int) -> Stepper:
    """Honest but for one step, after which a register is another."""

    def step(machine: Machine, batch: Batch, slot: int, micro: int) -> None:
        honest_step(machine, batch, slot, micro)
        if (batch.header.number << 10 | slot) << 20 | micro == position:
            machine.regs.sequence += 1

    return step


@pytest.fixture
def dispute() -> Dispute:
    return Dispute()


@pytest.mark.parametrize("kind", ["fetch 0.0", "fetch 1.0", "fetch 1.1", "fetch 1.2", "margin", "withdraw", "transfer"])
def test_at_every_gas_limit_the_verdict_is_right(dispute: Dispute, kind: str) -> None:
    arena, position = dispute.arena, dispute.steps()[kind]
    honest, liar = dispute.run(), dispute.run(lie_at(position))
    arena.court.claim(0, arena.genesis, keccak(b"third"), sender=CLAIMANT, value=PARAMS.stake)
    key = arena.key(arena.genesis)
    for run, owner in ((liar, BOB), (honest, ALICE)):
        arena.court.join(key, run.children(0, 0), run.end, run.last_path(), sender=owner, value=PARAMS.bond)
    prefix = 0
    for level in range(EPOCH.levels):
        mover, opponent = (honest, liar) if level % 2 == 0 else (liar, honest)
        move = make_move(
            mover.children(level, prefix),
            opponent.children(level, prefix),
            lambda index: mover.children(level + 1, prefix * 32 + index),  # noqa: B023
        )
        sides = (move.common, move.mine, move.theirs)
        arena.court.move(key, mover.root, opponent.root, move.index, move.children, move.their_child, *sides)
        prefix = prefix * 32 + move.index
    assert prefix == position

    pre = honest.leaf(position - 1) if position else arena.genesis
    path = honest.path(position - 1) if position else []
    data = arena.court.encode("prove", key, honest.root, liar.root, pre, path, honest.proof(position))
    before = arena.chain.snapshot()
    for _ in range(2):  # the second time all is warm, as it is in the tries below
        arena.chain.call(arena.court.address, data, sender=ALICE)
        needed = arena.chain.last.gas_used
        arena.chain.restore(before)
        before = arena.chain.snapshot()

    def verdict(gas: int) -> bool:
        before = arena.chain.snapshot()
        succeeded = arena.chain.succeeds(arena.court.address, data, sender=ALICE, gas=gas)
        found = tuple(int(arena.court.history_of(key, run.root)[0]) for run in (honest, liar))
        assert found == ((STANDING, OUT) if succeeded else (STANDING, STANDING)), f"with {gas} gas of {needed}"
        arena.chain.restore(before)
        return succeeded

    # Coarsely over everything, and finely where there begins to be enough.
    coarse = [gas for gas in range(21_000, needed + needed // 4, max(needed // 400, 1)) if verdict(gas)]
    fine = [gas for gas in range(coarse[0] - 4_000, coarse[0] + 4_000, 37) if verdict(gas)]
    assert len(coarse) > 10 and 10 < len(fine) < 8_000 // 37 - 10
