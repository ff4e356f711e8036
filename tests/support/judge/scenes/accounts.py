"""Sub-accounts, agents, and records of their senders."""

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.world import BUY, GTC, SELL

from setoff.deploy.simulation.sample_traffic import agent_key, trader_key
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import Leg
from setoff.shared.codec.signatures import HALF_ORDER, address_of
from setoff.shared.rules import phases
from setoff.shared.rules.agents import SESSION_BITS
from setoff.shared.rules.nonces import MAX_NONCE_JUMP
from setoff.shared.state import keys
from setoff.shared.wire.scopes import Scope


def play_deposits(world: JudgedWorld) -> None:
    """Money for no account, or none, or too much of it."""
    world.begin()
    wrong = [world.deposit(0, 1), world.deposit(1, 0), world.deposit(1, phases.MAX_AMOUNT)]
    assert world.batch(wrong) == ["unknown_account", "amount_out_of_range", "amount_out_of_range"]


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
        world.transfer(1, 99, 1),
    ]
    assert world.run(*moves) == [OK] * 4 + ["sub_account"] * 2 + ["unknown_account"]
    assert world.account(two).collateral == 50


def play_agents(world: JudgedWorld) -> None:
    """An agent is named and taken away again; there are eight, of a master account."""
    world.begin()
    for record in (world.set_agent(1, 3, world.time + 9), world.set_agent(1, 3, world.time + 9, bytes(20))):
        assert world.run(record) == [OK]
    assert world.machine.state.tree.get(keys.agent_key(1, 3)) == b""
    beyond = world.set_agent(1, keys.MAX_AGENT + 1, world.time + 9)
    of_a_sub_account = world.set_agent(keys.sub_account(1, 1), 1, world.time + 9)
    assert world.run(beyond, of_a_sub_account) == ["malformed_record", "sub_account"]


def play_sessions(world: JudgedWorld) -> None:
    """Agents come and go in the order of their sessions, and count within them."""
    world.begin()
    until = world.time + 100
    changes = [
        world.set_agent(1, 1, until, session=MAX_NONCE_JUMP + 1),
        world.set_agent(1, 1, until, session=MAX_NONCE_JUMP),
        world.set_agent(1, 2, until, session=MAX_NONCE_JUMP),
        world.set_agent(1, 2, until, bytes(20), session=MAX_NONCE_JUMP),
        world.set_agent(1, 1, until, bytes(20), session=MAX_NONCE_JUMP - 1),
        world.set_agent(1, 1, until, session=MAX_NONCE_JUMP + 3),
    ]
    wrong = "wrong_session"
    assert world.run(*changes) == [wrong, OK, wrong, OK, wrong, OK]
    first, far = MAX_NONCE_JUMP + 3 << SESSION_BITS, MAX_NONCE_JUMP
    counts = (0, -255, -256, 1 << SESSION_BITS, far + 1, far, far - 254, far - 255, far - 256, far - 254)
    unknown, used, old = "unknown_order", "nonce_used", "nonce_too_old"
    assert world.run(*(world.cancel(1, 9, first + count, agent=1) for count in counts)) == [
        used, used, old, "nonce_too_far", "nonce_too_far", *[unknown] * 3, old, used,
    ]  # fmt: skip
    # At its session's end the next one's numbers are not so far, and none of its all the same.
    world.machine.state.agent(1, 1).nonce_top = first + 2**SESSION_BITS - 2
    world.machine.state.commit()
    counts = (2**SESSION_BITS - 1, 2**SESSION_BITS, 2**SESSION_BITS + 1)
    assert world.run(*(world.cancel(1, 9, first + count, agent=1) for count in counts)) == [
        unknown, "nonce_too_far", "nonce_too_far",
    ]  # fmt: skip
    top = world.account(1).nonce_top
    counts = (MAX_NONCE_JUMP + 1, MAX_NONCE_JUMP, MAX_NONCE_JUMP - 255, MAX_NONCE_JUMP - 256)
    assert world.run(*(world.cancel(1, 9, top + count) for count in counts)) == ["nonce_too_far", unknown, unknown, old]


def play_scopes(world: JudgedWorld) -> None:
    """Agents for some of everything, at the edge of what they may and beyond it."""
    world.begin(markets=2, money=10**6)
    one, two, until = keys.sub_account(1, 1), keys.sub_account(1, 15), world.time + 100
    named = [
        world.set_agent(1, 1, until, scope=Scope(subs=(1,))),
        world.set_agent(1, 2, until, scope=Scope(markets=(2,))),
        world.set_agent(1, 3, until, scope=Scope(kinds=("Cancel", "Bulk"))),
        world.set_agent(1, 4, until, scope=Scope((0, 15), ("Order", "Amend"), (9, 1, 255, 3, 4, 5, 6, 2))),
    ]
    assert world.run(*named, *(world.transfer(1, sub, 10**5) for sub in (one, two))) == [OK] * 6
    out, way = "out_of_scope", records.CANCEL_TAKER
    by_sub = [
        world.order(one, BUY, 90, 1, agent=1),
        world.order(one, BUY, 90, 1, flags=records.CANCEL_BOTH, agent=1),
        world.order(two, BUY, 90, 1, flags=way, agent=1),
        world.order(one, BUY, 90, 1, flags=way, agent=1),
        world.order(one, BUY, 90, 1, order_slot=1),
        world.amend(one, 1, 91, 1, agent=1),
        world.amend(one, 0, 91, 1, agent=1),
        world.cancel_all(1, agent=1),
        world.cancel_all(one, agent=1),
    ]
    assert world.run(*by_sub) == [out, out, out, OK, OK, out, OK, out, OK]
    by_market = [
        world.order(1, BUY, 90, 1, agent=2),
        world.order(1, BUY, 90, 1, market=2, agent=2),
        world.order(1, BUY, 90, 1, order_slot=1),
        world.amend(1, 1, 90, 1, agent=2),
        world.cancel(1, 1, agent=2),
        world.cancel_all(1, agent=2),
        world.schedule_cancel(1, 0, agent=2),
        world.amend(1, 0, 91, 1, agent=2),
        world.cancel(1, 0, agent=2),
    ]
    assert world.run(*by_market) == [out, OK, OK, out, out, out, out, OK, OK]
    limited = [
        world.set_agent(1, 5, until, scope=Scope(closes_only=True, max_size=2)),
        world.set_agent(1, 6, until, scope=Scope(subs=(1,), max_size=1025)),
        world.order(2, SELL, 100, 9, order_slot=8),
        world.order(1, BUY, 100, 9, order_slot=8),
        world.order(1, SELL, 100, 2, order_slot=8, agent=5),
        world.order(1, SELL, 100, 3, order_slot=8, flags=records.REDUCE_ONLY, agent=5),
        world.order(1, SELL, 100, 2, order_slot=8, flags=records.REDUCE_ONLY, agent=5),
        world.order(1, SELL, 100, 2, order_slot=9),
        world.amend(1, 8, 100, 3, agent=5),
        world.amend(1, 8, 101, 2, agent=5),
        world.amend(1, 9, 101, 2, agent=5),
        world.order(one, BUY, 90, 1025, order_slot=9, flags=way, agent=6),
        world.order(one, BUY, 90, 1024, order_slot=9, flags=way, agent=6),
        world.order(one, BUY, 90, 1024, order_slot=9, agent=6),
    ]
    assert world.run(*limited) == [OK, OK, OK, OK, out, out, OK, OK, out, OK, out, out, OK, out]
    legs = [Leg(flags, 1, n, 105, size) for n, (flags, size) in enumerate(((32, 2), (36, 3), (36, 2), (64, 0)), 20)]
    assert world.run(*world.bulk(1, legs, agent=5)) == [OK, OK]
    assert [world.resting(1, 20 + n).size for n in range(3)] == [0, 0, 2]
    cancels = [world.cancel(1, order_slot, agent=5) for order_slot in (8, 9, 22)]
    assert world.run(*cancels, world.cancel_all(one, agent=6)) == [OK] * 4
    by_kind = [
        world.order(1, BUY, 90, 1, agent=3),
        world.cancel(1, 1, agent=3),
        world.order(two, BUY, 90, 1, market=2, flags=way, agent=4),
        world.cancel(two, 0, agent=4),
        world.order(1, BUY, 90, 1, order_slot=2, flags=way, agent=4),
    ]
    assert world.run(*by_kind) == [out, OK, OK, out, OK]
    legs = [Leg(0, 1, 5, 90, 1), Leg(0, 2, 6, 90, 1), Leg(records.CANCEL_LEG, 2, 2), Leg(records.CANCEL_LEG, 1, 6)]
    assert world.run(*world.bulk(1, legs, agent=2), *world.bulk(1, legs, agent=1)) == [OK, OK, out, "wrong_leg_page"]
    legs = [Leg(0, 1, 5, 90, 1), Leg(way, 1, 6, 90, 1)]
    assert world.run(*world.bulk(one, legs, agent=1)) == [OK, OK]
    assert [bool(world.resting(one, slot).market) for slot in (5, 6)] == [False, True]
    # The owner's bulk after an agent's; an agent's page at the very second at which it ends, and one before.
    assert world.run(*world.bulk(1, [Leg(0, 1, 5, 90, 1)])) == [OK, OK]
    (early, page), (late, last) = (world.bulk(1, [Leg(0, 2, slot, 90, 1)], agent=2) for slot in (7, 8))
    world.wait(99)
    assert world.run(early) == [OK]
    assert world.run(page, late) == [OK, OK]
    world.wait(1)
    assert world.run(last, last) == ["agent_expired", "wrong_leg_page"]
    strange = records.SetAgentBody(1, world.next_nonce(1), 1, bytes(20), 0, 9, 0, records.AGENT_KINDS | 1)
    assert world.run(world.sign_for(1, 0, records.encode(strange))) == ["malformed_record"]


def play_forced(world: JudgedWorld) -> None:
    """Records of their senders: of the owner, of an agent, of a stranger, of nobody, and what nobody can send."""
    world.begin(money=1_000)
    hand = address_of(agent_key(1, 1))
    name, gone = world.set_agent(1, 1, world.time + 10), world.set_agent(1, 2, world.time + 10, bytes(20))
    by_agent, by_nobody = world.cancel_all(1, agent=1), world.cancel_all(1, agent=2)
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
    late = world.cancel_all(1, agent=1)[: records.BODY_BYTES]
    messages = [records.encode(records.ForcedBody(by, body)) for by, body in ((hand, late), (owner, bulk))]
    assert world.batch([*messages, leg_page]) == ["agent_expired", *["malformed_record"] * 2]


def play_signatures(world: JudgedWorld) -> None:
    """What is no signature: a part of it missing, or beyond its bound."""
    world.begin()
    record = world.cancel_all(1)
    body, r, s = record[:60], record[60:92], record[92:]
    above = (HALF_ORDER + 1).to_bytes(32, "big")
    assert world.run(*(body + end for end in (r + bytes(32), r + above, bytes(32) + s, r + s))) == [
        *["bad_signature"] * 3,
        OK,
    ]


SCENES = (
    play_deposits,
    play_sub_accounts,
    play_agents,
    play_sessions,
    play_scopes,
    play_forced,
    play_signatures,
)
