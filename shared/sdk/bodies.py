"""The bodies of an account's records, whichever way they are sent: to the operator or through the queue on L1."""

from __future__ import annotations

from typing import Final

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.state import keys
from setoff.shared.wire.records import SIGNED, encode_body

SESSION_GAP: Final = 32
"""Sessions passed over where an agent's right is taken away: namings that were signed before, and never taken, are
void."""


def get_bound(mark: int, side: int, slippage: int) -> int:
    """The worst price of an order, ticks, that is `slippage` ppm worse than the mark at most."""
    if side == records.BUY:
        return min(mark + mark * slippage // PPM, keys.MAX_TICK)
    return max(mark - mark * slippage // PPM, 1)


def give_way(flags: int) -> int:
    """The flags of an order for an agent that has not all sub-accounts, unless they name a rule against self-trade."""
    return flags if flags & records.SELF_TRADE else flags | records.CANCEL_TAKER


def name_partner(order_slot: int | None) -> int:
    """How an order names the armed order in `order_slot` as its partner, None for none."""
    return 0 if order_slot is None else order_slot + 1


def next_session(last: int, address: bytes) -> int:
    """The session in which an agent is named after the account's `last`, or (address zero) its right taken away."""
    return last + (1 if any(address) else SESSION_GAP)


def make_body(name: str, account: int, nonce: int, agent: int, *fields: int | bytes) -> bytes:
    """The 60-byte body of a record of the signed type `name`; `fields`: those between its head and its agent, if any.

    `agent`: number of the agent who signs, 0 for the owner; types that only an owner signs have no field for it. Raises
    InputError for a number beyond its field's width.
    """
    signer = (agent,) if SIGNED[name].fields[-1].name == "agent" else ()
    return encode_body(name, (account, nonce, *fields, *signer))
