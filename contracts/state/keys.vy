# pragma version 0.4.3
"""
@title Keys of the state tree: 40 bits, `kind << BODY_BITS | body`
@license MIT
@notice Twin: `shared/state/keys.py`.
"""

KEY_BITS: constant(uint256) = 40
BODY_BITS: constant(uint256) = 36

ACCOUNT: constant(uint256) = 1
ORDER: constant(uint256) = 2
LEVEL: constant(uint256) = 3
BITMAP: constant(uint256) = 4
MARKET: constant(uint256) = 5
ORACLE: constant(uint256) = 6
SIGNERS: constant(uint256) = 7
WITHDRAWAL: constant(uint256) = 8
AGENT: constant(uint256) = 9
PARKED: constant(uint256) = 10
HOLDERS: constant(uint256) = 11
REQUEST: constant(uint256) = 12
TERMS: constant(uint256) = 13
ACTIVITY: constant(uint256) = 14

MAX_ACCOUNT: constant(uint256) = 2**20 - 1
MAX_SUB: constant(uint256) = 15
MAX_AGENT: constant(uint256) = 8
# Sides of armed orders, beside the book's 0 (buy) and 1 (sell).
ABOVE: constant(uint256) = 2
BELOW: constant(uint256) = 3
# The backstop vault's account: it has no owner and signs nothing.
BACKSTOP: constant(uint256) = 0
MAX_MARKET: constant(uint256) = 255
MAX_ORDER_SLOT: constant(uint256) = 255
MAX_TICK: constant(uint256) = 2**24 - 1


@internal
@pure
def account_key(account: uint256) -> uint256:
    """
    @return Key of account leaf `account`: a master account (1..MAX_ACCOUNT) or one of its sub-accounts.
    """
    return ACCOUNT << BODY_BITS | account


@internal
@pure
def sub_account(master: uint256, sub: uint256) -> uint256:
    """
    @return Id of sub-account `sub` (0 the master itself, 1..MAX_SUB) of a master account.
    """
    return sub << 20 | master


@internal
@pure
def get_master(account: uint256) -> uint256:
    """
    @return The master account of an account or sub-account.
    """
    return account & MAX_ACCOUNT


@internal
@pure
def get_sub(account: uint256) -> uint256:
    """
    @return Number of a sub-account, 0 for a master.
    """
    return account >> 20


@internal
@pure
def agent_key(master: uint256, agent: uint256) -> uint256:
    """
    @return Key of agent `agent` (1..MAX_AGENT) of a master account.
    """
    return AGENT << BODY_BITS | master << 8 | agent


@internal
@pure
def order_handle(account: uint256, order_slot: uint256) -> uint256:
    """
    @return Handle of an order: its account and one of that account's order slots (0..MAX_ORDER_SLOT); 0 names no order.
    """
    return account << 12 | order_slot


@internal
@pure
def handle_account(handle: uint256) -> uint256:
    """
    @return Account of an order handle.
    """
    return handle >> 12


@internal
@pure
def handle_order_slot(handle: uint256) -> uint256:
    """
    @return Order slot of an order handle.
    """
    return handle & (2**12 - 1)


@internal
@pure
def order_key(handle: uint256) -> uint256:
    """
    @return Key of the order with this handle.
    """
    return ORDER << BODY_BITS | handle


@internal
@pure
def level_key(market: uint256, side: uint256, tick: uint256) -> uint256:
    """
    @return Key of a level: of the book (side 0 buy, 1 sell) or of armed orders (2 above, 3 below); tick 1..MAX_TICK.
    """
    return LEVEL << BODY_BITS | market << 26 | side << 24 | tick


@internal
@pure
def level_tree(market: uint256, side: uint256) -> uint256:
    """
    @return Tree of bitmap words over the ticks of a side that have a level, as `bitmap_key` takes it.
    """
    return BITMAP << BODY_BITS | market << 20 | side << 18


@internal
@pure
def holder_tree(market: uint256) -> uint256:
    """
    @return Tree of bitmap words over the accounts that hold something in `market`, as `bitmap_key` takes it.
    """
    return HOLDERS << BODY_BITS | market << 18


@internal
@pure
def bitmap_key(tree: uint256, depth: uint256, number: uint256) -> uint256:
    """
    @return Key of the word of `tree` at `depth` (0 top, 1 middle, 2 leaf) that covers `number`, a tick or an account.
    """
    return tree | depth << 16 | self.bitmap_index(depth, number)


@internal
@pure
def bitmap_index(depth: uint256, number: uint256) -> uint256:
    """
    @return Index of the word at `depth` that covers `number`: one word, 256 words, 65,536 words.
    """
    return number >> (24 - 8 * depth)


@internal
@pure
def bitmap_bit(depth: uint256, number: uint256) -> uint256:
    """
    @return Bit number (0..255) of `number` in its word at `depth`.
    """
    return (number >> (16 - 8 * depth)) & 255


@internal
@pure
def market_key(market: uint256) -> uint256:
    """
    @return Key of market leaf `market` (1..MAX_MARKET).
    """
    return MARKET << BODY_BITS | market


@internal
@pure
def oracle_key(market: uint256) -> uint256:
    """
    @return Key of the oracle reports of `market`.
    """
    return ORACLE << BODY_BITS | market


@internal
@pure
def signers_key() -> uint256:
    """
    @return Key of the set of oracle signers.
    """
    return SIGNERS << BODY_BITS


@internal
@pure
def withdrawal_key(index: uint256) -> uint256:
    """
    @return Key of withdrawal `index` (0.., in the order in which the machine accepted them).
    """
    return WITHDRAWAL << BODY_BITS | index


@internal
@pure
def parked_key(index: uint256) -> uint256:
    """
    @return Key of parked record `index` (0.., in the order in which the queue brought them).
    """
    return PARKED << BODY_BITS | index


@internal
@pure
def request_key(account: uint256) -> uint256:
    """
    @return Key of what `account` has asked of the backstop.
    """
    return REQUEST << BODY_BITS | account


@internal
@pure
def terms_key() -> uint256:
    """
    @return Key of the exchange's terms.
    """
    return TERMS << BODY_BITS


@internal
@pure
def activity_key(master: uint256) -> uint256:
    """
    @return Key of the activity of a master account's owner, with all sub-accounts.
    """
    return ACTIVITY << BODY_BITS | master
