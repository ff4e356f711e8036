"""What a node can do: found out once, by trying, for some lack what most have, and nearly all can be done without.

Whatever a node says, only what it does counts. Where nobody answers nothing is found out; it is tried again when it is
needed next.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

from coincurve import PrivateKey

from setoff.shared.errors import ChainError
from setoff.shared.l1.answers import ADDRESS_BYTES, take_bytes, take_list, take_object, take_quantity
from setoff.shared.l1.endpoint import Refused, Reverted, Unsupported
from setoff.shared.l1.rpc import Node, to_hex
from setoff.shared.l1.sidecar import CELLS, Sidecar
from setoff.shared.l1.survey import LEAST_DEPTH
from setoff.shared.l1.transaction import Unsigned, sign_transaction
from setoff.shared.machine.blobs import BLOB_BYTES
from setoff.shared.params import GWEI

REVERTING: Final = "0x60006000fd"
"""Code of a creation that fails, whatever the state."""
INFINITY: Final = b"\xc0" + bytes(47)
"""The neutral element of BLS12-381's first group: commitment of a blob of zeros, and proof of each of its cells."""
NO_DATA: Final = Sidecar((bytes(BLOB_BYTES),), (INFINITY,), (INFINITY,) * CELLS)
"""A blob that nobody has to compute anything for."""
OFFERED: Final = 50_000
"""Gas of a transaction that is only offered."""
TRIES: Final = 3
"""Times that a node has to fail in something before it is said to lack it."""
PAUSE: Final = 0.5
"""Seconds between them."""

log = logging.getLogger(__name__)


class Ability(NamedTuple):
    """One thing that a node may be able to do."""

    name: str
    lack: str
    """What is done without it, or lost."""
    try_out: Callable[[Node], bool]

    def is_had_by(self, node: Node) -> bool:
        """Whether the node has it, tried out at the first call. Raises ChainError("rpc_unreachable")."""
        if self.name not in node.learnt:
            node.learnt[self.name] = self.try_out(node)
        return node.learnt[self.name]


def find_lacks(node: Node, *further: Ability) -> Iterator[Ability]:
    """What the node cannot do, of all here and of these. Raises ChainError if it does not answer."""
    return (ability for ability in (*ABILITIES, *further) if not ability.is_had_by(node))


def tell_lacks(node: Node) -> None:
    """Log what the node cannot do, and what is done without it; nothing where it does not answer."""
    try:
        for ability in find_lacks(node):
            log.warning("the L1 node has no %s: %s", ability.name, ability.lack)
    except ChainError as error:
        log.warning("what the L1 node can do is not known yet: %s", error.detail)


# --- how it is tried -------------------------------------------------------------------------------------------------


def _is_shown(node: Node, method: str, *params: Any, take: Callable[[Any], object] = take_object) -> bool:
    """Whether an endpoint has a result for this; what refuses or has nothing is asked again, for it may be busy."""

    def look() -> bool:
        answers = node.ask_each(method, *params, take=take)
        return not all(answer is None or isinstance(answer, Refused) for answer in answers)

    return _comes_true(look)


def _comes_true(look: Callable[[], bool]) -> bool:
    for again in range(TRIES):
        if again:
            time.sleep(PAUSE)
        if look():
            return True
    return False


def _shows_pending(node: Node) -> bool:
    return node.next_block() == "pending" or _is_shown(node, "eth_getBlockByNumber", "pending", False)


def _shows_finalized(node: Node) -> bool:
    return _is_shown(node, "eth_getBlockByNumber", "finalized", False)


def _suggests_tips(node: Node) -> bool:
    return _is_shown(node, "eth_maxPriorityFeePerGas", take=take_quantity)


def _shows_block_receipts(node: Node) -> bool:
    """By the block's hash: some know the number only."""
    return _is_shown(node, "eth_getBlockReceipts", to_hex(node.head().hash), take=take_list)


def _proves_storage(node: Node) -> bool:
    """Also of a block that is no longer the latest one: where endpoints differ, one before it is proven by."""
    number = max(node.head().number - LEAST_DEPTH, 0)
    return _is_shown(node, "eth_getProof", to_hex(bytes(ADDRESS_BYTES)), [to_hex(bytes(32))], hex(number))


def _refuses_in_estimates(node: Node) -> bool:
    def look() -> bool:
        answers = node.ask_each("eth_estimateGas", {"data": REVERTING}, take=take_quantity)
        return all(isinstance(answer, Reverted) for answer in answers)

    return _comes_true(look)


def _takes_blobs(node: Node) -> bool:
    """Whether it can read what carries blobs. It is offered a transaction of either kind that no block can take: who
    refuses both in the same words has read both.

    First they are of another chain, which most see before they compute anything. Where the words differ, they are of an
    account without money: who says so of the one, and something else of the other, cannot read that. Of whoever says
    anything else of the first nothing is known, and no ill believed.
    """
    key = PrivateKey(os.urandom(32))
    offer = partial(
        Unsigned,
        nonce=0,
        tip=GWEI,
        fee=2 * node.head().base_fee + GWEI,
        gas=OFFERED,
        to=os.urandom(20),
        value=0,
        data=b"",
    )
    try:
        blob_fee = 2 * node.blob_base_fee() + 1
    except Unsupported:
        return False

    def answers(chain_id: int) -> list[tuple[bytes | Refused | None, bytes | Refused | None]]:
        plain = sign_transaction(key, offer(chain_id=chain_id))
        with_blob = offer(chain_id=chain_id, blob_fee=blob_fee, blob_hashes=NO_DATA.hashes)
        carrying = NO_DATA.wrap(sign_transaction(key, with_blob))
        both = (node.ask_each("eth_sendRawTransaction", to_hex(raw), take=take_bytes) for raw in (plain, carrying))
        return list(zip(*both, strict=False))

    def look() -> bool:
        if all(_words(one) == _words(other) != "" for one, other in answers(node.chain_id ^ 1)):
            return True
        return not any(
            _is_poor(one) and isinstance(other, Refused) and not _is_poor(other)
            for one, other in answers(node.chain_id)
        )

    return _comes_true(look)


def _words(answer: object) -> str:
    return answer.message if isinstance(answer, Refused) else ""


def _is_poor(answer: object) -> bool:
    return isinstance(answer, Refused) and answer.reason == "insufficient_funds"


PENDING: Final = Ability("pending block", "calls are tried on the latest one instead", _shows_pending)
FINALIZED: Final = Ability("finalized block", "nothing is known to be final", _shows_finalized)
TIPS: Final = Ability("tip suggestion", "the least tip is paid", _suggests_tips)
BLOCK_RECEIPTS: Final = Ability(
    "receipts of a block by its hash", "they are asked for one by one", _shows_block_receipts
)
PROOFS: Final = Ability(
    "proofs of storage",
    "after a long way the contracts' storage is taken on the node's word; of a full block all receipts are read",
    _proves_storage,
)
REFUSING_ESTIMATES: Final = Ability(
    "refusal in estimates of gas", "a transaction is tried as a call before it is estimated", _refuses_in_estimates
)
CARRIES_BLOBS: Final = Ability(
    "blob transactions with cell proofs", "an operator posts in calldata instead", _takes_blobs
)

ABILITIES: Final = (PENDING, FINALIZED, TIPS, BLOCK_RECEIPTS, PROOFS, REFUSING_ESTIMATES)
"""What everybody needs."""
