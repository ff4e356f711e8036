"""The L1 queue: who may queue what, and the hash over it."""

from dataclasses import astuple

import pytest
from tests.support.courts.arena import LISTER, OPERATOR, PARAMS, PASSER_BY, TRADER, Arena
from tests.support.evm import address, reverts

from setoff.shared.codec import records
from setoff.shared.codec.hashing import hash_pair, keccak
from setoff.shared.codec.layout import fields_of
from setoff.shared.codec.records import ExchangeTerms, ListMarketBody, MarketParameters, SetSignerBody, SetTermsBody
from setoff.shared.params import MAINNET

DELAY = PARAMS.listing_delay


@pytest.fixture
def arena() -> Arena:
    """With nothing posted yet."""
    return Arena(epochs=0)


def test_chains_messages_in_order(arena: Arena) -> None:
    queue, queue_hash = arena.queue, bytes(32)
    for number in range(5):
        arena.warp(7)
        record = bytes([number + 1]) * 124
        assert queue.force(record, sender=PASSER_BY) == number
        (event,) = arena.chain.last.named("MessageQueued")
        queue_hash = hash_pair(queue_hash, keccak(record + arena.now.to_bytes(8, "big")))
        assert event == {"index": number, "body": record, "queue_hash": queue_hash, "timestamp": arena.now}
        assert queue.queue_hash(number + 1) == queue_hash
        assert queue.message_at(number) == (queue_hash, arena.now)
    assert queue.count() == 5
    assert queue.queue_hash(0) == bytes(32)
    with reverts("no_such_message"):
        queue.message_at(5)


def test_names_the_sender_of_a_forced_body(arena: Arena) -> None:
    body = bytes(range(60))
    assert arena.queue.force_as(body, sender=TRADER) == 0
    (event,) = arena.chain.last.named("MessageQueued")
    forced = records.ForcedBody(bytes.fromhex(TRADER[2:]), body)
    assert event["body"] == records.encode(forced)
    assert records.decode_forced(event["body"]) == forced
    for length in (0, 1, 59):
        with reverts("message_length"):
            arena.queue.force_as(body[:length], sender=TRADER)
    with reverts(""):
        arena.chain.call(arena.queue.address, arena.queue.encode("force_as", body + b"\0"), sender=TRADER)
    with reverts("message_type"):
        arena.queue.force(records.encode(forced), sender=PASSER_BY)


def test_winds_down_once_when_the_operator_is_silent_for_too_long(arena: Arena) -> None:
    arena.warp(PARAMS.wind_down - 100)
    # The operator's own batch is a sign of life.
    arena.post()
    since = arena.now
    arena.warp(PARAMS.silence)
    # A stranger's is none.
    arena.post(by=PASSER_BY)
    assert arena.inbox.operator_posted_at() == since
    arena.warp(since + PARAMS.wind_down - 2 - arena.now)
    with reverts("too_early"):
        arena.queue.wind_down(sender=LISTER)
    assert arena.queue.is_winding_down() is False
    arena.warp(since + PARAMS.wind_down - arena.now)
    assert arena.queue.wind_down(sender=PASSER_BY) == 0
    (event,) = arena.chain.last.named("MessageQueued")
    assert event["body"] == records.encode(records.WindDownBody())
    with reverts("winding_down"):
        arena.queue.wind_down(sender=TRADER)
    assert arena.queue.is_winding_down() is True


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
        arena.chain.call(arena.queue.address, data, sender=TRADER)


def test_only_the_vault_queues_deposits(arena: Arena) -> None:
    for caller in (TRADER, OPERATOR, LISTER):
        with reverts("not_the_vault"):
            arena.queue.push(b"\x81" + bytes(123), sender=caller)

    vault = address("an account in the vault's place")
    queue = arena.chain.deploy("queue", vault, arena.inbox.address, LISTER, 0, 0, 1)
    queue.push(b"\x81" + bytes(123), sender=vault)
    with reverts("message_type"):
        queue.push(b"\x82" + bytes(123), sender=vault)
    with reverts("message_type"):
        queue.push(b"\1" + bytes(123), sender=vault)
    with reverts("message_length"):
        queue.push(b"\x81" + bytes(122), sender=vault)


def listing_of(maker_fee: int = 0) -> ListMarketBody:
    """A listing with another value in every field, each as wide as it can be."""
    values = {field.name: field.limits.stop - 1 - place for place, field in enumerate(fields_of(MarketParameters))}
    return ListMarketBody(2**16 - 1, MarketParameters(**(values | {"maker_fee": maker_fee})))


def as_abi(listing: ListMarketBody) -> tuple[int, tuple[int, ...]]:
    return listing.market, astuple(listing.parameters)


@pytest.mark.parametrize("maker_fee", [-500, 0, 2**31 - 1, -(2**31)])
def test_lists_and_changes_markets_as_the_codec_does(arena: Arena, maker_fee: int) -> None:
    queue, listing = arena.queue, listing_of(maker_fee)
    for propose, body in (
        (queue.propose_listing, records.ListMarketBody),
        (queue.propose_change, records.SetMarketBody),
    ):
        message = records.encode(body(*listing))
        identity = queue.proposal_count()
        assert propose(as_abi(listing), sender=LISTER) == identity
        ready = arena.now + DELAY
        assert arena.chain.last.named("Proposed") == [{"id": identity, "body": message, "enactable": ready}]
        assert queue.proposal_at(identity) == (message, ready)
        arena.warp(DELAY)
        queue.enact(identity, sender=PASSER_BY)
        (event,) = arena.chain.last.named("MessageQueued")
        assert event["body"] == message
        with reverts("not_the_lister"):
            propose(as_abi(listing), sender=TRADER)


def test_sets_terms_as_the_codec_does(arena: Arena) -> None:
    values = [field.limits.stop - 1 - place for place, field in enumerate(fields_of(ExchangeTerms))]
    arena.queue.propose_terms((tuple(values),), sender=LISTER)
    arena.warp(DELAY)
    arena.queue.enact(0)
    (event,) = arena.chain.last.named("MessageQueued")
    assert event["body"] == records.encode(SetTermsBody(ExchangeTerms(*values)))
    with reverts("not_the_lister"):
        arena.queue.propose_terms((tuple(values),), sender=TRADER)


def test_names_signers_as_the_codec_does(arena: Arena) -> None:
    signer = address("signer")
    arena.queue.propose_signer(3, signer, 2, 60, sender=LISTER)
    arena.warp(DELAY)
    arena.queue.enact(0)
    (event,) = arena.chain.last.named("MessageQueued")
    assert event["body"] == records.encode(SetSignerBody(3, bytes.fromhex(signer[2:]), 2, 60))
    with reverts("not_the_lister"):
        arena.queue.propose_signer(3, signer, 2, 60, sender=OPERATOR)


def test_takes_no_quorum_in_which_one_false_signer_decides_but_in_a_trial(arena: Arena) -> None:
    assert arena.queue.LEAST_QUORUM() == PARAMS.least_quorum == 1
    queue = arena.chain.deploy("queue", address("vault"), arena.inbox.address, LISTER, 0, 0, MAINNET.least_quorum)
    assert queue.LEAST_QUORUM() == MAINNET.least_quorum == 3
    for quorum in (0, 1, 2):
        with reverts("quorum_too_small"):
            queue.propose_signer(0, address("signer"), quorum, 60, sender=LISTER)
    assert queue.proposal_count() == 0
    queue.propose_signer(0, address("signer"), 3, 60, sender=LISTER)


def test_enacts_a_proposal_once_and_not_before_its_delay(arena: Arena) -> None:
    queue = arena.queue
    assert queue.LISTING_DELAY() == DELAY
    with reverts("no_such_proposal"):
        queue.enact(0)
    queue.propose_listing(as_abi(listing_of()), sender=LISTER)
    arena.warp(DELAY - 1)
    with reverts("too_early"):
        queue.enact(0, sender=LISTER)
    arena.warp(1)
    assert queue.enact(0, sender=PASSER_BY) == 0
    assert arena.chain.last.named("Enacted") == [{"id": 0, "message": 0}]
    assert queue.count() == 1
    for call in (queue.enact, queue.proposal_at):
        with reverts("no_such_proposal"):
            call(0)


def test_lister_takes_a_proposal_back(arena: Arena) -> None:
    queue = arena.queue
    for _ in range(2):
        queue.propose_change(as_abi(listing_of()), sender=LISTER)
    with reverts("not_the_lister"):
        queue.revoke(0, sender=TRADER)
    queue.revoke(0, sender=LISTER)
    assert arena.chain.last.named("Revoked") == [{"id": 0}]
    arena.warp(DELAY)
    with reverts("no_such_proposal"):
        queue.enact(0)
    with reverts("no_such_proposal"):
        queue.revoke(0, sender=LISTER)
    assert queue.enact(1) == 0


def test_proposals_are_enacted_in_their_order(arena: Arena) -> None:
    """Nobody keeps an old quorum back, to queue it after the one that replaced it."""
    queue = arena.queue
    for quorum in (1, 3, 4):
        queue.propose_signer(0, address("signer"), quorum, 60, sender=LISTER)
    arena.warp(DELAY)
    for late in (1, 2):
        with reverts("earlier_proposal"):
            queue.enact(late)
    queue.enact(0)
    with reverts("earlier_proposal"):
        queue.enact(2)
    queue.revoke(1, sender=LISTER)
    queue.enact(2)
    assert (queue.count(), queue.next_proposal()) == (2, 3)


def test_a_proposal_expires_and_is_passed_over(arena: Arena) -> None:
    queue = arena.queue
    queue.propose_signer(0, address("signer"), 1, 60, sender=LISTER)
    arena.warp(DELAY + queue.ENACTABLE_TIME() - 1)
    queue.propose_signer(0, address("signer"), 3, 60, sender=LISTER)
    checkpoint = arena.chain.snapshot()
    queue.enact(0)  # in its last second
    arena.chain.restore(checkpoint)
    arena.warp(1)
    with reverts("proposal_expired"):
        queue.enact(0)
    arena.warp(DELAY)
    assert queue.enact(1) == 0
    with reverts("proposal_expired"):
        queue.enact(0)


def test_so_many_dead_proposals_are_passed_at_once(arena: Arena) -> None:
    queue = arena.queue
    for number in range(258):
        queue.propose_signer(0, address("signer"), 1, 60, sender=LISTER)
        if number not in (256, 257):
            queue.revoke(number, sender=LISTER)
    arena.warp(DELAY)
    with reverts("earlier_proposal"):
        queue.enact(257)
    queue.enact(256)
    assert arena.chain.last.gas_used < 1_500_000
    queue.enact(257)


def test_needs_no_delay_where_there_is_none(arena: Arena) -> None:
    queue = arena.chain.deploy("queue", address("vault"), arena.inbox.address, LISTER, 0, 0, 1)
    queue.propose_listing(as_abi(listing_of()), sender=LISTER)
    assert queue.enact(0) == 0
    with reverts("bad_terms"):
        arena.chain.deploy("queue", address("vault"), arena.inbox.address, LISTER, 2**64, 0, 1)
    with reverts("bad_terms"):
        arena.chain.deploy("queue", address("vault"), arena.inbox.address, LISTER, 0, 2**64, 1)
    with reverts("zero_address"):
        arena.chain.deploy("queue", address("vault"), "0x" + bytes(20).hex(), LISTER, 0, 0, 1)


def test_a_successor_is_announced_in_time_and_changes_nothing(arena: Arena) -> None:
    queue, follower = arena.queue, address("vault of another exchange")
    due = arena.now + DELAY + 10
    with reverts("not_the_lister"):
        queue.announce(follower, due, sender=OPERATOR)
    with reverts("too_early"):
        queue.announce(follower, due - 100, sender=LISTER)
    with reverts("bad_terms"):
        queue.announce(queue.VAULT(), due, sender=LISTER)
    before = queue.count()
    queue.announce(follower, due, sender=LISTER)
    assert arena.chain.last.named("SuccessorAnnounced") == [{"vault": follower, "due": due}]
    assert (queue.successor(), queue.successor_due(), queue.count()) == (follower, due, before)
    queue.announce(bytes(20), 0, sender=LISTER)
    assert int(queue.successor(), 16) == 0
