"""The court against hostile neighbours, gas limits and calldata.

One dispute is played from claim to last payment. Before each call is made, it is first tried in every way that it
should not work: with every gas limit, and with its calldata bent. Whatever goes through has to be the call itself.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from eth_abi import encode
from tests.support.courts.arena import (
    CALLS,
    CLAIMANT,
    HONEST,
    MOVER,
    OTHER_TRADER,
    OUT,
    PARAMS,
    PASSER_BY,
    RIVAL,
    STANDING,
    TRADER,
    Arena,
    T,
    lie_from,
    truth,
)
from tests.support.evm import Log, Reverted, address
from tests.support.own_contracts import HOSTILE_JUDGE, HOSTILE_TOKEN, RELAY

from setoff.deploy.simulation.lab.machine import Exchanged
from setoff.shared.codec.hashing import keccak
from setoff.shared.params import GWEI

STEP = 1 << 30 | 1 << 20 | 2
HUGE = (2**256 - 1, 2**255, 2**64, 2**32, 2**16)
WORD = 32

Attempt = Callable[["Play", str, bytes, str, int], None]
"""(play, function, calldata, sender, value): whatever is tried before the call itself."""


class Play:
    """A dispute that calls every function of the court; `attempt` sees each call before it is made.

    On an arena, whose own methods make no calldata that an attempt could bend.
    It is about epoch 1: `relay`, a contract, has claimed epoch 0 before, and its stake waits there to be collected.
    """

    def __init__(self, attempt: Attempt) -> None:
        self.arena = arena = Arena(epochs=3)
        self.attempt = attempt
        self.seen: set[str] = set()
        self.relay = arena.chain.deploy(RELAY)
        self.start = truth(arena.genesis).end
        claim = arena.court.encode("claim", 0, arena.genesis, self.start)
        self.relay.forward(arena.court.address, claim, sender=RIVAL, value=PARAMS.stake)
        arena.warp(T)
        arena.court.install(arena.key(arena.genesis), self.start)
        arena.court.advance(0)
        self.relay.forward(arena.court.address, arena.court.encode("unstake", 1), sender=RIVAL)
        assert arena.owed(self.relay.address) == PARAMS.stake

    def call(self, name: str, *arguments: Any, sender: str = HONEST, value: int = 0) -> None:
        court = self.arena.court
        data = court.encode(name, *arguments)
        if name not in self.seen or name == "move":
            self.attempt(self, name, data, sender, value)
        self.seen.add(name)
        self.arena.chain.call(court.address, data, sender=sender, value=value, gas_price=GWEI)

    def join(self, key: bytes, history: Any, by: str) -> None:
        arguments = (key, history.children(0, 0), history.end, history.last_path())
        self.call("join", *arguments, sender=by, value=PARAMS.bond)

    def run(self) -> "Play":
        arena, start = self.arena, self.start
        honest, liar = truth(start, 1), lie_from(start, STEP, "liar", 1)
        idle = Exchanged(honest, 7, keccak(b"idle"))
        self.call("claim", 1, start, liar.end, sender=CLAIMANT, value=PARAMS.stake)
        self.call("claim", 2, liar.end, liar.end, sender=CLAIMANT)
        key, false = arena.key(start, 1), arena.key(liar.end, 2)
        self.join(key, honest, HONEST)
        self.join(key, liar, RIVAL)
        self.join(key, idle, RIVAL)
        further = truth(liar.end, 2)
        self.join(false, further, RIVAL)
        while arena.match(key, honest, liar).level < 7:
            self.call("move", *arena.move_arguments(key, honest, liar), sender=MOVER)
        self.call("prove", *arena.proof_arguments(key, honest, liar), sender=MOVER)
        arena.warp(T)
        self.call("timeout", key, honest.root, idle.root, sender=MOVER)
        self.call("install", key, honest.end)
        self.call("settle", key, honest.root)
        self.call("advance", 1)
        self.call("release", key, liar.root)
        self.call("redeem", key, liar.root, MOVER)
        self.call("reclaim", false)
        self.call("reclaim_history", false, further.root)
        self.call("collect", HONEST)
        # A round that ends void, and the stake of one who never lied.
        second = arena.court.start_of(2)
        self.call("claim", 2, second, liar.end, sender=RIVAL, value=PARAMS.stake)
        key = arena.key(second, 2)
        one, two = (Exchanged(truth(second, 2), 0, keccak(name)) for name in (b"one", b"two"))
        self.join(key, one, RIVAL)
        self.join(key, two, RIVAL)
        arena.seal(key, one, two)
        arena.prove(key, one, two, start=second)
        arena.warp(T)
        self.call("void", key)
        end = truth(second, 2).end
        self.call("claim", 2, second, end, sender=HONEST, value=PARAMS.stake)
        arena.warp(T)
        self.call("install", arena.key(second, 2, 1), end)
        self.call("unstake", arena.court.stake_of(HONEST))
        return self


def outcome(arena: Arena, to: str, data: bytes, sender: str, value: int, gas: int = 30_000_000) -> list[Log] | None:
    """The events of a call that went through, None if it reverted; either way it is taken back."""
    before = arena.chain.snapshot()
    try:
        arena.chain.call(to, data, sender=sender, value=value, gas=gas)
        return list(arena.chain.last.logs)
    except Reverted:
        return None
    finally:
        arena.chain.restore(before)


# --- gas -------------------------------------------------------------------------------------------------------------


def test_at_every_gas_limit_a_call_is_done_wholly_or_not_at_all() -> None:
    done: dict[str, int] = {}

    def sweep(play: Play, name: str, data: bytes, sender: str, value: int) -> None:
        arena = play.arena
        whole = outcome(arena, arena.court.address, data, sender, value)
        assert whole, f"{name} does not go through"
        before = arena.chain.snapshot()
        arena.chain.call(arena.court.address, data, sender=sender, value=value)
        needed = arena.chain.last.gas_used
        arena.chain.restore(before)
        held = arena.chain.balance(arena.court.address)
        last = needed + needed // 10 + 60_000
        for gas in [*range(21_000, last, max(last // 60, 500)), *range(needed - 60, needed + 3000, 61)]:
            happened = outcome(arena, arena.court.address, data, sender, value, gas)
            # The amounts of a credit depend on the gas used, and are no part of any event before the release.
            assert happened is None or happened == whole, f"{name} with {gas} gas did something else"
            assert arena.chain.balance(arena.court.address) == held
            done[name] = done.get(name, 0) + (happened is not None)

    play = Play(sweep).run()
    assert set(done) == play.seen == CALLS and all(done.values())


@pytest.mark.parametrize("work", [0, 200, 4000])
def test_at_every_gas_limit_a_verdict_is_right(work: int) -> None:
    """The judge is given less and less: 63/64 of what is left of the call's gas, in steps of a few hundred."""
    arena = Arena()
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(liar.end)
    arena.join(key, honest)
    arena.join(key, liar, RIVAL)
    arena.seal(key, honest, liar)
    arguments = list(arena.proof_arguments(key, honest, liar))
    arguments[-1] = work.to_bytes(32, "big")
    data = arena.court.encode("prove", *arguments)
    arena.chain.cool()
    before = arena.chain.snapshot()
    arena.chain.call(arena.court.address, data, sender=HONEST)
    needed = arena.chain.last.gas_used
    arena.chain.restore(before)
    verdicts = 0
    for gas in range(21_000, needed + 60_000, max(577, needed // 500)):
        before = arena.chain.snapshot()
        if arena.chain.succeeds(arena.court.address, data, sender=HONEST, gas=gas):
            verdicts += 1
            assert (arena.history_state(key, honest), arena.history_state(key, liar)) == (STANDING, OUT)
        else:
            assert (arena.history_state(key, honest), arena.history_state(key, liar)) == (STANDING, STANDING)
        arena.chain.restore(before)
    assert verdicts > 10


# --- calldata --------------------------------------------------------------------------------------------------------


def bend(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Calldata that is not what an encoder would write: cut, lengthened, and each word made dirty or huge."""
    body = data[4:]
    words = len(body) // WORD
    some = sorted({*range(min(words, 14)), *range(max(words - 3, 0), words), *range(0, words, 37)})
    for word in some:
        yield f"cut at word {word}", data[: 4 + word * WORD]
        yield f"cut within word {word}", data[: 4 + word * WORD + 31]
        here = slice(4 + word * WORD, 4 + (word + 1) * WORD)
        number = int.from_bytes(data[here], "big")
        for value in (*HUGE, number | 1 << 255, number + 2**160, number + 1, number + 32, number - 32, number - 1, 0):
            if 0 <= value < 2**256 and value != number:
                yield f"word {word} {value:#x}", data[: here.start] + value.to_bytes(WORD, "big") + data[here.stop :]
    for size in range(4):
        yield f"{size} bytes", data[:size]
    yield "a byte too many", data + b"\1"
    yield "a word too many", data + b"\xff" * WORD


FREE = {"claim": {1, 2}, "join": set(range(1, 32)), "redeem": {2}}
"""Arguments that a caller is free to choose otherwise: what he gets then is another call, and not a mistake."""


def test_bent_calldata_is_refused_or_means_the_same() -> None:
    tried = 0

    def distort(play: Play, name: str, data: bytes, sender: str, value: int) -> None:
        nonlocal tried
        arena = play.arena
        whole = outcome(arena, arena.court.address, data, sender, value)
        assert whole, f"{name} does not go through"
        for what, bent in bend(data):
            tried += 1
            happened = outcome(arena, arena.court.address, bent, sender, value)
            if happened is None or happened == whole:
                continue
            word = int(what.split()[1]) if what.startswith("word") else -1
            assert word in FREE.get(name, set()), f"{name} with {what} did something else: {happened}"

    play = Play(distort).run()
    assert tried > 1000 and play.seen == CALLS


def test_views_answer_or_revert_whatever_they_are_asked() -> None:
    arena = Arena()
    court = arena.court
    views = [name for name, f in court._functions.items() if f["stateMutability"] in ("view", "pure") and f["inputs"]]
    assert {"match_of", "claim_of", "key_of", "confirmed", "has_room"} <= set(views)
    for name in views:
        types = [spec["type"] for spec in court._functions[name]["inputs"]]
        for value in (0, 1, 2**160 - 1, 2**64, 2**256 - 1):
            words = [
                value.to_bytes(32, "big") if t == "bytes32" else address(value % 2**160) if t == "address" else value
                for t in types
            ]
            data = keccak(f"{name}({','.join(types)})".encode())[:4] + encode(types, words)
            assert not outcome(arena, court.address, data, PASSER_BY, 0)
            for _, bent in bend(data):
                assert not outcome(arena, court.address, bent, PASSER_BY, 0)


@pytest.mark.parametrize("contract", ["court", "vault", "queue", "inbox", "token"])
def test_no_contract_takes_what_it_has_no_name_for(contract: str) -> None:
    arena = Arena()
    target = getattr(arena, contract)
    for data in (
        b"",
        b"\0",
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        keccak(b"owner()")[:4],
        keccak(b"upgradeTo(address)")[:4],
    ):
        for value in (0, 1):
            assert outcome(arena, target.address, data, HONEST, value) is None


# --- neighbours ------------------------------------------------------------------------------------------------------


def test_nobody_comes_back_while_being_paid() -> None:
    """A receiver tries, while the court pays it, every call that would go through a moment later."""
    tried: set[str] = set()

    def reenter(play: Play, name: str, data: bytes, sender: str, value: int) -> None:
        if value or name in ("claim", "unstake"):
            return  # needs money, or is its owner's
        arena, relay, court = play.arena, play.relay, play.arena.court
        before = arena.chain.snapshot()
        relay.prepare(False, court.address, data)
        court.collect(relay.address, sender=PASSER_BY)
        assert not relay.returned(), f"{name} came in while the court was paying"
        assert arena.chain.balance(relay.address) == PARAMS.stake
        assert arena.owed(relay.address) == 0
        # It was the lock: now it goes through.
        relay.forward(court.address, data, sender=PASSER_BY)
        arena.chain.restore(before)
        tried.add(name)

    Play(reenter).run()
    assert tried == CALLS - {"claim", "join", "unstake"}


@pytest.mark.parametrize("mode", range(7))
def test_a_judge_that_misbehaves_gives_no_verdict(mode: int) -> None:
    arena = Arena()
    judge = arena.chain.deploy(HOSTILE_JUDGE, mode)
    terms = PARAMS.terms()
    arena.court = arena.chain.deploy(
        "court", arena.vault.address, arena.inbox.address, judge.address, terms, PARAMS.backstop_delay
    )
    honest, liar = truth(arena.genesis), lie_from(arena.genesis, STEP, "liar")
    key = arena.claim(liar.end)
    arena.join(key, honest)
    arena.join(key, liar, RIVAL)
    arena.seal(key, honest, liar)
    if mode == 5:
        # A hash is a hash, however much comes after it: this judge is simply wrong about both.
        arena.prove(key, honest, liar)
        assert arena.counters(key) == (0, 0)
        return
    with pytest.raises(Reverted):
        arena.prove(key, honest, liar)
    assert arena.counters(key) == (2, 2)
    assert judge.touched() == 0


@pytest.mark.parametrize("function", ["deposit", "deposit_for", "withdraw"])
def test_a_token_that_calls_back_gets_nothing_done(function: str) -> None:
    arena = Arena()
    chain = arena.chain
    token = chain.deploy(HOSTILE_TOKEN)
    queue = chain.predict(1)
    vault = chain.deploy("vault", token.address, queue, arena.court.address, 1)
    chain.deploy("queue", vault.address, arena.inbox.address, PASSER_BY, 0, 0, 1)
    token.mint(TRADER, 1000)
    token.mint(token.address, 1000)
    again = {
        "deposit": (5,),
        "deposit_for": (OTHER_TRADER, 5),
        "withdraw": (0, bytes(32), bytes(32), 0, 1, TRADER, 5, 0, []),
    }[function]
    token.prepare(vault.address, vault.encode(function, *again))
    assert vault.deposit(100, sender=TRADER) == 1
    assert token.attempts() > 0 and not token.returned()
    assert (vault.total(), vault.account_count(), token.balanceOf(vault.address)) == (100, 1, 100)
