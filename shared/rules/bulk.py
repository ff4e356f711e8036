"""Bulk records: one signature over orders and cancels, on leg pages of eight. Twin: ``contracts/rules/bulk.vy``.

A bulk record signs the hash of its first leg page, and each page names the hash of the next. The pages must follow at
once; any other record in between ends the bulk, and so do MAX_LEG_PAGES pages, 64 legs. A leg that cannot be taken, or
is not for the agent who signed, is passed over.
"""

from __future__ import annotations

from typing import Final

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import Leg
from setoff.shared.rules import phases
from setoff.shared.rules.agents import may_send
from setoff.shared.rules.work import is_out_of_steps, pause
from setoff.shared.state import keys
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State

_LEG_BITS: Final = 8 * records.LEG_BYTES
_LEG_MASK: Final = 2**_LEG_BITS - 1
_WORD_BYTES: Final = 2 * records.LEG_BYTES


def take_leg_page(regs: Registers, body: bytes, expected: bytes) -> int:
    """Load the legs of a leg page, which must be the `expected` one; returns the outcome."""
    if expected == bytes(32) or regs.bulk_pages == 0 or keccak(body) != expected:
        return errors.WRONG_LEG_PAGE
    if is_agent_expired(regs):
        return errors.AGENT_EXPIRED
    regs.bulk_pages -= 1
    regs.account = regs.bulk_account
    regs.legs0 = get_legs(body, 0)
    regs.legs1 = get_legs(body, 1)
    regs.legs2 = get_legs(body, 2)
    regs.legs3 = get_legs(body, 3)
    start = 1 + records.LEGS_PER_PAGE * records.LEG_BYTES
    regs.bulk = body[start : start + 32]
    regs.phase = phases.LEG
    return errors.ACCEPTED


def is_agent_expired(regs: Registers) -> bool:
    """Whether the agent who signed the bulk has expired."""
    return regs.bulk_until != 0 and regs.bulk_until <= regs.time


def get_legs(body: bytes, pair: int) -> int:
    """Two legs of a leg page as one integer, the first in the higher bits."""
    start = 1 + pair * _WORD_BYTES
    return int.from_bytes(body[start : start + _WORD_BYTES], "big")


def step_leg(regs: Registers, state: State) -> None:
    """Start the next leg of a leg page, unless the input has no steps left for it. Leaves: none."""
    if is_out_of_steps(regs):
        pause(regs, phases.LEG)
        return
    pair = regs.legs0
    if pair == 0:
        pair, regs.legs1, regs.legs2, regs.legs3 = regs.legs1, regs.legs2, regs.legs3, 0
    leg = records.decode_leg(pair >> _LEG_BITS)
    regs.legs0 = (pair & _LEG_MASK) << _LEG_BITS
    regs.clear()
    regs.kind = records.LEG_PAGE
    regs.account = regs.bulk_account
    regs.scope = regs.bulk_scope
    if pair == 0 and regs.legs1 == 0 and regs.legs2 == 0 and regs.legs3 == 0:
        regs.phase = phases.IDLE
        return
    regs.return_phase = phases.LEG
    regs.phase = phases.LEG
    if is_leg_sound(regs, leg):
        start_leg(regs, leg)


def is_leg_sound(regs: Registers, leg: Leg) -> bool:
    """Whether a leg names a market and, for an order, a price and size in range, and is one that its signer may send.

    Nothing is opened in a wind-down. A cancel is looked at where its order is (UNLINK). A page that had to pause may
    outlive the agent who signed it. A fill-or-kill order is no leg: eight of them would be eight records' steps.
    """
    if not 1 <= leg.market <= regs.markets or leg.flags >= 128 or is_agent_expired(regs):
        return False
    if leg.flags & records.CANCEL_LEG:
        return True
    return (
        regs.winding_since == 0
        and leg.flags & records.SELF_TRADE != records.SELF_TRADE
        and leg.flags & records.TIME_IN_FORCE != records.FOK
        and leg.price > 0
        and 0 < leg.size <= phases.MAX_ORDER_SIZE
        and may_send(regs.scope, leg.market, leg.flags, leg.size)
    )


def start_leg(regs: Registers, leg: Leg) -> None:
    """Load the registers with a leg: a cancel by order slot, or an order."""
    regs.market = leg.market
    regs.order_slot = leg.order_slot
    if leg.flags & records.CANCEL_LEG:
        regs.kind = records.CANCEL
        regs.cursor = keys.order_handle(regs.account, leg.order_slot)
        regs.next_phase = phases.LEG
        regs.phase = phases.UNLINK
    else:
        regs.kind = records.ORDER
        regs.side = records.SELL if leg.flags & records.SELL_LEG else records.BUY
        regs.flags = leg.flags & (records.TIME_IN_FORCE | records.REDUCE_ONLY | records.SELF_TRADE)
        regs.price = leg.price
        regs.size = leg.size
        regs.phase = phases.ADMIT
