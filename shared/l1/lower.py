"""A head that is lower than what was read, and not of it: whether the branch that was read is given up for it.

Height does not say which branch L1 is on: since the merge that is the one with most attestations, and total difficulty
stands still. A branch that few attest, or none, shown by a node that was broken or lied, may be higher by any number of
blocks, each of them 12 seconds in which a reader that waits for the true one to be as high sees nothing. `finalized` is
no help: it is the word of the same node, and where it is true it is a quarter of an hour old.

So the branch is given up once for `PATIENCE` seconds every look has met such a head, and no backend that was asked has
what was read, or of several endpoints less than half. Who is merely behind shows no such head: of the same branch a
lower block has the hash that was read; and where that is not remembered (of a long way few blocks are) it is old, while
the head of a chain that goes on is of just now.

What that costs an attacker: whoever answers for the only node, all that time, makes a reader go back to where the
branches part, and read from there. He could do so before, and at once, by a head that is higher. Nothing is lost by it:
what was read comes again with its branch, and is taken from what was executed. The same holds where a node that is
behind is taken for one on another branch, as on a chain with quick blocks, or by a clock that is wrong here. A backend
of several that was left behind on a branch of its own does not come to it: the others are met between, and each time
the while begins anew.

What is left: of two endpoints that differ for good the one that is higher is believed (`survey.py` names both), and a
false branch whose node stays the only one is followed, as every head is. `PATIENCE` is also how long a watcher may be
blind after such a branch: clocks of the court are of hours at least.
"""

from __future__ import annotations

import logging
import time
from typing import Final

from setoff.shared.l1.answers import Block
from setoff.shared.l1.headers import take_block
from setoff.shared.l1.rpc import Node

PATIENCE: Final = 60.0
"""Seconds: five blocks of mainnet, of which some would have been shown by whoever has the branch that was read."""

FRESH: Final = 120.0
"""Seconds since its timestamp for which a head is of just now: less than the 32 blocks at least by which a node is
behind where the hash of its head is not remembered, on a chain with blocks of 12 seconds."""

LOOKS: Final = 4
"""Times that everybody is asked at each look, so that backends in turn do not fall in with the questions."""

log = logging.getLogger(__name__)


class LowerHead:
    """One reader's."""

    def __init__(self) -> None:
        self._since: float | None = None  # when the first such head was met, monotonic

    def forget(self) -> None:
        """Another head was met: the while begins anew."""
        self._since = None

    def is_to_follow(self, node: Node, known: dict[int, bytes], head: Block) -> bool:
        """Whether what was read is to be given up for `head`, which is lower than the last of it. `known`: the hashes
        of blocks that were read, by number, ascending. Raises ChainError."""
        number = _find_contested(node, known, head)
        if number is None or _is_had(node, number, known[number]):
            self.forget()
            return False
        now, newest = time.monotonic(), next(reversed(known))
        if self._since is None:
            self._since = now
            log.warning("%s shows block %d of another branch than was read up to %d", node.hosts, head.number, newest)
        left = PATIENCE - (now - self._since)
        node.note_lower(head.number, newest, left)
        return left <= 0


def _find_contested(node: Node, known: dict[int, bytes], head: Block) -> int | None:
    """The number of a block that was read and that the branch of `head` does not have; None: it is only behind."""
    place = max((number for number in known if number <= head.number), default=None)
    if place is None:
        return None
    if place == head.number or node.block(place).hash != known[place]:
        return place
    return next(reversed(known)) if time.time() - head.timestamp < FRESH else None


def _is_had(node: Node, number: int, block_hash: bytes) -> bool:
    """Whether at least half of those who answer have that block."""
    for _ in range(LOOKS):
        answers = node.ask_each("eth_getBlockByNumber", hex(number), False, take=take_block)
        have = sum(isinstance(answer, Block) and answer.hash == block_hash for answer in answers)
        if 2 * have >= len(answers):
            if len(node.endpoints) == 1:
                node.note_split()
            return True
    return False
