"""A thief waits for the end of an exchange of many accounts, where machines take the most steps at once."""

from __future__ import annotations

from dataclasses import astuple

from tests.support.courts.arena import HONEST, LISTER, PARAMS, PASSER_BY, TRADER, Arena
from tests.support.courts.dispute import move_arguments, proof_arguments
from tests.support.evm import CHAIN_ID, address, reverts
from tests.support.judge.bench import GROUPS

from setoff.deploy.simulation.sample_traffic import SampleTraffic, market_body, oracle_key, trader_key
from setoff.shared.codec import signatures
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.epoch import EpochRun, honest_step
from setoff.shared.machine.machine import MANY_ACCOUNTS, Machine
from setoff.shared.state import keys

USERS = MANY_ACCOUNTS + 2
"""So many that whoever computes an epoch leaves out the visits of a sweep that change nothing."""
DEPOSIT = 1_000_000
THIEF = address("thief")


class Ending:
    """An exchange on L1 that a passer-by winds down: epoch 0 opens it, epoch 1 is its end."""

    def __init__(self) -> None:
        self.arena = Arena(PARAMS, epochs=0, groups=GROUPS)
        self.vault = bytes.fromhex(self.arena.vault.address[2:])
        self.traffic = SampleTraffic(CHAIN_ID, self.vault)
        self.batches: list[Batch] = []
        self.bodies: list[bytes] = []
        self.taken = 0
        self._open()
        self._end()

    def _open(self) -> None:
        arena = self.arena
        arena.chain.fund(THIEF)
        arena.token.mint(TRADER, USERS * DEPOSIT)
        arena.token.approve(arena.vault.address, USERS * DEPOSIT, sender=TRADER)
        for account in range(1, USERS + 1):
            owner = "0x" + signatures.address_of(trader_key(account)).hex()
            self.queue(arena.vault.deposit_for, owner, DEPOSIT, sender=TRADER)
        listing = market_body(max_age=10**6)
        arena.queue.propose_listing((listing.market, astuple(listing.parameters)), sender=LISTER)
        signer = "0x" + signatures.address_of(oracle_key(0)).hex()
        arena.queue.propose_signer(0, signer, 1, 10**6, sender=LISTER)
        arena.warp(PARAMS.listing_delay)
        for proposal in range(2):
            self.queue(arena.queue.enact, proposal, sender=PASSER_BY)
        self.post()
        self.traffic.time = arena.now
        self.post([self.traffic.report(0, 100)])

    def _end(self) -> None:
        self.arena.warp(PARAMS.wind_down)
        self.queue(self.arena.queue.wind_down, sender=PASSER_BY)
        self.queue(self.arena.queue.force, self.traffic.crank(), sender=PASSER_BY)
        self.post(by=PASSER_BY)
        self.post(by=PASSER_BY)

    def queue(self, call: object, *arguments: object, **options: object) -> None:
        """A call that queues messages."""
        call(*arguments, **options)  # type: ignore[operator]
        self.bodies += [event["body"] for event in self.arena.chain.last.named("MessageQueued")]

    def post(self, records: list[bytes] | None = None, **options: str) -> None:
        """A batch of all queued messages and these records."""
        messages = self.bodies[self.taken :]
        self.taken = len(self.bodies)
        last = self.batches[-1].header if self.batches else None
        counts = sum(b.header.message_count for b in self.batches), sum(b.header.record_count for b in self.batches)
        parent, queue_hash = (last.hash(), last.queue_hash) if last else (ZERO, ZERO)
        number = len(self.batches)
        batch = Batch.seal(parent, number, self.arena.now, *counts, queue_hash, messages, records or [])
        assert self.arena.post(b"".join(records or []), len(messages), **options) == batch.header.hash()
        self.batches.append(batch)

    def confirm(self, run: EpochRun, epoch: int) -> None:
        """Nobody disputes this end."""
        key = self.arena.claim(run.end, run.start_hash, epoch)
        self.arena.warp(PARAMS.challenge_period)
        self.arena.court.install(key, run.end)
        self.arena.court.advance(epoch)


def steal(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
    """Honest steps, then a withdrawal of everything that nobody signed."""
    honest_step(machine, batch, input_index, micro)
    if batch.header.number == 3:  # the empty one, after all work
        loot = machine.state.withdrawal(0)
        loot.account, loot.owner, loot.amount = 1, bytes.fromhex(THIEF[2:]), USERS * DEPOSIT


def test_a_thief_who_takes_every_step_of_the_end_gets_nothing() -> None:
    exchange = Ending()
    arena, court = exchange.arena, exchange.arena.court
    first = EpochRun(Machine.genesis(exchange.traffic.domain), exchange.batches[:2], ZERO)
    assert first.start_hash == arena.genesis
    exchange.confirm(first, 0)
    queue_hash = exchange.batches[1].header.queue_hash
    honest = EpochRun(first.end_machine(), exchange.batches[2:], queue_hash)
    theft = EpochRun(first.end_machine(), exchange.batches[2:], queue_hash, steal)

    key = arena.claim(theft.end, first.end, 1, by=THIEF)
    bond = {"value": PARAMS.bond}
    court.join(key, honest.children(0, 0), honest.end, honest.last_path(), sender=HONEST, **bond)
    court.join(key, theft.children(0, 0), theft.end, theft.last_path(), sender=THIEF, **bond)
    level, prefix = 0, 0
    while level < 7:
        fields, on_turn, _ = court.match_of(key, honest.root, theft.root)
        level, prefix = fields[2], fields[3]
        if level < 7:
            mover, opponent, sender = (honest, theft, HONEST) if on_turn == honest.root else (theft, honest, THIEF)
            court.move(*move_arguments(key, mover, opponent, level, prefix), sender=sender)
    assert prefix >> 30 == 1  # they agree on the wind-down's batch, each visit of it, and differ in the theft
    court.prove(*proof_arguments(key, first.end, honest, theft, prefix), sender=HONEST)
    arena.warp(2 * PARAMS.challenge_period)
    with reverts("wrong_end"):
        court.install(key, theft.end)
    court.install(key, honest.end)
    court.advance(1)
    assert court.confirmed(1) == honest.end
    end = theft.end_machine()
    end.state.commit()
    proof = end.state.tree.prove(keys.withdrawal_key(0))
    with reverts("wrong_machine_hash"):
        arena.vault.withdraw(
            1, end.regs.hash(), end.state.tree.root, 0, 1, THIEF, USERS * DEPOSIT, *proof, sender=THIEF
        )
    assert arena.token.balanceOf(arena.vault.address) == USERS * DEPOSIT
