"""Sub-accounts, agents, and records of their senders."""

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.world import BUY, GTC

from setoff.deploy.simulation.sample_traffic import agent_key, trader_key
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import Leg
from setoff.shared.codec.signatures import address_of
from setoff.shared.state import keys


def play_sub_accounts(world: JudgedWorld) -> None:
    """Money goes between a master and its sub-accounts every way; nobody else sends to a sub-account."""
    world.begin()
    one, two = keys.sub_account(1, 1), keys.sub_account(1, 3)
    moves = [
        world.transfer(1, two, 100),
        world.transfer(two, one, 50),
        world.transfer(one, 1, 20),
        world.transfer(one, 2, 10),
        world.transfer(2, one, 10),
        world.withdraw(one, 1),
    ]
    assert world.run(*moves) == [OK] * 4 + ["sub_account"] * 2
    assert world.account(two).collateral == 50


def play_agents(world: JudgedWorld) -> None:
    """An agent is named and taken away again."""
    world.begin()
    change = records.SetAgentBody(1, world.next_nonce(1), 3, bytes(range(20)), world.time + 9)
    gone = records.SetAgentBody(1, world.next_nonce(1), 3, bytes(20), 0)
    for body in (change, gone):
        assert world.run(world.sign_for(1, 0, records.encode(body))) == [OK]
    assert world.machine.state.tree.get(keys.agent_key(1, 3)) == b""


def play_forced(world: JudgedWorld) -> None:
    """Records of their senders: of the owner, of an agent, of a stranger, of nobody, and what nobody can send."""
    world.begin(money=1_000)
    hand = address_of(agent_key(1, 1))
    name = records.encode(records.SetAgentBody(1, world.next_nonce(1), 1, hand, world.time + 10))
    gone = records.encode(records.SetAgentBody(1, world.next_nonce(1), 2, bytes(20), world.time + 10))
    by_agent = records.encode(records.CancelAllBody(1, world.next_nonce(1), 1))
    by_nobody = records.encode(records.CancelAllBody(1, world.next_nonce(1), 2))
    order = world.order(1, BUY, 100, 5)[: records.BODY_BYTES]
    owner = address_of(trader_key(1))
    forced = [(owner, name), (owner, gone), (hand, by_agent), (owner, by_agent), (bytes(20), by_nobody)]
    forced += [(owner, order), (owner, order), (owner, world.withdraw(1, 10)), (address_of(trader_key(2)), order)]
    forced += [(owner, records.encode_crank(1)), (owner, records.encode(records.DepositBody(1, owner, 1)))]
    forced += [(owner, records.encode_leg_page([])), (owner, order[:59] + b"\1"), (owner, world.price(7))]
    messages = [records.encode(records.ForcedBody(by, body[: records.BODY_BYTES])) for by, body in forced]
    refused = ["bad_signature"] * 2 + [OK, "nonce_used", OK, "bad_signature"] + ["malformed_record"] * 5
    assert world.batch([*messages, records.encode_crank(1)], messages[:1]) == [
        OK, OK, OK, *refused, OK, "malformed_record",
    ]  # fmt: skip
    # The time for which an agent acts; a bulk and its page do not come through the queue.
    world.wait(10)
    leg_page = records.encode_leg_page([Leg(GTC, 1, 7, 90, 1)])
    bulk = records.encode(records.BulkBody(1, world.next_nonce(1), keccak(leg_page)))
    late = records.encode(records.CancelAllBody(1, world.next_nonce(1), 1))
    messages = [records.encode(records.ForcedBody(by, body)) for by, body in ((hand, late), (owner, bulk))]
    assert world.batch([*messages, leg_page]) == ["agent_expired", *["malformed_record"] * 2]


SCENES = (
    play_sub_accounts,
    play_agents,
    play_forced,
)
