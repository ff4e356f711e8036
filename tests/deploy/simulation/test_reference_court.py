"""The court's model and the court itself, called alike at random: the same reverts, events and money."""

import random
from dataclasses import fields
from typing import Any

import pytest
from tests.support.courts.arena import CALLS, lie_from, move_arguments, proof_arguments, truth
from tests.support.courts.league import T
from tests.support.courts.twins import PEOPLE, Twins
from tests.support.evm import raw

from setoff.deploy.simulation.lab.machine import LAST, PROOF, Exchanged, Leaves
from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute import events
from setoff.shared.dispute.calls import Call
from setoff.shared.machine.data import ZERO

EVENTS = {event.__name__ for event in events.EVENTS}


class Caller:
    """Calls at random, mostly sensible ones, and histories to play with."""

    def __init__(self, twins: Twins, seed: int) -> None:
        self.draw = random.Random(seed)
        self.twins = twins
        genesis = twins.arena.genesis
        self.is_idle = self.draw.random() < 0.25  # nobody answers, so disputes end void
        # The start of epoch 1, and a false one that one of the histories of epoch 0 stands for.
        self.starts = [(0, genesis), (1, truth(genesis).end), (1, lie_from(genesis, 1 << 20, "one").end)]
        self.histories: dict[tuple[int, bytes], list[Leaves]] = {}
        for epoch, start in self.starts:
            honest = truth(start, epoch)
            self.histories[epoch, start] = [
                honest,
                lie_from(start, 1 << 20, "one", epoch),
                lie_from(start, 1 << 30 | 2, "two", epoch),
                Exchanged(honest, LAST, keccak(b"three")),
                Exchanged(honest, LAST, keccak(b"four")),
                Exchanged(honest, (2 << 20) + 1, keccak(b"middle")),
                Exchanged(honest, 0, keccak(b"first")),
            ]

    def random_call(self) -> Call:
        """Mostly something sensible."""
        draw, model = self.draw, self.twins.model
        kinds = ["claim", "join", "join", "move", "move", "move", "play", "play", "timeout", "prove", "prove"]
        kinds += ["install", "void", "settle", "release", "release", "redeem", "advance", "reclaim", "reclaim_history"]
        kinds += ["collect", "unstake"]
        if self.is_idle:
            kinds = [kind for kind in kinds if kind not in ("move", "play", "timeout")]
        kind = draw.choice(kinds)
        epoch, start = draw.choice(self.starts)
        histories = self.histories[epoch, start]
        one, other = draw.sample(histories, 2)
        bond, stake = model.terms.bond, model.terms.stake
        key = model.key_of(epoch, start)
        known = list(model.claims)
        if kind.startswith("reclaim"):
            known = [key for key in known if model.start_of.get(model.claims[key].epoch) != model.claims[key].start]
        if known and draw.random() < (0.8 if kind.startswith("reclaim") else 0.2):
            key = draw.choice(known)
            claim = model.claims[key]
            histories = self.histories[claim.epoch, claim.start]
            one, other = draw.sample(histories, 2)
        if kind == "claim":
            end = one.end
            if draw.random() < 0.6:  # of an end on which there is a claim to make
                end = draw.choice([start for next_epoch, start in self.starts if next_epoch])
            return Call("claim", (epoch, start, end), draw.choice([0, stake]))
        if kind == "join":
            path = one.last_path()
            if draw.random() < 0.1:
                path = other.last_path()[::-1]
            value = bond if draw.random() < 0.95 else 0
            return Call("join", (key, one.children(0, 0), one.end, path), value)
        if kind in ("move", "play", "prove", "timeout"):
            held = model.claims[key].histories if key in model.claims else {}
            standing = [history for history in histories if history.root in held and held[history.root].state == 1]
            if len(standing) >= 2:
                one, other = draw.sample(standing, 2)
            return self.match_call(kind, key, one, other)
        simple: dict[str, tuple[Any, ...]] = {
            "install": (key, one.end),
            "void": (key,),
            "settle": (key, draw.choice([one.root, histories[0].root, ZERO])),
            "release": (key, one.root),
            "redeem": (key, one.root, raw(draw.choice(PEOPLE))),
            "advance": (draw.randrange(3),),
            "reclaim": (key,),
            "reclaim_history": (key, one.root),
            "collect": (raw(draw.choice(PEOPLE)),),
            "unstake": (draw.randrange(4),),
        }
        return Call(kind, simple[kind])

    def match_call(self, kind: str, key: bytes, one: Any, other: Any) -> Call:
        claim = self.twins.court.claims.get(key)
        roots = {one.root, other.root}
        match = claim.match(one.root, other.root) if claim and roots <= claim.histories.keys() else None
        if kind == "timeout":
            return Call("timeout", (key, one.root, other.root))
        if kind == "prove":
            position = match.prefix if match and match.is_sealed else 0
            proof = PROOF if self.draw.random() < 0.9 else b""
            return Call("prove", proof_arguments(key, one, other, position, claim.start if claim else ZERO, proof))
        if match is None or match.is_sealed:
            return Call("move", (key, one.root, other.root, 0, [ZERO] * 32, ZERO, [], [ZERO] * 5, [ZERO] * 5))
        mover, opponent = (one, other) if match.on_turn == one.root else (other, one)
        if self.draw.random() < 0.05:
            mover, opponent = opponent, mover
        key, mine, theirs, index, *rest = move_arguments(key, mover, opponent, match.level, match.prefix)
        return Call("move", (key, mine, theirs, index ^ (self.draw.random() < 0.03), *rest))


@pytest.mark.parametrize("group", [0, pytest.param(1, marks=pytest.mark.long)])
def test_the_model_is_the_court(group: int) -> None:
    taken: set[str] = set()
    twins = Twins(epochs=2)
    for seed in range(12 * group, 12 * group + 12):
        twins.reset()
        caller = Caller(twins, seed)
        hurry = caller.draw.choice([0.01, 0.02, 0.05])
        for _ in range(800):
            if caller.draw.random() < hurry:
                twins.set_time(twins.now + caller.draw.choice([1, 10, T // 4, T // 3]))
            twins.call(caller.random_call(), caller.draw.choice(PEOPLE))
        taken |= set(twins.taken)
    # Credits count gas, which the model does not have, and without a gas price there are none.
    assert taken == CALLS - {"redeem"}


def test_the_events_are_those_of_the_abi() -> None:
    from setoff.shared.l1.contracts import COURT

    shown = {kind.name: [name for name, _, _ in kind.fields] for kind in COURT.events.values()}
    assert set(shown) == EVENTS
    for event in events.EVENTS:
        assert set(shown[event.__name__]) == {field.name for field in fields(event)} - {"at", "sender"}
