"""Agents: keys that trade for an owner, until they expire or are replaced, and never move money."""

import pytest
from tests.support.machines.world import BUY, SELL, World, sub

from setoff.deploy.simulation.sample_traffic import START_TIME, agent_key, trader_key
from setoff.shared.codec import records
from setoff.shared.codec.signatures import address_of

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


def test_agent_and_owner_share_their_nonces() -> None:
    world = with_agent()
    assert world.order(1, BUY, 99, 5, agent=1, nonce=50) == "accepted"
    assert world.cancel(1, 0, nonce=50) == "nonce_used"


def test_money_and_keys_are_the_owner_s_alone() -> None:
    world = with_agent()
    key = agent_key(1, 1)
    for body in (
        records.encode(records.TransferBody(1, 60, 2, 5)),
        records.encode(records.WithdrawBody(1, 61, 5)),
        records.encode(records.BackstopDepositBody(1, 62, 5)),
        records.encode(records.BackstopWithdrawBody(1, 63, 5)),
        records.encode(records.SetAgentBody(1, 64, 2, bytes(20), TOMORROW)),
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
    body = records.encode(records.CancelAllBody(1, 60, agent=3))
    assert world.take(world.traffic.sign(body, agent_key(1, 2))) == "bad_signature"
    body = records.encode(records.CancelAllBody(1, 60))
    assert world.take(world.traffic.sign(body, agent_key(1, 2))) == "bad_signature"
    body = records.encode(records.CancelAllBody(1, 60, agent=2))
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
