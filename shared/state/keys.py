"""Keys of the state tree: 40 bits, ``kind << BODY_BITS | body``. Twin: ``contracts/state/keys.vy``.

Keys are structural and dense, so that leaves used together share most of their Merkle paths.
"""

from __future__ import annotations

from typing import Final

KEY_BITS: Final = 40
BODY_BITS: Final = 36

ACCOUNT: Final = 1
ORDER: Final = 2
LEVEL: Final = 3
BITMAP: Final = 4
MARKET: Final = 5
ORACLE: Final = 6
SIGNERS: Final = 7
WITHDRAWAL: Final = 8
AGENT: Final = 9
PARKED: Final = 10
HOLDERS: Final = 11
REQUEST: Final = 12
TERMS: Final = 13
ACTIVITY: Final = 14

MAX_ACCOUNT: Final = 2**20 - 1
MAX_SUB: Final = 15
MAX_AGENT: Final = 8
ABOVE: Final = 2
"""Side of orders armed above a mark, beside the book's 0 (buy) and 1 (sell)."""
BELOW: Final = 3
"""Side of orders armed below a mark."""
BACKSTOP: Final = 0
"""The backstop vault's account: it has no owner and signs nothing."""
MAX_MARKET: Final = 255
MAX_ORDER_SLOT: Final = 255
MAX_TICK: Final = 2**24 - 1


def account_key(account: int) -> int:
    """Key of account leaf `account`: a master account (1..MAX_ACCOUNT) or one of its sub-accounts."""
    return ACCOUNT << BODY_BITS | account


def sub_account(master: int, sub: int) -> int:
    """Id of sub-account `sub` (0 the master itself, 1..MAX_SUB) of a master account."""
    return sub << 20 | master


def get_master(account: int) -> int:
    """The master account of an account or sub-account."""
    return account & MAX_ACCOUNT


def get_sub(account: int) -> int:
    """Number of a sub-account, 0 for a master."""
    return account >> 20


def agent_key(master: int, agent: int) -> int:
    """Key of agent `agent` (1..MAX_AGENT) of a master account."""
    return AGENT << BODY_BITS | master << 8 | agent


def order_handle(account: int, order_slot: int) -> int:
    """Handle of an order: its account and one of that account's order slots (0..MAX_ORDER_SLOT); 0 names no order."""
    return account << 12 | order_slot


def handle_account(handle: int) -> int:
    """Account of an order handle."""
    return handle >> 12


def handle_order_slot(handle: int) -> int:
    """Order slot of an order handle."""
    return handle & 0xFFF


def order_key(handle: int) -> int:
    """Key of the order with this handle."""
    return ORDER << BODY_BITS | handle


def level_key(market: int, side: int, tick: int) -> int:
    """Key of a level: of the book (side 0 buy, 1 sell) or of armed orders (2 above, 3 below); tick 1..MAX_TICK."""
    return LEVEL << BODY_BITS | market << 26 | side << 24 | tick


def level_tree(market: int, side: int) -> int:
    """Tree of bitmap words over the ticks of a side that have a level, as `bitmap_key` takes it."""
    return BITMAP << BODY_BITS | market << 20 | side << 18


def holder_tree(market: int) -> int:
    """Tree of bitmap words over the accounts that hold something in `market`, as `bitmap_key` takes it."""
    return HOLDERS << BODY_BITS | market << 18


def bitmap_key(tree: int, depth: int, number: int) -> int:
    """Key of the word of `tree` at `depth` (0 top, 1 middle, 2 leaf) that covers `number`, a tick or an account."""
    return tree | depth << 16 | bitmap_index(depth, number)


def bitmap_index(depth: int, number: int) -> int:
    """Index of the word at `depth` that covers `number`: one word, 256 words, 65,536 words."""
    return number >> (24 - 8 * depth)


def bitmap_bit(depth: int, number: int) -> int:
    """Bit number (0..255) of `number` in its word at `depth`."""
    return (number >> (16 - 8 * depth)) & 0xFF


def market_key(market: int) -> int:
    """Key of market leaf `market` (1..MAX_MARKET)."""
    return MARKET << BODY_BITS | market


def oracle_key(market: int) -> int:
    """Key of the oracle reports of `market`."""
    return ORACLE << BODY_BITS | market


def signers_key() -> int:
    """Key of the set of oracle signers."""
    return SIGNERS << BODY_BITS


def withdrawal_key(index: int) -> int:
    """Key of withdrawal `index` (0.., in the order in which the machine accepted them)."""
    return WITHDRAWAL << BODY_BITS | index


def parked_key(index: int) -> int:
    """Key of parked record `index` (0.., in the order in which the queue brought them)."""
    return PARKED << BODY_BITS | index


def request_key(account: int) -> int:
    """Key of what `account` has asked of the backstop."""
    return REQUEST << BODY_BITS | account


def terms_key() -> int:
    """Key of the exchange's terms."""
    return TERMS << BODY_BITS


def activity_key(master: int) -> int:
    """Key of the activity of a master account's owner, with all sub-accounts."""
    return ACTIVITY << BODY_BITS | master
