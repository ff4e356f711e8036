"""Stray bits and unknown types: every byte of an input that nothing uses, set; and what no input is."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.judge.scenes.boundaries import CRANK, vary
from tests.support.machines.world import BUY, FOK, REDUCE_ONLY

from setoff.deploy.simulation.sample_traffic import trader_key
from setoff.shared.codec import records
from setoff.shared.codec.records import BODY_BYTES, RECORD_BYTES, Leg
from setoff.shared.codec.signatures import address_of
from setoff.shared.rules import phases
from setoff.shared.state.keys import MAX_TICK


def set_bit(data: bytes, at: int, bit: int = 1) -> bytes:
    """The same with a bit more."""
    return data[:at] + bytes([data[at] | bit]) + data[at + 1 :]


def list_noisy(data: bytes) -> Iterator[bytes]:
    """The body of a record, or a message, with a bit in the first and the last of its unused bytes."""
    size = records.TYPES[data[0]].size
    end = RECORD_BYTES if data[0] >= records.FIRST_MESSAGE else BODY_BYTES
    for at in sorted({size, end - 1} & set(range(size, end))):
        yield set_bit(data, at)
        yield set_bit(data, at, 0x80)


def play_noisy_records(world: JudgedWorld) -> None:
    """A record of every type with a stray bit, signed as it is; what is not signed may say anything behind its body."""
    world.begin(money=10**6)
    until = world.time + 100
    good = [
        world.order(1, BUY, 90, 1),
        world.cancel(1, 0),
        world.cancel_all(1),
        world.amend(1, 0, 90, 1),
        world.schedule_cancel(1, until),
        world.transfer(1, 2, 1),
        world.withdraw(1, 1),
        world.set_agent(1, 1, until),
        world.backstop_deposit(1, 1),
        world.backstop_withdraw(1, 1),
        world.bulk(1, [Leg(0, 1, 1, 90, 1)])[0],
    ]
    noisy = [world.sign(body, trader_key(1)) for record in good for body in list_noisy(record[:BODY_BYTES])]
    assert set(world.run(*noisy)) == {"malformed_record"}
    report = world.price(100)
    assert set(world.run(*(body + report[BODY_BYTES:] for body in list_noisy(report[:BODY_BYTES])))) == {
        "malformed_record"
    }
    world.wait(60)
    cranks = [set_bit(CRANK, at, bit) for at in (3, 59, 60, 123) for bit in (1, 0x80)]
    wrong, late = "malformed_record", "not_due"
    assert world.run(*cranks) == [OK, late, wrong, wrong, *[late] * 4]
    page = world.bulk(2, [Leg(0, 1, 1, 90, 1)])
    assert world.run(page[0], *(set_bit(page[1], at) for at in (1, 12, 100, 121, 123))) == [OK, *["wrong_leg_page"] * 5]


def play_unknown_types(world: JudgedWorld) -> None:
    """Every type that there is not, and every message among the records, also where it has work, or no steps."""
    world.begin()
    unknown = [bytes([kind]) + bytes(RECORD_BYTES - 1) for kind in (0, records.UNUSED, 0x7F, 0x80, 0x88, 0xFF)]
    unknown += [world.deposit(1, 5), world.set_signer(0), records.encode(records.WindDownBody())]
    assert set(world.run(*unknown)) == {"malformed_record"}
    inputs = [*unknown, CRANK, world.cancel(1, 3), world.deposit(1, 5)]
    full = phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND - 1
    for index in range(1, len(inputs)):
        vary(world, inputs, {"registers.has_work": 1, "registers.next_phase": phases.WORK}, index)
        for more in (-1, 0, 1, 2):
            vary(world, inputs, {"registers.steps": full + more}, index)
    assert len(world.run(*inputs)) == len(inputs)


def play_flags(world: JudgedWorld) -> None:
    """Flags that name two rules for one thing, or none that there is; each with a trigger and without."""
    world.begin(money=10**6)
    two = [(flags, trigger) for flags in (records.SELF_TRADE, records.ARMED, 127, 128, 255) for trigger in (0, 95)]
    two += [
        (records.ABOVE | records.SELF_TRADE, 95),
        (records.ABOVE, 0),
        (records.BELOW, 0),
        (0, 95),
        (REDUCE_ONLY, 95),
    ]
    two += [(records.ABOVE | FOK, 95), (records.BELOW | FOK, 95), (records.ABOVE, MAX_TICK + 1)]
    orders = [world.order(1, BUY, 90, 1, flags=flags, trigger=trigger) for flags, trigger in two]
    assert set(world.run(*orders)) == {"malformed_record"}
    one = [(8, 0), (16, 0), (records.ABOVE, 150), (records.BELOW | 16, 95), (records.ABOVE, MAX_TICK)]
    orders = [
        world.order(1, BUY, 90, 1, order_slot=slot, flags=flags, trigger=trigger)
        for slot, (flags, trigger) in enumerate(one)
    ]
    assert set(world.run(*orders)) == {OK}


def play_noisy_messages(world: JudgedWorld) -> None:
    """A message of every type with a stray bit; forced ones with one in the record, or of another type."""
    world.begin(money=10**6)
    owner = address_of(trader_key(1))
    order = world.order(1, BUY, 90, 1)[:BODY_BYTES]
    terms = world.set_terms()
    messages = [world.deposit(1, 5), world.list_market(2), world.set_market(1), world.set_signer(1), terms]
    messages += [records.encode(records.ForcedBody(owner, order)), records.encode(records.WindDownBody())]
    noisy = [body for message in messages for body in list_noisy(message)]
    assert set(world.batch(noisy)) == {"malformed_record"}
    bodies = [
        *list_noisy(order),
        *(bytes([kind]) + order[1:] for kind in (0, 5, 10, 11, 12, 15, 0x7F, 0x80, 0x81, 0x85)),
    ]
    inner = [records.encode(records.ForcedBody(owner, body)) for body in bodies]
    inner += [records.encode(records.ForcedBody(bytes(20), order)), records.encode(records.ForcedBody(owner, order))]
    outcomes = world.batch(inner)
    assert outcomes == ["malformed_record"] * len(bodies) + ["bad_signature", OK]
    # What the queue takes as it is: a record, a crank, and what no message is.
    plain = [
        world.cancel(1, 0),
        CRANK,
        *world.bulk(1, [Leg(0, 1, 1, 90, 1)]),
        bytes(RECORD_BYTES),
        b"\x7f" * RECORD_BYTES,
    ]
    assert world.batch(plain) == [OK, OK, *["malformed_record"] * 4]
    # The same where they have to wait: what has no form is not parked.
    forced = [*plain, *inner[:2], *noisy[-2:], world.withdraw(1, 3)]
    for index in range(len(forced)):
        work = {"registers.has_work": 1, "registers.next_phase": phases.WORK}
        vary(world, forced, work if index else {"registers.parked_end": 0}, index)
        vary(world, forced, {"registers.steps": phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND}, index)
    world.batch(forced)


SCENES = (play_noisy_records, play_unknown_types, play_flags, play_noisy_messages)
