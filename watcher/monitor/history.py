"""Disputes that are over: who was wrong about what, and what that brought and cost one account. From L1 alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from setoff.shared.dispute import events
from setoff.shared.l1.court import CourtContract
from setoff.shared.machine.data import ZERO
from setoff.shared.params import ETHER


@dataclass(slots=True)
class PastDispute:
    """One of them; money is wei, times unix seconds."""

    epoch: int
    claimant: bytes
    claimed_end: bytes
    claimed_at: int
    ended_at: int = 0
    """When it was settled or given up; 0: it was not."""
    end: bytes = ZERO
    """What was installed; zero: nothing."""
    histories: dict[bytes, bytes] = field(default_factory=dict)
    """Root to its owner."""
    won: int = 0
    """Bonds and gas of losers, and rewards, paid to the account."""
    lost: int = 0
    """Of its own bonds, paid to others or burnt."""
    gas: int = 0
    """Wei that its transactions took."""
    transactions: set[bytes] = field(default_factory=set)

    @property
    def was_true(self) -> bool:
        """Whether what was claimed was installed."""
        return self.end == self.claimed_end


def read_past(contract: CourtContract, first: int, last: int, account: bytes) -> list[PastDispute]:
    """The disputes of the blocks `first` to `last` that are over, oldest first, with the money of a 20-byte address.

    Raises ChainError.
    """
    found: dict[bytes, PastDispute] = {}
    terms = contract.terms
    for entry in contract.l1.logs([contract.address], first, last):
        for _, event in contract.decode([entry]):
            if isinstance(event, events.Claimed):
                found[event.key] = PastDispute(event.epoch, event.claimant, event.end, event.at)
            elif isinstance(event, events.KeyEvent) and event.key in found:
                _note(found[event.key], event, account, terms.bond)
                found[event.key].transactions.add(entry.transaction)
            elif isinstance(event, events.Slashed) and event.payee == account:
                dispute = next((each for each in found.values() if entry.transaction in each.transactions), None)
                if dispute is not None:
                    dispute.won += terms.stake_reward
    over = [dispute for dispute in found.values() if dispute.histories and dispute.ended_at]
    for dispute in over:
        dispute.gas = _sum_gas(contract, dispute.transactions, account)
    return over


def describe_past(disputes: Iterable[PastDispute], operator: bytes) -> str:
    """For people: a line each."""
    lines = []
    for dispute in disputes:
        who = "the operator" if dispute.claimant == operator else "0x" + dispute.claimant.hex()[:8]
        verdict = (
            "told the truth" if dispute.was_true else "lied" if dispute.end != ZERO else "was neither right nor wrong"
        )
        money = f"won {dispute.won / ETHER:.4f} ETH, lost {dispute.lost / ETHER:.4f}, gas {dispute.gas / ETHER:.6f}"
        took = dispute.ended_at - dispute.claimed_at
        lines.append(f"epoch {dispute.epoch}: {who} {verdict}; {len(dispute.histories)} histories, {took} s; {money}")
    return "\n".join(lines) or "no dispute is over"


def _note(dispute: PastDispute, event: events.KeyEvent, account: bytes, bond: int) -> None:
    match event:
        case events.Joined():
            dispute.histories[event.root] = event.owner
        case events.Installed():
            dispute.end = event.end
        case events.Settled() | events.Voided() | events.Mooted():
            dispute.ended_at = event.at
        case events.Released():
            is_own = dispute.histories.get(event.root) == account
            if is_own and event.owner != account:
                dispute.lost += bond
            elif event.owner == account and not is_own:
                dispute.won += event.amount
        case events.Redeemed():
            if event.mover == account:
                dispute.won += event.amount


def _sum_gas(contract: CourtContract, transactions: Iterable[bytes], account: bytes) -> int:
    """Wei that those of the account took."""
    receipts = [contract.l1.receipt(transaction) for transaction in transactions]
    return sum(each.gas_used * each.gas_price for each in receipts if each is not None and each.sender == account)
