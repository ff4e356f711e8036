"""The end of an exchange: whatever state it comes in, every market settles and everybody takes out what is theirs."""

from collections.abc import Iterator

import pytest
from tests.support.generator.generator import Generator
from tests.support.generator.players import ADDRESSES, LONER, SUBS, TRADERS
from tests.support.judge.bench import Bench
from tests.support.machines.conservation import check_conservation
from tests.support.machines.invariants import check_invariants
from tests.support.machines.world import BELOW, BUY, SELL, World, sub

from setoff.deploy.simulation.sample_traffic import trader_key
from setoff.shared import errors
from setoff.shared.codec import records, signatures
from setoff.shared.codec.records import BackstopWithdrawBody, ForcedBody, TransferBody, WithdrawBody
from setoff.shared.rules import phases
from setoff.shared.rules.nonces import NONCE_WINDOW
from setoff.shared.rules.shares import get_shares
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account

OWNER = {account: signatures.address_of(trader_key(account)) for account in range(1, 5)}


def force(world: World, sender: bytes, body: bytes) -> str:
    """The outcome of a body in the name of `sender`."""
    return world.take(records.encode(ForcedBody(sender, body[: records.BODY_BYTES])), is_message=True)


def free_nonces(account: Account) -> Iterator[int]:
    """Nonces that an account may still use: all above its highest; at the very end those left in its window."""
    top, used = account.nonce_top, account.nonce_bitmap
    yield from range(top + 1, 2**64)
    yield from (top - age for age in reversed(range(NONCE_WINDOW)) if not used >> age & 1)


def wind_down(world: World) -> None:
    assert world.take(records.encode(records.WindDownBody()), is_message=True) == "accepted"


# --- forced records --------------------------------------------------------------------------------------------------


def test_a_sender_stands_for_its_signature_and_for_nobody_elses() -> None:
    world = World.trading()
    body = world.traffic.withdraw(1, 100)
    for sender in (OWNER[2], bytes(20), b"\xff" * 20):
        assert force(world, sender, body) == "bad_signature"
    assert force(world, OWNER[1], body) == "accepted"
    assert world.withdrawal(0).owner == OWNER[1]
    # One nonce, whichever way it comes.
    assert world.take(body) == "nonce_used"
    assert force(world, OWNER[1], body) == "nonce_used"


def test_an_owner_of_nobody_is_not_the_zero_sender() -> None:
    """An agent's place that was emptied has address zero and may have an expiry to come."""
    world = World.trading()
    assert world.set_agent(1, 1, world.traffic.time + 1000, bytes(20)) == "accepted"
    body = records.encode(records.CancelAllBody(1, 99, 1))
    assert force(world, bytes(20), body) == "bad_signature"


def test_what_nobody_signs_cannot_be_sent_in_a_name() -> None:
    world = World.trading()
    deposit = world.traffic.deposit(1, 10**9)
    forced = records.encode(ForcedBody(OWNER[1], world.traffic.cancel_all(1)[:60]))
    for body in (world.traffic.crank(1), world.traffic.report(0, 50), records.encode_leg_page([]), deposit, forced):
        assert force(world, OWNER[1], body) == "malformed_record"
    assert force(world, OWNER[1], bytes(60)) == "malformed_record"
    assert force(world, OWNER[1], b"\xff" * 60) == "malformed_record"
    assert force(world, OWNER[1], world.traffic.cancel_all(1)[:59] + b"\1") == "malformed_record"
    owed = world.machine.regs.owed
    # In a record's place it is no message.
    assert world.take(forced) == "malformed_record"
    assert world.machine.regs.owed == owed


def test_the_message_is_of_the_queue_alone() -> None:
    world = World.trading()
    assert world.take(records.encode(records.WindDownBody())) == "malformed_record"
    assert world.take(records.encode(records.WindDownBody())[:-1] + b"\1", is_message=True) == "malformed_record"
    assert world.machine.regs.winding_since == 0


# --- the end ---------------------------------------------------------------------------------------------------------


def test_nothing_opens_and_money_moves() -> None:
    world = World.trading()
    assert world.backstop_deposit(3, 1000) == "accepted"
    assert world.order(1, BUY, 90, 5, order_slot=0) == "accepted"
    wind_down(world)
    assert world.take(records.encode(records.WindDownBody()), is_message=True) == "winding_down"
    assert world.order(1, BUY, 100, 1, order_slot=7) == "winding_down"
    assert world.order(1, SELL, 100, 1, order_slot=7, flags=BELOW, trigger=50) == "winding_down"
    assert world.amend(1, 0, 90, 1) == "winding_down"
    assert world.backstop_deposit(3, 1000) == "winding_down"
    assert world.report(0, 101) == "winding_down"
    assert force(world, OWNER[1], world.traffic.order(1, BUY, 100, 1)) == "winding_down"
    assert world.cancel(1, 0) == "accepted"
    assert world.set_agent(1, 1, world.traffic.time + 10) == "accepted"
    assert world.transfer(1, sub(1), 10) == "accepted"
    assert world.backstop_withdraw(3, 1000 << 10) == "accepted"
    assert world.withdraw(1, 10) == "accepted"
    assert world.deposit(2, 5) == "accepted"


def test_an_account_above_zero_keeps_what_it_has_below_its_margin() -> None:
    """Its position closes at the mark; a liquidation would have given its equity to the backstop."""
    world = World.trading(funds=2_000, taker_fee=0, maker_fee=0)
    assert world.order(1, BUY, 100, 15) == "accepted"
    assert world.order(2, SELL, 100, 15) == "accepted"
    wind_down(world)
    # The last index says 88, which the mark does not know yet: 200 of 2,000 are left, of 660 that are asked for.
    world.machine.state.market(1).index = 88
    world.wait(60)
    assert world.crank() == "accepted"
    assert (world.market().mark, world.market().settled, world.position(1).size) == (88, 0, 15)
    world.wait(60)
    assert world.crank() == "accepted"
    assert world.account(1).collateral == 200
    assert world.account(2).collateral == 3_800


def test_a_debt_falls_to_insurance_and_to_the_other_side_before_the_settlement() -> None:
    world = World.trading(funds=2_000, taker_fee=0, maker_fee=0)
    assert world.order(1, BUY, 100, 15) == "accepted"
    assert world.order(2, SELL, 100, 15) == "accepted"
    wind_down(world)
    world.machine.state.market(1).index = 80
    world.wait(60)
    assert world.crank() == "accepted"
    world.wait(60)
    assert world.market().settled or world.crank() == "accepted"
    assert world.account(1).collateral >= 0
    assert world.account(1).collateral + world.account(2).collateral == 4_000


def test_a_dated_future_ends_at_the_mean_it_has_and_a_market_without_a_price_needs_no_end() -> None:
    world = World.trading(expiry=World().traffic.time + 1000)
    world.set_mark(110, seconds=30)
    world.set_mark(121, seconds=50)
    assert world.list_market(2) == "accepted"
    wind_down(world)
    world.wait(60)
    assert world.crank() == "accepted"
    assert world.market().index == (30 * 100 + 50 * 110 + 60 * 121) // 140
    assert world.crank(2) == "not_due"
    world.wait(60)
    world.crank()
    assert world.market().settled == 1
    assert world.withdraw(1, 1_000_000) == "accepted"


@pytest.mark.parametrize("seed", range(6))
def test_everybody_is_paid_to_the_unit_after_random_trading(seed: int) -> None:
    bench = Bench(None, choose=lambda kind: False)
    generator = Generator(seed, bench.machine)
    deposited = 0

    def run(time: int, messages: list[bytes], inputs: list[bytes]) -> list[str]:
        nonlocal deposited
        outcomes = []
        for step in bench.run(time, messages, inputs):
            check_conservation(step)
            deposited += max(0, step.after.owed - step.before.owed)
            if step.after.phase == phases.IDLE and step.kind not in ("idle", "unused input"):
                outcomes.append(errors.OUTCOMES[step.after.outcome])
        return outcomes

    def forced(account: int, body: bytes) -> bytes:
        owner = ADDRESSES[TRADERS[keys.get_master(account)]]
        return records.encode(ForcedBody(owner, body))

    run(*generator.opening())
    for number in range(40):
        run(*(generator.crisis() if number % 3 == 2 else generator.batch()))
    machine = bench.machine
    machine.regs.winding_since = 0  # noise may have begun it
    assert "accepted" in run(generator.time, [records.encode(records.WindDownBody())], [])
    markets = range(1, machine.regs.markets + 1)
    cranks = [records.encode_crank(market) for market in markets]
    for _ in range(2):
        generator.time += 60
        run(generator.time, cranks, [])
    check_invariants(machine, deposited)
    state = machine.state
    assert all(state.market(market).settled or state.market(market).index == 0 for market in markets)

    # Messages alone: out of the backstop, sub-accounts to their masters, then out; once no limit lasts.
    generator.time += phases.EXIT_HOURS * phases.HOUR
    masters = range(1, LONER + 1)
    nonces = {master: free_nonces(state.account(master)) for master in masters}
    backstop = state.account(keys.BACKSTOP)
    wanted = [(m, shares) for m in masters if (shares := get_shares(state.account(m), backstop))]
    bodies = [
        forced(master, records.encode(BackstopWithdrawBody(master, next(nonces[master]), min(shares, 2**96 - 1))))
        for master, shares in wanted
    ]
    run(generator.time, bodies, [])
    bodies = []
    for master in masters:
        for number in range(1, SUBS + 1):
            account = keys.sub_account(master, number)
            amount = state.account(account).collateral
            if amount > 0:
                body = TransferBody(account, next(nonces[master]), master, amount)
                bodies.append(forced(account, records.encode(body)))
    assert set(run(generator.time, bodies, [])) <= {"accepted"}
    assert any(state.values([keys.account_key(sub(master, SUBS)) for master in masters]))
    debts = -sum(min(0, state.account(a).collateral) for m in masters for a in (m, sub(m, 1), sub(m, 2)))
    due = {master: state.account(master).collateral for master in masters if state.account(master).collateral > 0}
    left = sum(state.market(market).insurance + state.market(market).pool for market in markets)
    left += state.account(keys.BACKSTOP).collateral
    assert machine.regs.owed == sum(due.values()) + left - debts
    bodies = [
        forced(master, records.encode(WithdrawBody(master, next(nonces[master]), min(amount, 2**96 - 1))))
        for master, amount in due.items()
    ]
    outcomes = run(generator.time, bodies, [])
    assert outcomes == ["accepted"] * len(due)
    assert machine.regs.owed == left - debts >= 0
    check_invariants(machine, deposited)
