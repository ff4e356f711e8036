# pragma version 0.4.3
"""
@title Agents: keys that trade for an owner, each with nonces and a scope of its own
@license MIT
@notice An agent is named for a *session*, a number higher than any of the account before, which is the upper half of its
        nonces: what a key has signed counts in the session it was signed for, and never again. Its *scope* says which of
        the owner's sub-accounts and markets it may touch, by which kinds of records, and what its orders may be; zero
        stands for all of them.
        Twin: `shared/rules/agents.py`.
"""

import errors
from codec import records
from rules import nonces
from state import keys
from state import leaves

# Bits of an agent's nonce that count within its session; those above are the session.
SESSION_BITS: constant(uint256) = 32
# Bits of a scope that are its markets; those above are its sub-accounts, and then its limits.
MARKETS_BITS: constant(uint256) = 64
SUBS_BITS: constant(uint256) = 16
# Of limits: the agent sends none but reduce-only orders. The bits below are the most lots of an order, 0 for any:
CLOSES_ONLY: constant(uint256) = 2**15
# so many binary digits, the lower ones; those above are how often they are doubled.
SIZE_BITS: constant(uint256) = 10


@internal
@pure
def check_change(change: records.SetAgentBody) -> uint256:
    """
    @return Outcome: whether a change of an agent has a number in range, a master account, and kinds that an agent may sign.
    """
    if change.agent < 1 or change.agent > keys.MAX_AGENT or change.kinds & ~records.AGENT_KINDS != 0:
        return errors.MALFORMED_RECORD
    if change.account > keys.MAX_ACCOUNT:
        return errors.SUB_ACCOUNT
    return errors.ACCEPTED


@internal
@pure
def check_session(master: leaves.Account, change: records.SetAgentBody) -> uint256:
    """
    @return Outcome: whether a change of an agent comes in its order. A right can be taken away in the session that was the
            last, too, so that this never ends with the numbers.
    """
    if change.session < master.session or change.session > master.session + nonces.MAX_NONCE_JUMP:
        return errors.WRONG_SESSION
    if change.session == master.session and change.key != empty(address):
        return errors.WRONG_SESSION
    return errors.ACCEPTED


@internal
@pure
def set_agent(change: records.SetAgentBody) -> leaves.Agent:
    """
    @return An agent, whose first nonce is the one behind its session's, or none where one is taken away (address zero).
    """
    if change.key == empty(address):
        return empty(leaves.Agent)
    return leaves.Agent(
        expiry=change.expiry,
        address=change.key,
        markets=convert(convert(change.markets, uint64), uint256),
        subs=change.subs,
        kinds=change.kinds,
        limits=change.limits,
        nonce_top=change.session << SESSION_BITS,
        nonce_bitmap=max_value(uint256),
    )


@internal
@pure
def is_in_scope(
    agent: leaves.Agent, kind: uint256, account: uint256, market: uint256, flags: uint256, size: uint256
) -> bool:
    """
    @return Whether the agent may sign a record of this kind for the account; of an order also its market, flags and size.
            What takes back all orders of an account is for an agent of all its markets.
    """
    if agent.kinds != 0 and agent.kinds >> kind & 1 == 0:
        return False
    if agent.subs != 0 and agent.subs >> keys.get_sub(account) & 1 == 0:
        return False
    if kind in [records.CANCEL_ALL, records.SCHEDULE_CANCEL]:
        return agent.markets == 0
    return kind != records.ORDER or self.may_send(self.get_scope(agent), market, flags, size)


@internal
@pure
def get_scope(agent: leaves.Agent) -> uint256:
    """
    @return Limits, sub-accounts and markets of an agent, as the registers hold them.
    """
    return agent.limits << (SUBS_BITS + MARKETS_BITS) | agent.subs << MARKETS_BITS | agent.markets


@internal
@pure
def may_trade(scope: uint256, market: uint256) -> bool:
    """
    @return Whether a scope has this market (1 to 255).
    """
    markets: uint256 = scope & ((1 << MARKETS_BITS) - 1)
    if markets == 0:
        return True
    for place: uint256 in range(8):
        if markets >> (8 * place) & 255 == market:
            return True
    return False


@internal
@pure
def get_max_size(limits: uint256) -> uint256:
    """
    @return The most lots of an order that these limits of an agent allow, 0 for any.
    """
    size: uint256 = limits & ~CLOSES_ONLY
    return (size & ((1 << SIZE_BITS) - 1)) << (size >> SIZE_BITS)


@internal
@pure
def may_send(scope: uint256, market: uint256, flags: uint256, size: uint256) -> bool:
    """
    @return Whether an order with these flags, of so many lots, may come from who has this scope. All sub-accounts of an
            owner meet in one book. An agent that has not all of them gives way to the others' orders there: it would take them out, if it
            could cancel what its order meets.
    """
    limits: uint256 = scope >> (SUBS_BITS + MARKETS_BITS)
    max_size: uint256 = self.get_max_size(limits)
    has_all_subs: bool = scope >> MARKETS_BITS & ((1 << SUBS_BITS) - 1) == 0
    return (
        self.may_trade(scope, market)
        and (has_all_subs or flags & records.SELF_TRADE == records.CANCEL_TAKER)
        and (limits & CLOSES_ONLY == 0 or flags & records.REDUCE_ONLY != 0)
        and (max_size == 0 or size <= max_size)
    )
