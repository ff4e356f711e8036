"""The fetch of an input: shape, signature, nonce, and everything that is checked before the book is read."""

import pytest
from tests.support.machines.world import ABOVE, BUY, FOK, IOC, SELL, World

from setoff.deploy.simulation.sample_traffic import SampleTraffic, trader_key
from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.signatures import CURVE_ORDER
from setoff.shared.rules import phases
from setoff.shared.rules.fetch import decode_record, get_first_phase
from setoff.shared.rules.nonces import MAX_NONCE_JUMP, NONCE_WINDOW, use_nonce
from setoff.shared.state.keys import MAX_TICK
from setoff.shared.state.leaves import Account


def changed(record: bytes, at: int, byte: int) -> bytes:
    return record[:at] + bytes([byte]) + record[at + 1 :]


@pytest.mark.parametrize("kind", [0, records.UNUSED, 0x7F, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0xFF])
def test_rejects_unknown_types_and_messages_among_records(kind: int) -> None:
    world = World.trading()
    record = changed(world.traffic.cancel(1, 0), 0, kind)
    state = world.machine.state
    state.commit()
    before = state.tree.root
    assert world.take(record) == "malformed_record"
    state.commit()
    assert state.tree.root == before


@pytest.mark.parametrize("kind", [0x80, 0x85, 0xFF])
def test_rejects_unknown_messages(kind: int) -> None:
    assert World().take(bytes([kind]) + bytes(123), is_message=True) == "malformed_record"


@pytest.mark.parametrize(
    "number", [n for n in records.TYPES if n < records.FIRST_MESSAGE and n != records.LEG_PAGE], ids=str
)
def test_every_record_type_is_loaded_and_has_a_first_phase(number: int) -> None:
    kind, regs = records.TYPES[number], World.trading().machine.regs.copy()
    body = records.encode(kind.body(*(bytes(field.size) if field.is_bytes else 1 for field in kind.fields)))
    regs.clear()
    regs.kind = number
    assert decode_record(regs, body) in range(len(errors.OUTCOMES))
    assert get_first_phase(number) in range(len(phases.NAMES))


def test_rejects_padding_that_is_not_zero() -> None:
    world = World.trading()
    assert world.take(changed(world.traffic.cancel(1, 0), 24, 1)) == "malformed_record"
    assert world.take(changed(world.traffic.order(1, BUY, 100, 1), 59, 1)) == "malformed_record"
    assert world.take(changed(world.traffic.deposit(1, 1), 123, 1), is_message=True) == "malformed_record"


def test_rejects_side_and_flags_that_do_not_exist() -> None:
    world = World.trading()
    assert world.order(1, 2, 100, 1) == "malformed_record"
    assert world.order(1, BUY, 100, 1, flags=128) == "malformed_record"
    assert world.order(1, BUY, 100, 1, flags=records.SELF_TRADE) == "malformed_record"
    assert world.order(1, BUY, 100, 1, flags=records.ARMED, trigger=110) == "malformed_record"


def test_rejects_trigger_that_does_not_go_with_the_flags() -> None:
    world = World.trading()
    assert world.order(1, BUY, 100, 1, trigger=110) == "malformed_record"
    assert world.order(1, BUY, 100, 1, flags=ABOVE) == "malformed_record"
    assert world.order(1, BUY, 100, 1, flags=ABOVE, trigger=MAX_TICK + 1) == "malformed_record"
    assert world.order(1, BUY, 100, 1, flags=ABOVE, trigger=MAX_TICK) == "accepted"


def test_rejects_armed_order_that_would_count_makers() -> None:
    world = World.trading()
    assert world.order(1, BUY, 100, 1, flags=ABOVE | FOK, trigger=110) == "malformed_record"
    assert world.order(1, BUY, 100, 1, flags=ABOVE | IOC, trigger=110) == "accepted"


def test_rejects_unknown_account() -> None:
    world = World.trading(accounts=3)
    assert world.order(4, BUY, 100, 1) == "unknown_account"
    assert world.order(0, BUY, 100, 1) == "unknown_account"
    assert world.cancel(4, 0) == "unknown_account"
    assert world.withdraw(4, 1) == "unknown_account"


def test_rejects_order_fields_out_of_range() -> None:
    world = World.trading()
    assert world.order(1, BUY, 100, 1, market=2) == "unknown_market"
    assert world.order(1, BUY, 100, 1, market=0) == "unknown_market"
    assert world.order(1, BUY, 100, 1, order_slot=256) == "order_slot_out_of_range"
    assert world.order(1, BUY, 0, 1) == "price_out_of_range"
    assert world.order(1, BUY, MAX_TICK + 1, 1) == "price_out_of_range"
    assert world.order(1, BUY, 100, 0) == "size_out_of_range"
    assert world.order(1, BUY, 100, phases.MAX_ORDER_SIZE + 1) == "size_out_of_range"
    assert world.cancel(1, 256) == "order_slot_out_of_range"
    assert world.account(1).nonce_top == 0


def test_rejects_signature_of_another_account() -> None:
    world = World.trading()
    body = records.encode(records.CancelBody(1, 1, 0))
    assert world.take(world.traffic.sign(body, trader_key(2))) == "bad_signature"
    assert world.account(1).nonce_top == 0


def test_rejects_signature_for_another_chain() -> None:
    world = World.trading()
    assert world.take(SampleTraffic(chain_id=1).withdraw(1, 5)) == "bad_signature"


def test_rejects_signature_over_other_fields() -> None:
    world = World.trading()
    record = world.traffic.withdraw(1, 5)
    assert world.take(changed(record, 28, 6)) == "bad_signature"


def test_rejects_high_s() -> None:
    world = World.trading()
    record = world.traffic.withdraw(1, 5)
    word = int.from_bytes(record[92:], "big")
    s, parity = word & (1 << 255) - 1, word >> 255
    flipped = (CURVE_ORDER - s) | (parity ^ 1) << 255
    if flipped >> 256 == 0:
        assert world.take(record[:92] + flipped.to_bytes(32, "big")) == "bad_signature"
    assert world.take(record) == "accepted"


@pytest.mark.parametrize("signature", [bytes(64), b"\xff" * 64, bytes(31) + b"\5" + bytes(31) + b"\1"])
def test_rejects_what_is_no_signature(signature: bytes) -> None:
    world = World.trading()
    assert world.take(world.traffic.withdraw(1, 5)[:60] + signature) == "bad_signature"


def test_rejects_replayed_nonce() -> None:
    world = World.trading()
    record = world.traffic.withdraw(1, 5)
    assert world.take(record) == "accepted"
    assert world.take(record) == "nonce_used"
    assert world.account(1).collateral == 999_995


def test_a_signed_record_counts_from_l1_as_well_and_only_once() -> None:
    world = World.trading()
    record = world.traffic.withdraw(1, 5)
    assert world.take(record, is_message=True) == "accepted"
    assert world.take(record) == "nonce_used"


def test_nonces_may_come_in_any_order_within_the_window() -> None:
    account = Account()
    for nonce in (5, 3, 0, 300, 299, 45):
        assert use_nonce(account, nonce) == errors.ACCEPTED
    assert account.nonce_top == 300
    assert use_nonce(account, 300 - NONCE_WINDOW) == errors.NONCE_TOO_OLD
    assert use_nonce(account, 300 - NONCE_WINDOW + 1) == errors.NONCE_USED  # 45
    assert use_nonce(account, 46) == errors.ACCEPTED
    assert use_nonce(account, 46) == errors.NONCE_USED


@pytest.mark.parametrize("jump", [1, 255, 256, 257, MAX_NONCE_JUMP])
def test_a_jump_of_the_nonce_shifts_the_window(jump: int) -> None:
    account = Account()
    assert use_nonce(account, 0) == errors.ACCEPTED
    assert use_nonce(account, jump) == errors.ACCEPTED
    expected = errors.NONCE_USED if jump < NONCE_WINDOW else errors.NONCE_TOO_OLD
    assert use_nonce(account, 0) == expected
    assert use_nonce(account, jump) == errors.NONCE_USED
    assert account.nonce_bitmap < 1 << 256


@pytest.mark.parametrize("jump", [MAX_NONCE_JUMP + 1, 2**32, 2**64 - 1 - 7])
def test_a_nonce_too_far_ahead_is_refused_and_uses_up_nothing(jump: int) -> None:
    account = Account()
    account.nonce_top, account.nonce_bitmap = 7, 1
    assert use_nonce(account, 7 + jump) == errors.NONCE_TOO_FAR
    assert (account.nonce_top, account.nonce_bitmap) == (7, 1)


def test_the_last_nonce_of_all_can_be_used() -> None:
    account = Account()
    account.nonce_top = 2**64 - 2
    assert use_nonce(account, 2**64 - 1) == errors.ACCEPTED
    assert account.nonce_top == 2**64 - 1


def test_a_reject_after_the_nonce_check_uses_the_nonce() -> None:
    world = World.trading()
    assert world.cancel(1, 9, nonce=4) == "unknown_order"
    assert world.cancel(1, 9, nonce=4) == "nonce_used"


def test_records_are_refused_when_a_batch_has_no_steps_left() -> None:
    world = World.trading()
    world.machine.regs.steps = phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND - 1
    record = world.traffic.order(1, SELL, 100, 1)
    assert world.take(record) == "accepted"  # the fetch is the step that reaches the limit
    world.machine.regs.steps = phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND
    assert world.order(1, SELL, 100, 1) == "step_cap"
    assert world.deposit(1, 5) == "accepted"
    world.wait(1)
    assert world.order(1, SELL, 100, 1) == "accepted"


def test_a_record_forgets_the_one_before() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 7)
    world.crank(9)
    regs = world.machine.regs
    assert (regs.kind, regs.account, regs.size, regs.price, regs.signer) == (records.CRANK, 0, 0, 0, bytes(20))
    assert regs.sequence == 1


def test_messages_and_what_is_malformed_leave_the_registers_of_the_last_record_alone() -> None:
    world = World.trading()
    world.order(1, SELL, 100, 7)
    before = world.machine.regs.copy()
    assert world.take(bytes(124)) == "malformed_record"
    assert world.deposit(2, 5) == "accepted"
    regs = world.machine.regs
    assert (regs.kind, regs.account, regs.size, regs.signer) == (before.kind, 1, 7, before.signer)
