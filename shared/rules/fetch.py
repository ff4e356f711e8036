"""Fetch: the first step of an input takes it. Twin: ``contracts/rules/fetch.vy``.

A message is applied here and now. A record is decoded, checked as far as it can be without the book, its signature
recovered, its nonce used; what is left to do goes into the registers. An input that cannot be taken is a reject: the
machine is idle again, and ``outcome`` says why.

Leaves: a message the one it changes; a record of the queue that has to wait its place among the parked, and an input
that takes a parked one that one's; then a record that an owner signs its master account, and the agent it names; one
that an agent signs that agent; a report and an early reject none.
"""

from __future__ import annotations

from typing import Final

from setoff.shared import errors
from setoff.shared.codec import eip712, records
from setoff.shared.rules import phases
from setoff.shared.rules.agents import SESSION_BITS, check_change, check_session, get_scope, is_in_scope, set_agent
from setoff.shared.rules.bulk import take_leg_page
from setoff.shared.rules.fees import apply_terms
from setoff.shared.rules.listing import apply_change, apply_listing
from setoff.shared.rules.nonces import use_nonce
from setoff.shared.rules.oracle import apply_signer
from setoff.shared.rules.parking import is_anything_parked, park, unpark
from setoff.shared.rules.transfers import apply_deposit
from setoff.shared.rules.wind_down import apply_wind_down, is_refused
from setoff.shared.state import keys
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State

_FIRST_PHASES: Final[dict[int, int]] = {
    records.ORDER: phases.ADMIT,
    records.CANCEL: phases.UNLINK,
    records.TRANSFER: phases.MARGIN,
    records.WITHDRAW: phases.MARGIN,
    records.REPORT: phases.REPORT,
    records.CANCEL_ALL: phases.CLEAR,
    records.AMEND: phases.AMEND,
    records.SCHEDULE_CANCEL: phases.CLEAR,
    records.SET_AGENT: phases.IDLE,
    records.CRANK: phases.CRANK,
    records.BULK: phases.IDLE,
    records.BACKSTOP_DEPOSIT: phases.MARGIN,
    records.BACKSTOP_WITHDRAW: phases.REQUEST,
}
"""Phase in which a checked record starts, by its type."""


def step_fetch(regs: Registers, state: State, body: bytes, is_message: bool, queued_at: int = 0) -> None:
    """Take the 124-byte input `body`; `is_message` says whether it is the L1 queue's, and `queued_at` since when (unix
    seconds, 0 if it comes from no queue)."""
    regs.stamp = queued_at
    regs.started = regs.steps - 1
    if body[0] >= records.FIRST_MESSAGE and body[0] != records.FORCED:
        regs.outcome = take_message(regs, state, body, is_message)
    else:
        regs.outcome = take_input(regs, state, body, is_message)


def take_message(regs: Registers, state: State, body: bytes, is_message: bool) -> int:
    """Apply a message of the L1 queue; returns its outcome. The machine may be in the middle of work of its own."""
    if not is_message or not records.is_canonical(body):
        return errors.MALFORMED_RECORD
    if body[0] == records.DEPOSIT:
        return apply_deposit(regs, state, body)
    if body[0] == records.LIST_MARKET:
        return apply_listing(regs, state, body)
    if body[0] == records.SET_MARKET:
        return apply_change(regs, state, body)
    if body[0] == records.SET_SIGNER:
        return apply_signer(state, body)
    if body[0] == records.SET_TERMS:
        return apply_terms(state, body)
    if body[0] == records.WIND_DOWN:
        return apply_wind_down(regs)
    raise AssertionError(f"a message of type {body[0]} without a rule")


def take_input(regs: Registers, state: State, body: bytes, is_message: bool) -> int:
    """Take a record, or a message that holds one, in its turn; returns the outcome.

    The machine's own work comes first, then what is parked. A record of the queue that has to wait is parked; any other
    is not looked at. A crank, which anybody may send at any time, only lets go on what comes before it; where a batch
    has no room left, one of the queue that names a market is parked as others are.
    """
    if not is_sound(body, is_message):
        return errors.MALFORMED_RECORD
    has_room = regs.steps + phases.INPUT_STEP_BOUND <= phases.BATCH_STEP_CAP
    is_crank = body[0] == records.CRANK
    if is_crank:
        # One of no market lets others go on; what else it is for, to settle requests, has time.
        has_to_wait = not has_room and records.decode_crank(body).market != 0
    else:
        has_to_wait = not has_room or regs.has_work != 0 or is_anything_parked(regs)
    is_parked = is_message and has_to_wait
    if is_parked:
        park(regs, state, body)
    if not has_room:
        return errors.PARKED if is_parked else errors.STEP_CAP
    if regs.has_work:
        # Its registers stay as they are.
        regs.has_work = 0
        regs.phase = regs.next_phase
        if is_parked:
            return errors.PARKED
        return errors.ACCEPTED if is_crank else errors.BUSY
    if is_anything_parked(regs):
        if not (is_parked or is_crank):
            return errors.BUSY
        body = unpark(regs, state)
    return take_record(regs, state, body)


def is_sound(body: bytes, is_message: bool) -> bool:
    """Whether an input that is not looked at further has the form of a record, or of a message that holds one.

    Bulks and their leg pages do not come through the queue: none of its messages may be as much work as eight orders.
    """
    if body[0] != records.FORCED:
        return records.is_canonical(body) and not (is_message and body[0] in (records.BULK, records.LEG_PAGE))
    return is_message and records.is_canonical(body) and records.is_forceable(records.decode_forced(body).body)


def take_record(regs: Registers, state: State, body: bytes) -> int:
    """Take a record now; returns the outcome.

    In a message the queue names the sender, who stands for the signer of the record within.
    """
    sender: bytes | None = None
    if body[0] == records.FORCED:
        sender, body = records.decode_forced(body)
    kind = body[0]
    regs.clear()
    regs.kind = kind
    leg_page, regs.bulk = regs.bulk, bytes(32)
    if is_refused(regs, kind):
        return errors.WINDING_DOWN
    return take_leg_page(regs, body, leg_page) if kind == records.LEG_PAGE else check_record(regs, state, body, sender)


def check_record(regs: Registers, state: State, body: bytes, sender: bytes | None) -> int:
    """Decode a record into the registers, check signature or sender and nonce, set the phase; returns the outcome."""
    outcome = decode_record(regs, body)
    if outcome != errors.ACCEPTED:
        return outcome
    if regs.kind != records.CRANK:
        signer = sender
        if signer is None:
            signer = eip712.recover_signer(regs.domain, body)
        if signer is None or signer == bytes(20):
            return errors.BAD_SIGNATURE
        regs.signer = signer
        if regs.kind != records.REPORT:
            outcome = check_authority(regs, state)
            if outcome != errors.ACCEPTED:
                return outcome
    if regs.kind == records.SET_AGENT:
        outcome = apply_agent(regs, state, body)
        if outcome != errors.ACCEPTED:
            return outcome
    elif regs.kind == records.BULK:
        regs.bulk = records.decode_bulk(body).leg_pages
        regs.bulk_account = regs.account
        regs.bulk_pages = phases.MAX_LEG_PAGES
        regs.bulk_scope = regs.scope
        regs.bulk_until = state.agent(keys.get_master(regs.account), regs.agent).expiry if regs.agent else 0
    regs.phase = get_first_phase(regs.kind)
    return errors.ACCEPTED


def check_authority(regs: Registers, state: State) -> int:
    """Whether the signer may act for the account with this nonce, which is used up; returns the outcome.

    Records that move money or name keys have no field for an agent: the owner alone signs them. Owner and agents have
    nonces of their own, so that nobody uses up another's.
    Leaves: the master account; where an agent signs, that agent instead.
    """
    if regs.agent:
        return check_agent(regs, state)
    master = state.account(keys.get_master(regs.account))
    return use_nonce(master, regs.nonce) if master.owner == regs.signer else errors.BAD_SIGNATURE


def check_agent(regs: Registers, state: State) -> int:
    """Whether an agent may sign this record, with a nonce of its session; returns the outcome. Leaves: the agent."""
    agent = state.agent(keys.get_master(regs.account), regs.agent)
    if agent.address != regs.signer:
        return errors.BAD_SIGNATURE
    if agent.expiry <= regs.time:
        return errors.AGENT_EXPIRED
    if not is_in_scope(agent, regs.kind, regs.account, regs.market, regs.flags, regs.size):
        return errors.OUT_OF_SCOPE
    if regs.peer and not is_in_scope(agent, records.CANCEL, regs.account, regs.market, regs.flags, regs.size):
        return errors.OUT_OF_SCOPE  # an order with a partner will take that one out
    regs.scope = get_scope(agent)
    if regs.nonce >> SESSION_BITS > agent.nonce_top >> SESSION_BITS:
        return errors.NONCE_TOO_FAR
    return use_nonce(agent, regs.nonce)


def apply_agent(regs: Registers, state: State, body: bytes) -> int:
    """Name an agent, or take one away; returns the outcome. Leaves: the master account; the agent, if that is done."""
    change = records.decode_set_agent(body)
    master = state.account(change.account)
    outcome = check_session(master, change)
    if outcome == errors.ACCEPTED:
        master.session = change.session
        set_agent(state.agent(change.account, change.agent), change)
    return outcome


def decode_record(regs: Registers, body: bytes) -> int:
    """Load the registers from a record and check every field that needs no leaf; returns the outcome."""
    kind = body[0]
    _, regs.account, regs.nonce = records.get_head(body)
    if kind == records.REPORT:
        return decode_report(regs, body)
    if kind == records.CRANK:
        regs.market = records.decode_crank(body).market
        return errors.ACCEPTED if regs.market <= regs.markets else errors.UNKNOWN_MARKET
    if not is_account(regs, regs.account):
        return errors.UNKNOWN_ACCOUNT
    if kind == records.ORDER:
        return decode_order(regs, body)
    if kind in (records.TRANSFER, records.WITHDRAW, records.BACKSTOP_DEPOSIT, records.BACKSTOP_WITHDRAW):
        return decode_payment(regs, body)
    if kind == records.SET_AGENT:
        return check_change(records.decode_set_agent(body))
    return decode_change(regs, body)


def is_account(regs: Registers, account: int) -> bool:
    """Whether `account` is a known master account or one of its sub-accounts."""
    return (
        account <= keys.sub_account(keys.MAX_ACCOUNT, keys.MAX_SUB) and 1 <= keys.get_master(account) <= regs.accounts
    )


def decode_order(regs: Registers, body: bytes) -> int:
    """Fields of an order; returns the outcome."""
    order = records.decode_order(body)
    regs.market = order.market
    regs.side = order.side
    regs.flags = order.flags
    regs.order_slot = order.order_slot
    regs.price = order.price
    regs.size = order.size
    regs.expiry = order.expiry
    regs.trigger = order.trigger
    regs.client = order.client
    regs.agent = order.agent
    regs.peer = keys.order_handle(order.account, order.partner - 1) if order.partner else 0
    if order.side > records.SELL or not are_flags_sound(order.flags, order.trigger) or order.agent > keys.MAX_AGENT:
        return errors.MALFORMED_RECORD
    if order.partner and (order.flags & records.ARMED == 0 or order.partner == order.order_slot + 1):
        return errors.MALFORMED_RECORD
    if not 1 <= order.market <= regs.markets:
        return errors.UNKNOWN_MARKET
    if order.order_slot > keys.MAX_ORDER_SLOT or order.partner > keys.MAX_ORDER_SLOT + 1:
        return errors.ORDER_SLOT_OUT_OF_RANGE
    if order.expiry and order.expiry <= regs.time:
        return errors.ORDER_EXPIRED
    return check_quote(order.price, order.size)


def are_flags_sound(flags: int, trigger: int) -> bool:
    """Whether an order's flags name one self-trade rule, one kind of trigger if there is one, and nothing unknown.

    An armed order is not fill-or-kill: many that fire at once would count makers for many batches, at no price.
    """
    if flags >= 128 or flags & records.SELF_TRADE == records.SELF_TRADE or flags & records.ARMED == records.ARMED:
        return False
    if flags & records.ARMED == 0:
        return trigger == 0
    return 1 <= trigger <= keys.MAX_TICK and flags & records.TIME_IN_FORCE != records.FOK


def check_quote(price: int, size: int) -> int:
    """Whether price and size of an order are in range; returns the outcome."""
    if not 1 <= price <= keys.MAX_TICK:
        return errors.PRICE_OUT_OF_RANGE
    if not 1 <= size <= phases.MAX_ORDER_SIZE:
        return errors.SIZE_OUT_OF_RANGE
    return errors.ACCEPTED


def decode_change(regs: Registers, body: bytes) -> int:
    """Fields of a record that changes orders, or of one that signs many; returns the outcome."""
    if regs.kind == records.CANCEL:
        cancel = records.decode_cancel(body)
        regs.order_slot, regs.client, regs.agent = cancel.order_slot, cancel.client, cancel.agent
    elif regs.kind == records.AMEND:
        amend = records.decode_amend(body)
        regs.order_slot, regs.price, regs.size, regs.agent = amend.order_slot, amend.price, amend.size, amend.agent
    elif regs.kind == records.CANCEL_ALL:
        regs.agent = records.decode_cancel_all(body).agent
    elif regs.kind == records.SCHEDULE_CANCEL:
        schedule = records.decode_schedule_cancel(body)
        regs.amount, regs.agent = schedule.deadline, schedule.agent
    elif regs.kind == records.BULK:
        regs.agent = records.decode_bulk(body).agent
    else:
        raise AssertionError(f"a record of type {regs.kind} without a rule")
    if regs.agent > keys.MAX_AGENT:
        return errors.MALFORMED_RECORD
    if regs.order_slot > keys.MAX_ORDER_SLOT:
        return errors.ORDER_SLOT_OUT_OF_RANGE
    regs.cursor = keys.order_handle(regs.account, regs.order_slot)
    return check_quote(regs.price, regs.size) if regs.kind == records.AMEND else errors.ACCEPTED


def decode_payment(regs: Registers, body: bytes) -> int:
    """Fields of a transfer, a withdrawal, or a request of the backstop; returns the outcome."""
    if regs.kind == records.TRANSFER:
        transfer = records.decode_transfer(body)
        regs.peer = transfer.peer
        regs.amount = transfer.amount
        if not is_account(regs, regs.peer):
            return errors.UNKNOWN_ACCOUNT
        if regs.peer > keys.MAX_ACCOUNT and keys.get_master(regs.peer) != keys.get_master(regs.account):
            return errors.SUB_ACCOUNT
        if regs.peer == regs.account:
            return errors.SAME_ACCOUNT
    elif regs.kind == records.WITHDRAW:
        regs.amount = records.decode_withdraw(body).amount
        if regs.account > keys.MAX_ACCOUNT:
            return errors.SUB_ACCOUNT
    elif regs.kind == records.BACKSTOP_DEPOSIT:
        regs.amount = records.decode_backstop_deposit(body).amount
    elif regs.kind == records.BACKSTOP_WITHDRAW:
        regs.amount = records.decode_backstop_withdraw(body).shares
    else:
        raise AssertionError(f"a payment of type {regs.kind} without a rule")
    if not 1 <= regs.amount < phases.MAX_AMOUNT:
        return errors.AMOUNT_OUT_OF_RANGE
    return errors.ACCEPTED


def decode_report(regs: Registers, body: bytes) -> int:
    """Fields of an oracle report; returns the outcome."""
    report = records.decode_report(body)
    regs.market = report.market
    regs.price = report.price
    if not 1 <= report.market <= regs.markets:
        return errors.UNKNOWN_MARKET
    if not 1 <= report.price <= keys.MAX_TICK:
        return errors.PRICE_OUT_OF_RANGE
    return errors.ACCEPTED


def get_first_phase(kind: int) -> int:
    """Phase in which a checked record of this type starts. Raises KeyError for a type that has none."""
    return _FIRST_PHASES[kind]
