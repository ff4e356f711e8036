"""The machine's own work and the bounds of a slot and a batch: what waits, and what goes on."""

from tests.support.judge.bench import leave_alone
from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.world import BUY

from setoff.deploy.simulation.sample_traffic import trader_key
from setoff.shared.codec import records
from setoff.shared.codec.records import Leg, stamp_message
from setoff.shared.codec.signatures import address_of
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases


def play_empty_batches(world: JudgedWorld) -> None:
    """A batch without inputs still begins: its time and number are set."""
    world.begin()
    world.time += 9
    before = world.machine.regs.batch
    assert world.batch() == []
    regs = world.machine.regs
    assert (regs.time, regs.batch, regs.steps) == (world.time, before + 1, 0)


def play_limits(world: JudgedWorld) -> None:
    """The most steps of a batch: set in the registers, as no test gets that far."""
    world.begin(money=10**6)

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if input_index == 1 and micro == 0:
            machine.regs.steps = phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND - 1
        if input_index == 2 and micro == 0:
            machine.regs.steps = phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND

    world.bench.meddle = meddle
    trades = [world.order(3, BUY, 90, 5, order_slot=slot) for slot in (5, 0, 1)]
    assert world.run(*trades) == [OK, OK, "step_cap"]
    world.bench.meddle = leave_alone
    assert world.batch([world.order(3, BUY, 90, 5, order_slot=2)], []) == [OK]


def play_forced_limits(world: JudgedWorld) -> None:
    """A batch that has used up its steps parks forced records, also cranks of a market; deposits go on."""
    world.begin(money=10**6)

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if input_index == 1 and micro == 0:
            machine.regs.steps = phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND

    world.bench.meddle = meddle
    owner, late = address_of(trader_key(2)), world.withdraw(2, 1)
    as_sender = records.encode(records.ForcedBody(owner, late[: records.BODY_BYTES]))
    crank = records.encode_crank(1)
    messages = [world.deposit(3, 1), late, as_sender, records.encode_crank(0), crank, world.deposit(3, 1)]
    assert world.batch(messages, [crank]) == [OK, "parked", "parked", "step_cap", "parked", OK, "step_cap"]
    world.bench.meddle = leave_alone
    other = world.withdraw(3, 2)
    assert world.batch([crank], [other, crank, crank, other]) == [OK, "busy", "nonce_used", OK, OK]


def play_parked(world: JudgedWorld) -> None:
    """Records of the queue that find the machine at work: each in its turn, in an input, and nothing before them."""
    world.begin(money=1_100)
    world.trade(1, 2, 100, 100)

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if micro and machine.regs.phase == phases.WORK:
            machine.regs.steps = machine.regs.started + phases.WORK_LIMIT - 1

    world.bench.meddle = meddle
    assert world.run(world.price(80), records.encode_crank(1)) == [OK, OK]
    owner = address_of(trader_key(3))

    def named(record: bytes) -> bytes:
        return records.encode(records.ForcedBody(owner, record[: records.BODY_BYTES]))

    agent = world.set_agent(3, 1, 2**40)
    hand = world.order(3, BUY, 70, 1, order_slot=7, agent=1)
    last = [
        world.price(79),
        named(world.cancel_all(4)),
        named(world.withdraw(3, 1)),
        *world.bulk(3, [Leg(0, 1, 5, 71, 1)]),
    ]
    late = [named(agent), hand, world.order(3, BUY, 71, 1), *last]
    late = [stamp_message(body, world.time - 3 - number) for number, body in enumerate(late)]  # which are kept
    assert world.batch(late[:2], [world.order(3, BUY, 60, 1)]) == ["parked", "parked", "busy"]
    world.bench.meddle = leave_alone
    # The rest of the work; then each new one lets one go that has waited, and the last waits behind all of them.
    assert world.batch(late[2:3], []) == ["parked"]
    assert world.machine.regs.has_work == 0
    assert world.batch(late[3:], []) == [OK, OK, OK, "malformed_record", "malformed_record"]
    assert world.machine.regs.parked_end - world.machine.regs.parked_first == 3
    crank, cancel = records.encode_crank(1), world.cancel(3, 7)
    assert world.batch([crank], [cancel, crank, crank, cancel]) == [OK, "busy", "bad_signature", OK, OK]


def play_long_work(world: JudgedWorld) -> None:
    """Work that an input has no steps left for goes on in the next ones; messages come in between, records do not."""
    world.begin(money=1_100)
    world.trade(1, 2, 100, 100)

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if micro and machine.regs.phase == phases.WORK and input_index < 3:
            machine.regs.steps = machine.regs.started + phases.WORK_LIMIT - 1

    world.bench.meddle = meddle
    more = [world.deposit(5, 1), world.deposit(1, 5)]
    busy = [world.price(80), records.encode_crank(1), world.order(3, BUY, 90, 5)]
    assert world.run(*busy) == [OK, OK, "busy"]
    world.bench.meddle = leave_alone
    assert world.batch(more, [records.encode_crank(200), world.order(3, BUY, 80, 5)]) == [OK, OK, OK, OK]
    assert world.took("deleverage") == 1 and world.position(2).size == 0


SCENES = (
    play_empty_batches,
    play_limits,
    play_forced_limits,
    play_parked,
    play_long_work,
)
