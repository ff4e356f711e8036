"""A thief waits for the end of an exchange of many accounts, where machines take the most steps at once."""

from __future__ import annotations

from dataclasses import astuple

from tests.support.courts.arena import HONEST, LISTER, PARAMS, PASSER_BY, proof_arguments
from tests.support.courts.dispute import JudgedArena
from tests.support.evm import address, reverts

from setoff.deploy.simulation.sample_traffic import market_body, oracle_key
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


class Ending(JudgedArena):
    """An exchange on L1 that a passer-by winds down: epoch 0 opens it, epoch 1 is its end."""

    def __init__(self) -> None:
        super().__init__()
        self.arena.chain.fund(THIEF)
        self._open()
        self._end()

    def _open(self) -> None:
        arena = self.arena
        self.deposit(USERS, DEPOSIT)
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
    arena.join(key, honest)
    arena.join(key, theft, THIEF)
    position = arena.seal(key, honest, theft)
    assert position >> 30 == 1  # they agree on the wind-down's batch, each visit of it, and differ in the theft
    court.prove(*proof_arguments(key, honest, theft, position, first.end, honest.proof(position)), sender=HONEST)
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
