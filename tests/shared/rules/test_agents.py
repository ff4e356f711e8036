"""Agents: keys that trade for an owner until they expire or are replaced, move no money, and count their own nonces."""

import pytest
from tests.support.machines.world import BUY, SELL, World, sub

from setoff.deploy.simulation.sample_traffic import START_TIME, agent_key, trader_key
from setoff.shared.codec import records
from setoff.shared.codec.signatures import address_of
from setoff.shared.rules.agents import SESSION_BITS
from setoff.shared.rules.nonces import MAX_NONCE_JUMP
from setoff.shared.wire.scopes import Scope

TOMORROW = START_TIME + 86_400


def with_agent(number: int = 1, expiry: int = TOMORROW) -> World:
    world = World.trading()
    assert world.set_agent(1, number, expiry) == "accepted"
    return world


def test_an_agent_is_named_by_the_owner() -> None:
    world = with_agent(8)
    agent = world.agent(1, 8)
    assert (agent.address, agent.expiry) == (address_of(agent_key(1, 8)), TOMORROW)


def test_an_agent_trades() -> None:
    world = with_agent()
    assert world.order(1, BUY, 99, 5, order_slot=0, agent=1) == "accepted"
    assert world.amend(1, 0, 99, 4, agent=1) == "accepted"
    assert world.cancel(1, 0, agent=1) == "accepted"
    assert world.cancel_all(1, agent=1) == "accepted"
    assert world.schedule_cancel(1, TOMORROW, agent=1) == "accepted"
    assert world.bulk(1, [records.Leg(0, 1, 3, 99, 2)], agent=1) == ["accepted", "accepted"]
    assert world.queue(BUY, 99) == [(1, 3, 2)]


def test_an_agent_trades_for_the_sub_accounts() -> None:
    world = with_agent()
    world.transfer(1, sub(1), 10_000)
    assert world.order(sub(1), SELL, 101, 5, agent=1) == "accepted"


def nonce_of(session: int, count: int) -> int:
    return session << SESSION_BITS | count


def cancel_with(world: World, nonce: int, agent: int = 1) -> str:
    """The outcome of an agent's cancel, of an empty slot, with this nonce: `unknown_order` where it counts."""
    return world.cancel(1, 200, nonce, agent=agent)


def test_owner_and_agents_have_nonces_of_their_own() -> None:
    world = with_agent()
    assert world.set_agent(1, 2, TOMORROW) == "accepted"
    before = world.account(1)
    for agent, session in ((1, 1), (2, 2)):
        for count in (1, 3, 2):
            assert cancel_with(world, nonce_of(session, count), agent) == "unknown_order"
        assert world.agent(1, agent).nonce_top == nonce_of(session, 3)
    after = world.account(1)
    assert (after.nonce_top, after.nonce_bitmap) == (before.nonce_top, before.nonce_bitmap)
    assert world.cancel(1, 200, nonce=before.nonce_top + 1) == "unknown_order"


def test_an_agent_counts_within_its_session_only() -> None:
    world = with_agent()
    assert world.set_agent(1, 1, TOMORROW, session=7) == "accepted"
    top = nonce_of(7, 0)
    assert cancel_with(world, top) == "nonce_used"
    assert cancel_with(world, top - 255) == "nonce_used"
    assert cancel_with(world, top - 256) == "nonce_too_old"
    assert cancel_with(world, nonce_of(1, 1)) == "nonce_too_old"
    assert cancel_with(world, nonce_of(8, 1)) == "nonce_too_far"
    assert cancel_with(world, top + MAX_NONCE_JUMP + 1) == "nonce_too_far"
    assert cancel_with(world, top + MAX_NONCE_JUMP) == "unknown_order"


def test_an_agent_at_the_end_of_its_session_does_not_come_into_the_next() -> None:
    world = with_agent()
    leaf = world.machine.state.agent(1, 1)
    leaf.nonce_top = nonce_of(1, 2**SESSION_BITS - 2)
    assert cancel_with(world, nonce_of(1, 2**SESSION_BITS - 1)) == "unknown_order"
    assert cancel_with(world, nonce_of(2, 0)) == "nonce_too_far"
    assert cancel_with(world, nonce_of(2, 1)) == "nonce_too_far"


def test_no_record_of_a_key_counts_again_when_the_key_is_named_again() -> None:
    """Used or not, of whatever nonce of its session, under the old number or another."""
    world = with_agent()
    counts = (1, 2, 300, MAX_NONCE_JUMP, 2 * MAX_NONCE_JUMP, 2**SESSION_BITS - 1)
    key = agent_key(1, 1)
    old = [
        world.traffic.sign(records.encode(records.CancelBody(1, nonce_of(1, count), 200, 0, number)), key)
        for count in counts
        for number in (1, 2)
    ]
    assert world.take(old[0]) == "unknown_order"
    assert world.set_agent(1, 1, 0, bytes(20)) == "accepted"
    for number in (1, 2):
        assert world.set_agent(1, number, TOMORROW, address_of(key)) == "accepted"
        assert {world.take(record) for record in old} <= {"nonce_used", "nonce_too_old", "bad_signature"}
    assert cancel_with(world, world.agent(1, 1).nonce_top + 1) == "unknown_order"


def test_changes_of_agents_count_in_the_order_of_their_sessions() -> None:
    """A naming that somebody held back does not undo what the owner signed after it."""
    world = World.trading()
    held_back = world.traffic.set_agent(1, 1, TOMORROW, session=5)
    assert world.set_agent(1, 1, 0, bytes(20), session=6) == "accepted"
    assert world.take(held_back) == "wrong_session"
    assert world.set_agent(1, 2, TOMORROW, session=6) == "wrong_session"
    assert world.set_agent(1, 2, TOMORROW, session=7) == "accepted"
    assert (world.agent(1, 1).address, world.account(1).session) == (bytes(20), 7)


def test_one_record_uses_up_no_range_of_sessions() -> None:
    world = World.trading()
    assert world.set_agent(1, 1, TOMORROW, session=MAX_NONCE_JUMP + 1) == "wrong_session"
    assert world.set_agent(1, 1, TOMORROW, session=MAX_NONCE_JUMP) == "accepted"
    assert world.account(1).session == MAX_NONCE_JUMP


def test_a_right_can_be_taken_away_when_no_session_is_left() -> None:
    world = with_agent()
    last = 2**32 - 1
    world.machine.state.account(1).session = last - 1
    assert world.set_agent(1, 1, TOMORROW, session=last) == "accepted"
    assert world.set_agent(1, 1, TOMORROW, session=last) == "wrong_session"
    assert world.set_agent(1, 1, 0, bytes(20), session=last) == "accepted"
    assert world.agent(1, 1).address == bytes(20)


def test_nobody_s_leaf_is_no_leaf() -> None:
    """Whatever else the record says that takes a right away."""
    world = with_agent()
    scope = Scope((1,), ("Order",), (1,))
    assert world.set_agent(1, 1, TOMORROW, bytes(20), scope=scope) == "accepted"
    assert world.value(9 << 36 | 1 << 8 | 1) == b""


def test_money_and_keys_are_the_owner_s_alone() -> None:
    world = with_agent()
    key = agent_key(1, 1)
    for body in (
        records.encode(records.TransferBody(1, 60, 2, 5)),
        records.encode(records.WithdrawBody(1, 61, 5)),
        records.encode(records.BackstopDepositBody(1, 62, 5)),
        records.encode(records.BackstopWithdrawBody(1, 63, 5)),
        records.encode(records.SetAgentBody(1, 64, 2, bytes(20), TOMORROW, 9)),
    ):
        assert world.take(world.traffic.sign(body, key)) == "bad_signature"
    assert world.account(1).nonce_top == 1


def test_an_agent_is_refused_from_its_expiry_on() -> None:
    world = with_agent(expiry=START_TIME + 10)
    world.wait(9)
    assert world.order(1, BUY, 99, 5, agent=1) == "accepted"
    world.wait(1)
    assert world.order(1, BUY, 99, 5, agent=1) == "agent_expired"


def test_a_replaced_or_dismissed_agent_is_refused() -> None:
    world = with_agent()
    world.set_agent(1, 1, TOMORROW, address_of(b"\5" * 32))
    assert world.order(1, BUY, 99, 5, agent=1) == "bad_signature"
    world.set_agent(1, 1, TOMORROW)
    assert world.order(1, BUY, 99, 5, agent=1) == "accepted"
    world.set_agent(1, 1, 0, bytes(20))
    assert world.order(1, BUY, 99, 5, agent=1) == "bad_signature"
    assert world.value(9 << 36 | 1 << 8 | 1) == b""


def test_an_agent_signs_under_its_own_number_only() -> None:
    world = with_agent(number=2)
    nonce = nonce_of(1, 1)
    body = records.encode(records.CancelAllBody(1, nonce, agent=3))
    assert world.take(world.traffic.sign(body, agent_key(1, 2))) == "bad_signature"
    body = records.encode(records.CancelAllBody(1, nonce))
    assert world.take(world.traffic.sign(body, agent_key(1, 2))) == "bad_signature"
    body = records.encode(records.CancelAllBody(1, nonce, agent=2))
    assert world.take(world.traffic.sign(body, trader_key(1))) == "bad_signature"  # not even the owner
    assert world.take(world.traffic.sign(body, agent_key(1, 2))) == "accepted"


def test_an_agent_of_one_account_is_nobody_to_another() -> None:
    world = with_agent()
    body = records.encode(records.CancelAllBody(2, 60, agent=1))
    assert world.take(world.traffic.sign(body, agent_key(1, 1))) == "bad_signature"


@pytest.mark.parametrize("number", [0, 9, 255])
def test_rejects_agent_number_out_of_range(number: int) -> None:
    world = World.trading()
    assert world.set_agent(1, number, TOMORROW) == "malformed_record"
    if number:
        assert world.order(1, BUY, 99, 5, agent=number) == "malformed_record"
        assert world.cancel_all(1, agent=number) == "malformed_record"


def test_rejects_agent_of_a_sub_account() -> None:
    world = World.trading()
    world.transfer(1, sub(1), 10_000)
    assert world.set_agent(sub(1), 1, TOMORROW) == "sub_account"
