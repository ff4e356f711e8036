"""The pace of posting: an epoch begins no sooner than the epoch interval after the last one began, and nobody can keep
a due message out with it."""

from dataclasses import replace

import pytest
from tests.support.courts.arena import OPERATOR, PARAMS, PASSER_BY, RIVAL, Arena
from tests.support.evm import Reverted, reverts

from setoff.shared.machine.data import CALLDATA, ZERO

HOUR = 3600
MESSAGE = b"\1" * 124
PACED = replace(PARAMS, claim_interval=HOUR, max_skew=3 * HOUR, force_delay=6 * HOUR, silence=9 * HOUR)
EMPTY = (0, 0, b"")


def paced_arena() -> Arena:
    """Epochs of two batches, one an hour; none is posted."""
    arena = Arena(PACED, epochs=0)
    assert (arena.inbox.EPOCH_INTERVAL(), arena.inbox.paced_until()) == (HOUR, 0)
    return arena


@pytest.mark.parametrize("by", [OPERATOR, PASSER_BY])
@pytest.mark.parametrize("module", [CALLDATA.number, 1])
def test_an_epoch_begins_no_sooner_than_its_interval_after_the_last_one(by: str, module: int) -> None:
    arena = paced_arena()
    arena.warp(PACED.silence)

    def post(batches: int = 1) -> None:
        if module:
            arena.post_data(module, [(arena.now, *EMPTY)] * batches, [ZERO] * batches, by=by)
        else:
            for _ in range(batches):
                arena.post(by=by)

    post()
    began = arena.now
    arena.warp(5)
    post()  # nothing paces the rest of an epoch
    assert arena.inbox.epoch_began_at() == began
    assert arena.inbox.paced_until() == began + HOUR
    arena.chain.set_time(began + HOUR - 1)
    for batches in (1, 2):
        with reverts("epoch_too_early"):
            post(batches)
    arena.warp(1)
    post(2)
    assert arena.inbox.count() == 4
    assert arena.inbox.paced_until() == began + 2 * HOUR


def test_a_posting_of_several_batches_contains_the_beginning_of_an_epoch_only_in_its_time() -> None:
    arena = paced_arena()
    arena.post()
    with reverts("epoch_too_early"):
        arena.post_data(1, [(arena.now, *EMPTY)] * 2, [ZERO] * 2)
    assert arena.inbox.count() == 1
    arena.warp(HOUR)
    arena.post_data(1, [(arena.now, *EMPTY)] * 2, [ZERO] * 2)
    assert arena.inbox.count() == 3, "the end of one epoch and the beginning of the next"
    with reverts("epoch_too_early"):
        arena.post_data(1, [(arena.now, *EMPTY)] * 2, [ZERO] * 2)


def test_a_batch_that_was_sealed_before_its_time_is_as_valid_when_its_time_has_come() -> None:
    arena = paced_arena()
    arena.queue.force(MESSAGE)
    queued = arena.now
    arena.warp(PACED.force_delay - 10)
    arena.post()
    arena.post()
    sealed_at = arena.now  # it need not hold the message, which falls due while it waits
    arena.warp(HOUR)
    assert arena.now > queued + PACED.force_delay
    arena.post(timestamp=sealed_at)


@pytest.mark.parametrize("by", [OPERATOR, RIVAL])
@pytest.mark.parametrize("first", [0, 1, HOUR // 2, HOUR - 1])
def test_a_flood_of_epochs_keeps_a_message_out_for_an_interval_at_most(by: str, first: int) -> None:
    """Whoever posts leaves a message out for as long as the inbox lets it, in batches as old as it takes, and fills
    every epoch at once. A batch that holds it can come an interval later at most than if nothing were paced.
    """
    arena = paced_arena()
    arena.warp(PACED.silence)
    arena.queue.force(MESSAGE)
    queued = arena.now
    arena.warp(first)
    while True:
        arena.wait_for_pace()
        arena.warp(min(HOUR - 1, max(0, queued + PACED.force_delay + PACED.max_skew - 1 - arena.now)))
        try:
            for _ in range(PACED.epoch_batches):
                arena.post(timestamp=max(arena.inbox.timestamp(), arena.now - PACED.max_skew), by=by)
        except Reverted as refusal:
            assert refusal.reason == "message_left_out"
            break
    arena.post(messages=1, by=PASSER_BY if by == RIVAL else by)
    due = queued + PACED.force_delay + PACED.max_skew
    assert due <= arena.now <= due + HOUR
    assert arena.inbox.messages_consumed() == 1


def test_an_operator_that_waits_for_the_pace_does_not_count_as_silent() -> None:
    arena = paced_arena()
    arena.post()
    arena.post()
    arena.wait_for_pace()
    assert arena.inbox.opens_at() > arena.now
    with reverts("not_the_operator"):
        arena.post(by=PASSER_BY)


def test_an_operator_comes_back_though_others_fill_every_epoch_as_it_begins() -> None:
    arena = paced_arena()
    arena.warp(PACED.silence)
    arena.post(by=RIVAL)
    arena.post(by=RIVAL)
    arena.inbox.reserve(sender=OPERATOR)
    assert arena.inbox.reserved_until() == arena.now + HOUR + 3600
    with reverts("epoch_too_early"):
        arena.post()
    arena.wait_for_pace()
    with reverts("not_the_operator"):
        arena.post(by=RIVAL)
    arena.post()
    assert arena.inbox.opens_at() == arena.now + PACED.silence
