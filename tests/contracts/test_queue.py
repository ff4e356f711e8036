"""The L1 queue: who may queue what, and the chain over it."""

import pytest
from tests.contracts.arena import ALICE, LISTER, OPERATOR, PASSER_BY, Arena
from tests.evm import address, reverts

from setoff.shared.codec import records
from setoff.shared.codec.hashing import hash_pair, keccak
from setoff.shared.codec.records import ListMarketBody, SetSignerBody


@pytest.fixture
def arena() -> Arena:
    return Arena(epochs=0)


def test_chains_messages_in_order(arena: Arena) -> None:
    queue, acc = arena.queue, bytes(32)
    for number in range(5):
        arena.warp(7)
        record = bytes([number + 1]) * 124
        assert queue.force(record, sender=PASSER_BY) == number
        (event,) = arena.chain.last.named("MessageQueued")
        acc = hash_pair(acc, keccak(record))
        assert event == {"index": number, "body": record, "acc": acc, "timestamp": arena.now}
        assert queue.acc(number + 1) == acc
        assert queue.message_at(number) == (acc, arena.now)
    assert queue.count() == 5
    assert queue.acc(0) == bytes(32)
    with reverts("no_such_message"):
        queue.message_at(5)


def test_forces_only_whole_signed_records(arena: Arena) -> None:
    for length in (0, 1, 123):
        with reverts("message_length"):
            arena.queue.force(b"\1" * length)
    for kind in (0x80, 0x81, 0x82, 0x83, 0xFF):
        with reverts("message_type"):
            arena.queue.force(bytes([kind]) + bytes(123))
    arena.queue.force(b"\x7f" + bytes(123), sender=PASSER_BY)
    # Longer than a record is not a call of this contract at all.
    data = arena.queue.encode("force", b"\1" * 125)
    with reverts(""):
        arena.chain.call(arena.queue.address, data, sender=ALICE)


def test_only_the_vault_queues_deposits(arena: Arena) -> None:
    for caller in (ALICE, OPERATOR, LISTER):
        with reverts("not_the_vault"):
            arena.queue.push(b"\x81" + bytes(123), sender=caller)

    vault = address("an account in the vault's place")
    queue = arena.chain.deploy("queue", vault, LISTER)
    queue.push(b"\x81" + bytes(123), sender=vault)
    with reverts("message_type"):
        queue.push(b"\x82" + bytes(123), sender=vault)
    with reverts("message_type"):
        queue.push(b"\1" + bytes(123), sender=vault)
    with reverts("message_length"):
        queue.push(b"\x81" + bytes(122), sender=vault)


@pytest.mark.parametrize("maker_fee", [-500, 0, 2**31 - 1, -(2**31)])
def test_lists_markets_as_the_codec_does(arena: Arena, maker_fee: int) -> None:
    listing = ListMarketBody(65535, 2**64 - 1, 50_000, 30_000, 500, maker_fee, 2**32 - 1)
    arena.queue.list_market(*listing, sender=LISTER)
    (event,) = arena.chain.last.named("MessageQueued")
    assert event["body"] == records.encode_list_market(listing)
    with reverts("not_the_lister"):
        arena.queue.list_market(*listing, sender=ALICE)


def test_names_signers_as_the_codec_does(arena: Arena) -> None:
    signer = address("signer")
    arena.queue.set_signer(3, signer, 2, 60, sender=LISTER)
    (event,) = arena.chain.last.named("MessageQueued")
    assert event["body"] == records.encode_set_signer(SetSignerBody(3, bytes.fromhex(signer[2:]), 2, 60))
    with reverts("not_the_lister"):
        arena.queue.set_signer(3, signer, 2, 60, sender=OPERATOR)
