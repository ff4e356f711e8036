"""An agent that wants to harm its owner, alone or with the operator: the owner's money and keys stay the owner's."""

import pytest
from tests.support.machines.crowd import crash, crowd
from tests.support.machines.world import BUY, World

from setoff.deploy.simulation.sample_traffic import agent_key
from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.records import CancelAllBody
from setoff.shared.codec.signatures import address_of
from setoff.shared.rules import phases
from setoff.shared.rules.agents import SESSION_BITS
from setoff.shared.rules.nonces import MAX_NONCE_JUMP, NONCE_WINDOW
from setoff.shared.state import keys

OWNER = 1
TOP = 2**64 - 1
FUNDS = 10_000_000
NOBODY = bytes(20)


def with_agent() -> World:
    world = World.trading(funds=FUNDS)
    assert world.set_agent(OWNER, 1, world.traffic.time + 10**6) == "accepted"
    return world


def signed(world: World, nonce: int, agent: int = 1) -> bytes:
    """A record of the agent's that costs it nothing, with a nonce of its choice."""
    return world.traffic.sign(records.encode(CancelAllBody(OWNER, nonce, agent)), agent_key(OWNER, agent))


def flood(world: World, count: int) -> list[bytes]:
    """As many records as it likes, each as far ahead as a nonce may be."""
    top = world.agent(OWNER, 1).nonce_top
    return [signed(world, top + MAX_NONCE_JUMP * number) for number in range(1, count + 1)]


def force(world: World, record: bytes) -> str:
    """What becomes of it as a message of the queue, in the name of the owner."""
    return world.take(world.traffic.force(OWNER, record), is_message=True)


def revoke(world: World) -> bytes:
    return world.traffic.set_agent(OWNER, 1, 0, NOBODY)


def wind_down(world: World) -> None:
    assert world.take(records.encode(records.WindDownBody()), is_message=True) == "accepted"


def test_an_agent_cannot_use_up_the_nonces_of_its_owner() -> None:
    """256 records at the end of the range, which once ended what the owner could sign, for ever."""
    world = with_agent()
    before = world.account(OWNER)
    assert {world.take(signed(world, TOP - i)) for i in range(NONCE_WINDOW)} == {"nonce_too_far"}
    for record in flood(world, NONCE_WINDOW):
        assert world.take(record) == "accepted"
    after = world.account(OWNER)
    assert (after.nonce_top, after.nonce_bitmap) == (before.nonce_top, before.nonce_bitmap)
    assert world.withdraw(OWNER, 1) == "accepted"
    assert force(world, world.traffic.withdraw(OWNER, 1)) == "accepted"
    assert world.transfer(OWNER, 2, 1) == "accepted"
    assert world.take(revoke(world)) == "accepted"
    wind_down(world)
    assert world.withdraw(OWNER, FUNDS - 3) == "accepted"
    assert world.account(OWNER).collateral == 0


def test_an_agent_uses_up_nothing_but_its_own_session() -> None:
    """Every record a full jump: when its count is at the end it is mute, until the owner names it anew."""
    world = with_agent()
    first = 1 << SESSION_BITS
    state = world.machine.state
    state.agent(OWNER, 1).nonce_top = first + 2**SESSION_BITS - 1 - MAX_NONCE_JUMP
    assert world.take(signed(world, first + 2**SESSION_BITS - 1)) == "accepted"
    assert world.take(signed(world, first + 2**SESSION_BITS)) == "nonce_too_far"
    assert world.set_agent(OWNER, 2, world.traffic.time + 10**6) == "accepted"
    assert world.order(OWNER, BUY, 90, 1, agent=2) == "accepted"
    assert world.set_agent(OWNER, 1, world.traffic.time + 10**6) == "accepted"
    assert world.order(OWNER, BUY, 90, 1, agent=1) == "accepted"


@pytest.mark.parametrize("way", ["signed", "signed, from L1", "as sender"])
@pytest.mark.parametrize("is_winding", [False, True], ids=["trading", "winding down"])
def test_the_owner_takes_the_right_away_while_the_agent_floods(way: str, is_winding: bool) -> None:
    world = with_agent()
    if is_winding:
        wind_down(world)
    records_of_the_agent = flood(world, 100)
    for record in records_of_the_agent[:50]:
        assert world.take(record) == "accepted"
    revocation = revoke(world)
    outcome = force(world, revocation) if way == "as sender" else world.take(revocation, way != "signed")
    assert outcome == "accepted"
    assert {world.take(record) for record in records_of_the_agent[50:]} == {"bad_signature"}
    assert {world.take(record, is_message=True) for record in records_of_the_agent} == {"bad_signature"}
    sender = records.encode(records.ForcedBody(address_of(agent_key(OWNER, 1)), records_of_the_agent[60][:60]))
    assert world.take(sender, is_message=True) == "bad_signature"


def test_a_revocation_that_finds_the_machine_at_work_is_passed_by_no_record_of_the_agent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = crowd()
    assert world.set_agent(OWNER, 1, world.traffic.time + 10**6) == "accepted"
    records_of_the_agent = flood(world, 40)
    monkeypatch.setattr(phases, "WORK_LIMIT", 20)
    world.take(crash(world))
    assert world.machine.regs.has_work == 1
    assert force(world, revoke(world)) == "parked"
    late = iter(records_of_the_agent)
    while world.machine.is_busy:
        # Every other input is the agent's, which the operator would like to take first, or which comes from L1 itself.
        assert world.take(next(late)) == "busy"
        is_first = world.machine.regs.parked_first == 0
        outcome = world.take(next(late), is_message=True)
        # Once it lets the revocation go, which has waited before it.
        assert outcome in ("parked", "bad_signature") or (is_first and outcome == "accepted")
        world.crank(0)
    assert world.agent(OWNER, 1).address == NOBODY
    assert {world.take(record) for record in late} == {"bad_signature"}
    assert world.account(OWNER).orders == 0


def test_an_operator_that_holds_back_a_naming_does_not_bring_the_agent_back() -> None:
    """The owner never heard of it again, took the right away, and did not use that nonce for anything else."""
    world = with_agent()
    held_back = [world.traffic.set_agent(OWNER, 1, world.traffic.time + 10**6) for _ in range(3)]
    assert force(world, revoke(world)) == "accepted"
    assert {world.take(record) for record in held_back} == {"wrong_session"}
    assert world.agent(OWNER, 1).address == NOBODY


def test_what_was_signed_for_an_agent_s_last_session_is_worth_nothing_in_the_next() -> None:
    """The operator kept every record of the key that it was sent, and the owner names the same key again."""
    world = with_agent()
    kept = flood(world, 200)
    used = kept[:20]
    for record in used:
        assert world.take(record) == "accepted"
    assert world.take(revoke(world)) == "accepted"
    assert world.set_agent(OWNER, 1, world.traffic.time + 10**6) == "accepted"
    assert {world.take(record) for record in kept} <= {"nonce_used", "nonce_too_old"}
    assert world.order(OWNER, BUY, 90, 1, agent=1) == "accepted"


def test_an_account_keeps_eight_agents_at_most_and_nothing_of_those_it_had() -> None:
    """What others have to keep for an account is bounded, however often agents are named."""
    world = World.trading(funds=FUNDS)
    world.machine.state.commit()
    before = len(list(world.machine.state.tree.items()))
    for _ in range(3):
        for number in range(1, keys.MAX_AGENT + 1):
            assert world.set_agent(OWNER, number, TOP) == "accepted"
    world.machine.state.commit()
    assert len(list(world.machine.state.tree.items())) == before + keys.MAX_AGENT
    for number in range(1, keys.MAX_AGENT + 1):
        assert world.set_agent(OWNER, number, TOP, NOBODY) == "accepted"
    world.machine.state.commit()
    assert len(list(world.machine.state.tree.items())) == before
    assert errors.OUTCOMES[world.machine.take(signed(world, TOP, 8), is_message=False)] == "bad_signature"
