# pragma version 0.4.3
"""
@title Fetch: the first step of an input takes it
@license MIT
@notice A message is applied here and now. A record is decoded, checked as far as it can be without the book, its signature
        recovered, its nonce used; what is left to do goes into the registers. An input that cannot be taken is a reject:
        the machine is idle again, and `outcome` says why. Twin: `shared/rules/fetch.py`.
        Leaves: a message the one it changes; a record of the queue that has to wait its place among the parked, and an
        input that takes a parked one that one's; then a record that an owner signs its master account, and the agent it
        names; one that an agent signs that agent; a report and an early reject none.
"""

import errors
from codec import eip712
from codec import records
from codec import signatures
from rules import agents
from rules import bulk
from rules import transfers
from rules import fees
from rules import listing
from rules import nonces
from rules import oracle
from rules import parking
from rules import phases
from rules import wind_down
from state import keys
from state import leaves
from state import registers
from state import store


@internal
@pure
def take_message(
    pre: registers.Registers, w: store.Witness, body: Bytes[records.RECORD_BYTES], is_message: bool
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Apply a message of the L1 queue. The machine may be in the middle of work of its own.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    kind: uint256 = convert(slice(body, 0, 1), uint256)
    outcome: uint256 = errors.MALFORMED_RECORD
    if not is_message or not records.is_canonical(body):
        store.check_count(w, 0)
    elif kind == records.DEPOSIT:
        regs, values, outcome = transfers.apply_deposit(regs, w, body)
    elif kind == records.LIST_MARKET:
        regs, values, outcome = listing.apply_listing(regs, w, body)
    elif kind == records.SET_MARKET:
        values, outcome = listing.apply_change(regs, w, body)
    elif kind == records.SET_SIGNER:
        values, outcome = oracle.apply_signer(w, body)
    elif kind == records.SET_TERMS:
        values, outcome = fees.apply_terms(w, body)
    else:
        assert kind == records.WIND_DOWN, "malformed_record"
        store.check_count(w, 0)
        regs, outcome = wind_down.apply_wind_down(regs)
    regs.outcome = outcome
    return regs, values


@internal
@pure
def take_input(
    pre: registers.Registers, w: store.Witness, body: Bytes[records.RECORD_BYTES], is_message: bool
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Take a record, or a message that holds one, in its turn. The machine's own work comes first, then what is parked.
            A record of the queue that has to wait is parked; any other is not looked at. A crank, which anybody may send at
            any time, only lets go on what comes before it; where a batch has no room left, one of the queue that names a
            market is parked as others are.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    touched: uint256 = 0
    if not self.is_sound(body, is_message):
        store.check_count(w, 0)
        regs.outcome = errors.MALFORMED_RECORD
        return regs, values
    has_room: bool = regs.steps + phases.INPUT_STEP_BOUND <= phases.BATCH_STEP_CAP
    is_crank: bool = convert(slice(body, 0, 1), uint256) == records.CRANK
    has_to_wait: bool = not has_room or regs.has_work != 0 or parking.is_anything_parked(regs)
    if is_crank:
        # One of no market wants nothing but to let others go on: in its turn there would be nothing left to do.
        has_to_wait = not has_room and records.decode_crank(body).market != 0
    is_parked: bool = is_message and has_to_wait
    if is_parked:
        regs, values = parking.park(regs, w, values, touched, body)
        touched = 1
    if not has_room or regs.has_work != 0:
        store.check_count(w, touched)
        regs.outcome = errors.STEP_CAP
        if has_room:
            # Its registers stay as they are.
            regs.has_work = 0
            regs.phase = regs.next_phase
            regs.outcome = errors.ACCEPTED if is_crank else errors.BUSY
        if is_parked:
            regs.outcome = errors.PARKED
        return regs, values
    taken: Bytes[records.RECORD_BYTES] = body
    if parking.is_anything_parked(regs):
        if not (is_parked or is_crank):
            store.check_count(w, 0)
            regs.outcome = errors.BUSY
            return regs, values
        regs, values, taken = parking.unpark(regs, w, values, touched)
        touched += 1
    return self.take_record(regs, w, values, touched, taken)


@internal
@pure
def is_sound(body: Bytes[records.RECORD_BYTES], is_message: bool) -> bool:
    """
    @return Whether an input that is not looked at further has the form of a record, or of a message that holds one. Bulks
            and their leg pages do not come through the queue: none of its messages may be as much work as eight orders.
    """
    kind: uint256 = convert(slice(body, 0, 1), uint256)
    if kind != records.FORCED:
        return records.is_canonical(body) and not (is_message and kind in [records.BULK, records.LEG_PAGE])
    forced: records.ForcedBody = records.decode_forced(body)
    return is_message and records.is_canonical(body) and records.is_forceable(forced.body)


@internal
@pure
def take_record(
    pre: registers.Registers,
    w: store.Witness,
    before: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES],
    place: uint256,
    taken: Bytes[records.RECORD_BYTES],
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Take a record now; its leaves are the witness's from `place` on. In a message the queue names the sender, who
            stands for the signer of the record within.
    """
    regs: registers.Registers = registers.clear(pre)
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = before
    body: Bytes[records.RECORD_BYTES] = taken
    is_forced: bool = convert(slice(taken, 0, 1), uint256) == records.FORCED
    sender: address = empty(address)
    if is_forced:
        forced: records.ForcedBody = records.decode_forced(taken)
        body = forced.body
        sender = forced.sender
    outcome: uint256 = 0
    touched: uint256 = place
    regs.kind = convert(slice(body, 0, 1), uint256)
    leg_page: bytes32 = regs.bulk
    regs.bulk = empty(bytes32)
    if wind_down.is_refused(regs, regs.kind):
        outcome = errors.WINDING_DOWN
    elif regs.kind == records.LEG_PAGE:
        regs, outcome = bulk.take_leg_page(regs, body, leg_page)
    else:
        regs, values, touched, outcome = self.check_record(regs, w, values, place, body, is_forced, sender)
    store.check_count(w, touched)
    regs.outcome = outcome
    return regs, values


@internal
@pure
def check_record(
    pre: registers.Registers,
    w: store.Witness,
    before: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES],
    place: uint256,
    body: Bytes[records.RECORD_BYTES],
    is_forced: bool,
    sender: address,
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES], uint256, uint256):
    """
    @notice Decode a record into the registers, check who signed or sent it and its nonce, set the phase.
    @return The registers, the new values, how many leaves there are up to here, and the outcome.
    """
    regs: registers.Registers = pre
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = before
    outcome: uint256 = 0
    touched: uint256 = place
    regs, outcome = self.decode_record(regs, body)
    if outcome == errors.ACCEPTED and regs.kind != records.CRANK:
        regs.signer = sender
        if not is_forced:
            regs.signer = signatures.recover(
                eip712.digest(regs.domain, body), slice(body, records.BODY_BYTES, records.SIGNATURE_BYTES)
            )
        if regs.signer == empty(address):
            outcome = errors.BAD_SIGNATURE
        elif regs.kind != records.REPORT:
            touched = place + 1
            value: Bytes[leaves.ACCOUNT_BYTES] = b""
            regs, value, outcome = self.check_authority(regs, w, place)
            if outcome == errors.ACCEPTED:
                values[place] = value
    if outcome == errors.ACCEPTED:
        if regs.kind == records.SET_AGENT:
            change: records.SetAgentBody = records.decode_set_agent(body)
            named: Bytes[leaves.ACCOUNT_BYTES] = b""
            values[place], named, outcome = self.apply_agent(values[place], change)
            if outcome != errors.ACCEPTED:
                return regs, values, touched, outcome
            store.agent(w, touched, change.account, change.agent)
            values[touched] = named
            touched += 1
        elif regs.kind == records.BULK:
            regs.bulk = records.decode_bulk(body).leg_pages
            regs.bulk_account = regs.account
            regs.bulk_pages = phases.MAX_LEG_PAGES
            regs.bulk_scope = regs.scope
            regs.bulk_until = 0
            if regs.agent != 0:
                regs.bulk_until = leaves.decode_agent(values[place]).expiry
        regs.phase = self.get_first_phase(regs.kind)
    return regs, values, touched, outcome


@internal
@pure
def check_authority(
    regs: registers.Registers, w: store.Witness, place: uint256
) -> (registers.Registers, Bytes[leaves.ACCOUNT_BYTES], uint256):
    """
    @notice Whether the signer may act for the account with this nonce, which is used up.
            Records that move money or name keys have no field for an agent: the owner alone signs them. Owner and agents
            have nonces of their own, so that nobody uses up another's.
            Leaves, at `place`: the master account; where an agent signs, that agent instead.
    @return The registers, the new value of the leaf (none unless that is accepted) and the outcome.
    """
    if regs.agent != 0:
        return self.check_agent(regs, store.agent(w, place, keys.get_master(regs.account), regs.agent))
    master: leaves.Account = store.account(w, place, keys.get_master(regs.account))
    if master.owner != regs.signer:
        return regs, b"", errors.BAD_SIGNATURE
    outcome: uint256 = 0
    master.nonce_top, master.nonce_bitmap, outcome = nonces.use_nonce(
        master.nonce_top, master.nonce_bitmap, regs.nonce
    )
    return regs, leaves.encode_account(master), outcome


@internal
@pure
def check_agent(
    pre: registers.Registers, signing: leaves.Agent
) -> (registers.Registers, Bytes[leaves.ACCOUNT_BYTES], uint256):
    """
    @notice Whether an agent may sign this record, with a nonce of its session.
    @return The registers, the new value of its leaf (none unless that is accepted) and the outcome.
    """
    regs: registers.Registers = pre
    agent: leaves.Agent = signing
    if agent.address != regs.signer:
        return regs, b"", errors.BAD_SIGNATURE
    if agent.expiry <= regs.time:
        return regs, b"", errors.AGENT_EXPIRED
    if not agents.is_in_scope(agent, regs.kind, regs.account, regs.market, regs.flags, regs.size):
        return regs, b"", errors.OUT_OF_SCOPE
    if regs.peer != 0 and not agents.is_in_scope(
        agent, records.CANCEL, regs.account, regs.market, regs.flags, regs.size
    ):
        return regs, b"", errors.OUT_OF_SCOPE  # an order with a partner will take that one out
    regs.scope = agents.get_scope(agent)
    if regs.nonce >> agents.SESSION_BITS > agent.nonce_top >> agents.SESSION_BITS:
        return regs, b"", errors.NONCE_TOO_FAR
    outcome: uint256 = 0
    agent.nonce_top, agent.nonce_bitmap, outcome = nonces.use_nonce(agent.nonce_top, agent.nonce_bitmap, regs.nonce)
    return regs, leaves.encode_agent(agent), outcome


@internal
@pure
def apply_agent(
    account: Bytes[leaves.ACCOUNT_BYTES], change: records.SetAgentBody
) -> (Bytes[leaves.ACCOUNT_BYTES], Bytes[leaves.ACCOUNT_BYTES], uint256):
    """
    @notice Name an agent, or take one away.
    @return The new values of the master account, whose value is given, and of the agent; and the outcome.
    """
    master: leaves.Account = leaves.decode_account(account)
    outcome: uint256 = agents.check_session(master, change)
    if outcome != errors.ACCEPTED:
        return account, b"", outcome
    master.session = change.session
    return leaves.encode_account(master), leaves.encode_agent(agents.set_agent(change)), outcome


@internal
@pure
def decode_record(
    pre: registers.Registers, body: Bytes[records.RECORD_BYTES]
) -> (registers.Registers, uint256):
    """
    @notice Load the registers from a record and check every field that needs no leaf.
    @return The registers and the outcome.
    """
    regs: registers.Registers = pre
    kind: uint256 = 0
    kind, regs.account, regs.nonce = records.get_head(body)
    if kind == records.REPORT:
        return self.decode_report(regs, body)
    if kind == records.CRANK:
        regs.market = records.decode_crank(body).market
        if regs.market > regs.markets:
            return regs, errors.UNKNOWN_MARKET
        return regs, errors.ACCEPTED
    if not self.is_account(regs, regs.account):
        return regs, errors.UNKNOWN_ACCOUNT
    if kind == records.ORDER:
        return self.decode_order(regs, body)
    if kind in [records.TRANSFER, records.WITHDRAW, records.BACKSTOP_DEPOSIT, records.BACKSTOP_WITHDRAW]:
        return self.decode_payment(regs, body)
    if kind == records.SET_AGENT:
        return regs, agents.check_change(records.decode_set_agent(body))
    return self.decode_change(regs, body)


@internal
@pure
def is_account(regs: registers.Registers, account: uint256) -> bool:
    """
    @return Whether `account` is a known master account or one of its sub-accounts.
    """
    master: uint256 = keys.get_master(account)
    return account <= keys.sub_account(keys.MAX_ACCOUNT, keys.MAX_SUB) and 1 <= master and master <= regs.accounts


@internal
@pure
def decode_order(
    pre: registers.Registers, body: Bytes[records.RECORD_BYTES]
) -> (registers.Registers, uint256):
    """
    @notice Fields of an order.
    @return The registers and the outcome.
    """
    regs: registers.Registers = pre
    order: records.OrderBody = records.decode_order(body)
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
    regs.peer = 0 if order.partner == 0 else keys.order_handle(order.account, order.partner - 1)
    if (
        order.side > records.SELL
        or not self.are_flags_sound(order.flags, order.trigger)
        or order.agent > keys.MAX_AGENT
    ):
        return regs, errors.MALFORMED_RECORD
    is_own: bool = order.partner == order.order_slot + 1
    if order.partner != 0 and (order.flags & records.ARMED == 0 or is_own):
        return regs, errors.MALFORMED_RECORD
    if order.market < 1 or order.market > regs.markets:
        return regs, errors.UNKNOWN_MARKET
    if order.order_slot > keys.MAX_ORDER_SLOT or order.partner > keys.MAX_ORDER_SLOT + 1:
        return regs, errors.ORDER_SLOT_OUT_OF_RANGE
    if order.expiry != 0 and order.expiry <= regs.time:
        return regs, errors.ORDER_EXPIRED
    return regs, self.check_quote(order.price, order.size)


@internal
@pure
def are_flags_sound(flags: uint256, trigger: uint256) -> bool:
    """
    @return Whether an order's flags name one self-trade rule, one kind of trigger if there is one, and nothing unknown. An
            armed order is not fill-or-kill: many that fire at once would count makers for many batches, at no price.
    """
    if (
        flags >= 128
        or flags & records.SELF_TRADE == records.SELF_TRADE
        or flags & records.ARMED == records.ARMED
    ):
        return False
    if flags & records.ARMED == 0:
        return trigger == 0
    return 1 <= trigger and trigger <= keys.MAX_TICK and flags & records.TIME_IN_FORCE != records.FOK


@internal
@pure
def check_quote(price: uint256, size: uint256) -> uint256:
    """
    @return Outcome: whether price and size of an order are in range.
    """
    if price < 1 or price > keys.MAX_TICK:
        return errors.PRICE_OUT_OF_RANGE
    if size < 1 or size > phases.MAX_ORDER_SIZE:
        return errors.SIZE_OUT_OF_RANGE
    return errors.ACCEPTED


@internal
@pure
def decode_change(
    pre: registers.Registers, body: Bytes[records.RECORD_BYTES]
) -> (registers.Registers, uint256):
    """
    @notice Fields of a record that changes orders, or of one that signs many.
    @return The registers and the outcome.
    """
    regs: registers.Registers = pre
    if regs.kind == records.CANCEL:
        cancel: records.CancelBody = records.decode_cancel(body)
        regs.order_slot = cancel.order_slot
        regs.client = cancel.client
        regs.agent = cancel.agent
    elif regs.kind == records.AMEND:
        amend: records.AmendBody = records.decode_amend(body)
        regs.order_slot = amend.order_slot
        regs.price = amend.price
        regs.size = amend.size
        regs.agent = amend.agent
    elif regs.kind == records.CANCEL_ALL:
        regs.agent = records.decode_cancel_all(body).agent
    elif regs.kind == records.SCHEDULE_CANCEL:
        schedule: records.ScheduleCancelBody = records.decode_schedule_cancel(body)
        regs.amount = schedule.deadline
        regs.agent = schedule.agent
    else:
        assert regs.kind == records.BULK, "malformed_record"
        regs.agent = records.decode_bulk(body).agent
    if regs.agent > keys.MAX_AGENT:
        return regs, errors.MALFORMED_RECORD
    if regs.order_slot > keys.MAX_ORDER_SLOT:
        return regs, errors.ORDER_SLOT_OUT_OF_RANGE
    regs.cursor = keys.order_handle(regs.account, regs.order_slot)
    if regs.kind == records.AMEND:
        return regs, self.check_quote(regs.price, regs.size)
    return regs, errors.ACCEPTED


@internal
@pure
def decode_payment(
    pre: registers.Registers, body: Bytes[records.RECORD_BYTES]
) -> (registers.Registers, uint256):
    """
    @notice Fields of a transfer, a withdrawal, or a deposit into the backstop or withdrawal from it.
    @return The registers and the outcome.
    """
    regs: registers.Registers = pre
    if regs.kind == records.TRANSFER:
        transfer: records.TransferBody = records.decode_transfer(body)
        regs.peer = transfer.peer
        regs.amount = transfer.amount
        if not self.is_account(regs, regs.peer):
            return regs, errors.UNKNOWN_ACCOUNT
        if regs.peer > keys.MAX_ACCOUNT and keys.get_master(regs.peer) != keys.get_master(regs.account):
            return regs, errors.SUB_ACCOUNT
        if regs.peer == regs.account:
            return regs, errors.SAME_ACCOUNT
    elif regs.kind == records.WITHDRAW:
        regs.amount = records.decode_withdraw(body).amount
        if regs.account > keys.MAX_ACCOUNT:
            return regs, errors.SUB_ACCOUNT
    elif regs.kind == records.BACKSTOP_DEPOSIT:
        regs.amount = records.decode_backstop_deposit(body).amount
    else:
        assert regs.kind == records.BACKSTOP_WITHDRAW, "malformed_record"
        regs.amount = records.decode_backstop_withdraw(body).shares
    if regs.amount < 1 or regs.amount >= phases.MAX_AMOUNT:
        return regs, errors.AMOUNT_OUT_OF_RANGE
    return regs, errors.ACCEPTED


@internal
@pure
def decode_report(
    pre: registers.Registers, body: Bytes[records.RECORD_BYTES]
) -> (registers.Registers, uint256):
    """
    @notice Fields of an oracle report.
    @return The registers and the outcome.
    """
    regs: registers.Registers = pre
    report: records.ReportBody = records.decode_report(body)
    regs.market = report.market
    regs.price = report.price
    if report.market < 1 or report.market > regs.markets:
        return regs, errors.UNKNOWN_MARKET
    if report.price < 1 or report.price > keys.MAX_TICK:
        return regs, errors.PRICE_OUT_OF_RANGE
    return regs, errors.ACCEPTED


@internal
@pure
def get_first_phase(kind: uint256) -> uint256:
    """
    @return Phase in which a checked record of this type starts.
    """
    if kind == records.ORDER:
        return phases.ADMIT
    if kind == records.CANCEL:
        return phases.UNLINK
    if kind == records.AMEND:
        return phases.AMEND
    if kind == records.CANCEL_ALL or kind == records.SCHEDULE_CANCEL:
        return phases.CLEAR
    if kind == records.SET_AGENT or kind == records.BULK:
        return phases.IDLE
    if kind == records.CRANK:
        return phases.CRANK
    if kind == records.BACKSTOP_WITHDRAW:
        return phases.REQUEST
    if kind == records.REPORT:
        return phases.REPORT
    assert kind in [records.TRANSFER, records.WITHDRAW, records.BACKSTOP_DEPOSIT], "malformed_record"
    return phases.MARGIN
