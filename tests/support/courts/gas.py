"""What each call of the contracts costs on a chain where everything is cold, in gas, calldata included.

One dispute with one liar is played to its last payment, with the toy judge: `prove` is without the step itself.
"""

from collections.abc import Callable
from dataclasses import astuple

from tests.support.courts.arena import (
    CLAIMANT,
    HONEST,
    LISTER,
    OPERATOR,
    PARAMS,
    RIVAL,
    TRADER,
    Arena,
    T,
    lie_from,
    next_posting,
    truth,
)

from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.layout import fields_of
from setoff.shared.codec.records import ExchangeTerms, MarketParameters
from setoff.shared.machine.blobs import BLOBS

RECORD = 124
GAS_PRICE = 10**9
POSITION = 1 << 30 | 1 << 20 | 2
VERSION = b"\x01"
"""Of a blob's hash (EIP-4844): its first byte."""


def measure() -> dict[str, int]:
    """Gas by call."""
    arena = Arena()
    chain, court, queue, vault = arena.chain, arena.court, arena.queue, arena.vault
    gas: dict[str, int] = {}

    def spend(name: str, call: Callable[[], object]) -> None:
        chain.cool()
        call()
        gas[name] = max(gas.get(name, 0), chain.last.gas_used)

    def post(records: int, messages: int = 0) -> None:
        body = b"".join(keccak(bytes([record & 255])).ljust(RECORD, b"\1") for record in range(records))
        arguments = next_posting(arena.inbox, arena.queue, body, messages)
        name = f"post {records} records" if not messages else f"post {messages} messages"
        spend(name, lambda: arena.inbox.post(*arguments, sender=OPERATOR))

    listing = (1, astuple(MarketParameters(1, 50_000, 30_000, 500, 0, 1)))
    spend("propose a market", lambda: queue.propose_listing(listing, sender=LISTER))
    arena.warp(PARAMS.listing_delay)
    spend("enact", lambda: queue.enact(0, sender=TRADER))
    spend("propose a change", lambda: queue.propose_change(listing, sender=LISTER))
    spend("propose terms", lambda: queue.propose_terms(([1] * len(fields_of(ExchangeTerms)),), sender=LISTER))
    arena.token.mint(TRADER, 10**9)
    arena.token.approve(vault.address, 10**9, sender=TRADER)
    spend("deposit, first", lambda: vault.deposit(10**6, sender=TRADER))
    spend("deposit", lambda: vault.deposit(10**6, sender=TRADER))
    spend("force", lambda: queue.force(b"\1" * RECORD, sender=TRADER))
    post(0)
    post(100)
    post(1024)
    post(0, messages=4)
    chain.fund(OPERATOR)
    chain.carry_blobs([VERSION + bytes(31), VERSION + b"\1" * 31])
    postings = [(chain.now, 0, 1024, place.to_bytes(32, "big")) for place in (0, 1)]
    roots = [VERSION + bytes(31), VERSION + b"\1" * 31]
    spend("post data of 2 batches", lambda: arena.post_data(BLOBS.number, postings, roots))
    chain.carry_blobs([])

    honest, liar = truth(arena.genesis), lie_from(arena.genesis, POSITION, "liar")
    spend(
        "claim, with a stake",
        lambda: court.claim(0, arena.genesis, liar.end, sender=CLAIMANT, value=PARAMS.stake),
    )
    key = arena.key(arena.genesis)
    spend("claim", lambda: court.claim(1, liar.end, keccak(b"next"), sender=CLAIMANT))
    next_key = arena.key(liar.end, 1)
    for history, owner in ((honest, HONEST), (liar, RIVAL)):
        spend("join", lambda h=history, o=owner: arena.join(key, h, o))  # type: ignore[misc]
    for level in range(7):
        arguments = arena.move_arguments(key, honest, liar)
        name = "move, first" if level < 2 else "move"
        spend(name, lambda a=arguments: court.move(*a, sender=HONEST, gas_price=GAS_PRICE))  # type: ignore[misc]
    proof = arena.proof_arguments(key, honest, liar)
    spend("prove, without the step", lambda: court.prove(*proof, sender=HONEST, gas_price=GAS_PRICE))
    other = lie_from(arena.genesis, POSITION, "other")
    arena.join(key, other, RIVAL)
    arena.warp(T)
    moot_key, moot = arena.claim(keccak(b"next"), other.end, 1), lie_from(other.end, POSITION, "moot")
    arena.join(moot_key, moot, RIVAL)
    spend("timeout", lambda: court.timeout(key, honest.root, other.root, sender=HONEST, gas_price=GAS_PRICE))
    spend("install", lambda: court.install(key, honest.end))
    spend("install, undisputed", lambda: court.install(next_key, keccak(b"next")))
    spend("settle", lambda: court.settle(key, honest.root))
    spend("advance", lambda: court.advance(0))
    spend("reclaim", lambda: court.reclaim(moot_key))
    spend("reclaim history", lambda: court.reclaim_history(moot_key, moot.root))
    spend("release", lambda: court.release(key, honest.root))
    spend("release", lambda: court.release(key, liar.root))
    spend("redeem", lambda: court.redeem(key, liar.root, HONEST))
    spend("collect", lambda: court.collect(HONEST))
    return gas
