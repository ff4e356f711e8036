"""Agents: keys that trade for an owner, each with nonces and a scope of its own. Twin: ``contracts/rules/agents.vy``.

An agent is named for a *session*, a number higher than any of the account before, which is the upper half of its
nonces: what a key has signed counts in the session it was signed for, and never again. Its *scope* says which of the
owner's sub-accounts and markets it may touch, by which kinds of records, and what its orders may be; zero stands for
all of them.
"""

from __future__ import annotations

from typing import Final

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.records import SetAgentBody
from setoff.shared.rules.nonces import MAX_NONCE_JUMP
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, Agent

SESSION_BITS: Final = 32
"""Bits of an agent's nonce that count within its session; those above are the session."""
MARKETS_BITS: Final = 64
"""Bits of a scope that are its markets; those above are its sub-accounts, and then its limits."""
SUBS_BITS: Final = 16
CLOSES_ONLY: Final = 2**15
"""Of limits: the agent sends none but reduce-only orders. The bits below are the most lots of an order, 0 for any:"""
SIZE_BITS: Final = 10
"""so many binary digits, the lower ones; those above are how often they are doubled."""
_ALL_USED: Final = 2**256 - 1


def check_change(change: SetAgentBody) -> int:
    """Whether a change of an agent has a number in range, a master account, and kinds that an agent may sign."""
    if not 1 <= change.agent <= keys.MAX_AGENT or change.kinds & ~records.AGENT_KINDS:
        return errors.MALFORMED_RECORD
    if change.account > keys.MAX_ACCOUNT:
        return errors.SUB_ACCOUNT
    return errors.ACCEPTED


def check_session(master: Account, change: SetAgentBody) -> int:
    """Whether a change of an agent comes in its order; returns the outcome.

    A right can be taken away in the session that was the last, too, so that this never ends with the numbers.
    """
    if change.session < master.session or change.session > master.session + MAX_NONCE_JUMP:
        return errors.WRONG_SESSION
    if change.session == master.session and change.key != bytes(20):
        return errors.WRONG_SESSION
    return errors.ACCEPTED


def set_agent(agent: Agent, change: SetAgentBody) -> None:
    """Name an agent, whose first nonce is the one behind its session's, or take one away (address zero)."""
    agent.clear()
    if change.key == bytes(20):
        return
    agent.address = change.key
    agent.expiry = change.expiry
    agent.markets = int.from_bytes(change.markets, "big")
    agent.subs = change.subs
    agent.kinds = change.kinds
    agent.limits = change.limits
    agent.nonce_top = change.session << SESSION_BITS
    agent.nonce_bitmap = _ALL_USED


def is_in_scope(agent: Agent, kind: int, account: int, market: int, flags: int, size: int) -> bool:
    """Whether the agent may sign a record of this kind for the account; of an order also its market, flags and size.

    What takes back all orders of an account is for an agent of all its markets.
    """
    if agent.kinds and not agent.kinds >> kind & 1:
        return False
    if agent.subs and not agent.subs >> keys.get_sub(account) & 1:
        return False
    if kind in (records.CANCEL_ALL, records.SCHEDULE_CANCEL):
        return agent.markets == 0
    return kind != records.ORDER or may_send(get_scope(agent), market, flags, size)


def get_scope(agent: Agent) -> int:
    """Limits, sub-accounts and markets of an agent, as the registers hold them."""
    return agent.limits << SUBS_BITS + MARKETS_BITS | agent.subs << MARKETS_BITS | agent.markets


def may_trade(scope: int, market: int) -> bool:
    """Whether a scope has this market (1 to 255)."""
    markets = scope & (1 << MARKETS_BITS) - 1
    return markets == 0 or any(markets >> 8 * place & 0xFF == market for place in range(MARKETS_BITS // 8))


def get_max_size(limits: int) -> int:
    """The most lots of an order that these limits of an agent allow, 0 for any."""
    size = limits & ~CLOSES_ONLY
    return (size & (1 << SIZE_BITS) - 1) << (size >> SIZE_BITS)


def may_send(scope: int, market: int, flags: int, size: int) -> bool:
    """Whether an order with these flags, of so many lots, may come from who has this scope.

    All sub-accounts of an owner meet in one book. An agent that has not all of them gives way to the others' orders
    there: it would take them out, if it could cancel what its order meets.
    """
    limits = scope >> SUBS_BITS + MARKETS_BITS
    max_size = get_max_size(limits)
    has_all_subs = scope >> MARKETS_BITS & (1 << SUBS_BITS) - 1 == 0
    return (
        may_trade(scope, market)
        and (has_all_subs or flags & records.SELF_TRADE == records.CANCEL_TAKER)
        and (limits & CLOSES_ONLY == 0 or flags & records.REDUCE_ONLY != 0)
        and (max_size == 0 or size <= max_size)
    )
