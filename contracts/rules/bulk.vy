# pragma version 0.4.3
"""
@title Bulk records: one signature over orders and cancels, on leg pages of eight
@license MIT
@notice A bulk record signs the hash of its first leg page, and each page names the hash of the next. The pages must follow at
        once; any other record in between ends the bulk, and so do MAX_LEG_PAGES pages, 64 legs. A leg that cannot be taken, or
        is not for the agent who signed, is passed over. Twin: `shared/rules/bulk.py`.
"""

import errors
from codec import records
from rules import agents
from rules import phases
from rules import work
from state import keys
from state import leaves
from state import registers
from state import store

_LEG_BITS: constant(uint256) = 8 * records.LEG_BYTES
_LEG_MASK: constant(uint256) = 2**88 - 1
_WORD_BYTES: constant(uint256) = 2 * records.LEG_BYTES


@internal
@pure
def take_leg_page(
    pre: registers.Registers, body: Bytes[records.RECORD_BYTES], expected: bytes32
) -> (registers.Registers, uint256):
    """
    @notice Load the legs of a leg page, which must be the `expected` one.
    @return The registers and the outcome.
    """
    regs: registers.Registers = pre
    if expected == empty(bytes32) or regs.bulk_pages == 0 or keccak256(body) != expected:
        return regs, errors.WRONG_LEG_PAGE
    if self.is_agent_expired(regs):
        return regs, errors.AGENT_EXPIRED
    regs.bulk_pages -= 1
    regs.account = regs.bulk_account
    regs.legs0 = self.get_legs(body, 0)
    regs.legs1 = self.get_legs(body, 1)
    regs.legs2 = self.get_legs(body, 2)
    regs.legs3 = self.get_legs(body, 3)
    regs.bulk = extract32(body, 1 + records.LEGS_PER_PAGE * records.LEG_BYTES)
    regs.phase = phases.LEG
    return regs, errors.ACCEPTED


@internal
@pure
def is_agent_expired(regs: registers.Registers) -> bool:
    """
    @return Whether the agent who signed the bulk has expired.
    """
    return regs.bulk_until != 0 and regs.bulk_until <= regs.time


@internal
@pure
def get_legs(body: Bytes[records.RECORD_BYTES], pair: uint256) -> uint256:
    """
    @return Two legs of a leg page as one number, the first in the higher bits; `pair` 0 to 3, so the word ends before the
            page does.
    """
    return convert(extract32(body, 1 + pair * _WORD_BYTES), uint256) >> (256 - 8 * _WORD_BYTES)


@internal
@pure
def step_leg(
    pre: registers.Registers, w: store.Witness
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Start the next leg of a leg page, unless the input has no steps left for it. Leaves: none.
    """
    regs: registers.Registers = pre
    store.check_count(w, 0)
    if work.is_out_of_steps(regs):
        return work.pause(regs, phases.LEG), w.values
    pair: uint256 = regs.legs0
    if pair == 0:
        pair = regs.legs1
        regs.legs1 = regs.legs2
        regs.legs2 = regs.legs3
        regs.legs3 = 0
    leg: records.Leg = records.decode_leg(pair >> _LEG_BITS)
    regs.legs0 = (pair & _LEG_MASK) << _LEG_BITS
    regs = registers.clear(regs)
    regs.kind = records.LEG_PAGE
    regs.account = regs.bulk_account
    regs.scope = regs.bulk_scope
    if pair == 0 and regs.legs1 == 0 and regs.legs2 == 0 and regs.legs3 == 0:
        regs.phase = phases.IDLE
        return regs, w.values
    regs.return_phase = phases.LEG
    regs.phase = phases.LEG
    if self.is_leg_sound(regs, leg):
        regs = self.start_leg(regs, leg)
    return regs, w.values


@internal
@pure
def is_leg_sound(regs: registers.Registers, leg: records.Leg) -> bool:
    """
    @return Whether a leg names a market and, for an order, a price and size in range, and is one that its signer may send.
            Nothing is opened in a wind-down. A cancel is looked at where its order is (UNLINK). A page that had to pause may
            outlive the agent who signed it. A fill-or-kill order is no leg: eight of them would be eight records' steps.
    """
    if leg.market < 1 or leg.market > regs.markets or leg.flags >= 128 or self.is_agent_expired(regs):
        return False
    if leg.flags & records.CANCEL_LEG != 0:
        return True
    return (
        regs.winding_since == 0
        and leg.flags & records.SELF_TRADE != records.SELF_TRADE
        and leg.flags & records.TIME_IN_FORCE != records.FOK
        and leg.price > 0
        and leg.size > 0
        and leg.size <= phases.MAX_ORDER_SIZE
        and agents.may_send(regs.scope, leg.market, leg.flags, leg.size)
    )


@internal
@pure
def start_leg(pre: registers.Registers, leg: records.Leg) -> registers.Registers:
    """
    @return The registers with a leg: a cancel by order slot, or an order.
    """
    regs: registers.Registers = pre
    regs.market = leg.market
    regs.order_slot = leg.order_slot
    if leg.flags & records.CANCEL_LEG != 0:
        regs.kind = records.CANCEL
        regs.cursor = keys.order_handle(regs.account, leg.order_slot)
        regs.next_phase = phases.LEG
        regs.phase = phases.UNLINK
    else:
        regs.kind = records.ORDER
        regs.side = records.SELL if leg.flags & records.SELL_LEG != 0 else records.BUY
        regs.flags = leg.flags & (records.TIME_IN_FORCE | records.REDUCE_ONLY | records.SELF_TRADE)
        regs.price = leg.price
        regs.size = leg.size
        regs.phase = phases.ADMIT
    return regs
