"""The court on a chain and its model: every call goes to both, and both must do the same."""

from dataclasses import fields
from typing import Any

from tests.support.courts.arena import Arena
from tests.support.courts.league import TERMS
from tests.support.evm import Reverted, address

from setoff.deploy.simulation.lab.machine import judge
from setoff.deploy.simulation.reference_court import ReferenceCourt, Revert
from setoff.shared.dispute.calls import Call
from setoff.shared.dispute.game import CourtState

PEOPLE = [address(name) for name in ("honest", "rival", "third", "claimant")]


def raw(account: str) -> bytes:
    """An address in bytes."""
    return bytes.fromhex(account[2:])


class SideBySide:
    """One court on a chain, one model, and the games rebuilt from the events."""

    arena: Arena
    model: ReferenceCourt
    court: CourtState
    taken: dict[str, int]
    """How often each function went through."""

    def begin(self, arena: Arena, make_model: type[ReferenceCourt] = ReferenceCourt) -> None:
        """Stand a new model beside the court of `arena`, at which nothing has happened."""
        self.arena = arena
        self.model = make_model(TERMS, arena.genesis, judge, arena.now)
        self.model.batch_hashes = [arena.inbox.batch_hash(number) for number in range(arena.inbox.count())]
        self.court = CourtState(TERMS, arena.genesis)
        self.taken = {}

    def call(self, call: Call, sender: str, gas_price: int = 0) -> str:
        """The same transaction to both; returns the reason for which both refused, or "" and then they compare."""
        court, chain = self.arena.court, self.arena.chain
        arguments = [
            "0x" + value.hex() if isinstance(value, bytes) and len(value) == 20 else value for value in call.arguments
        ]
        logs: list[Any] = []
        held = chain.balance(court.address)
        try:
            getattr(court, call.function)(*arguments, sender=sender, value=call.value, gas_price=gas_price)
            logs = [log for log in chain.last.logs if log.contract == court.address]
            said = ""
        except Reverted as error:
            said = error.reason
        known = len(self.model.log)
        try:
            self.model.call(call, raw(sender), gas_price)
            expected = ""
        except Revert as error:
            expected = error.reason
        assert said == expected, f"{call}: the court says {said!r}, the model {expected!r}"
        happened = self.model.log[known:]
        assert [log.name for log in logs] == [type(event).__name__ for event in happened]
        for log, event in zip(logs, happened, strict=True):
            wanted = {f.name: getattr(event, f.name) for f in fields(event) if f.name not in ("at", "sender")}
            shown = {
                name: raw(value) if isinstance(value, str) and value.startswith("0x") else value
                for name, value in log.args.items()
            }
            assert shown == wanted
            self.court.apply(event)
        if said:
            assert chain.balance(court.address) == held
        else:
            self.taken[call.function] = self.taken.get(call.function, 0) + 1
            self.compare()
        return said

    def compare(self) -> None:
        """What both have to agree on after every call that went through: the money."""
        assert self.arena.chain.balance(self.arena.court.address) == self.model.balance
        assert all(self.arena.owed(who) == self.model.owed[raw(who)] for who in PEOPLE)
