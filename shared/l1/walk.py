"""The way from what was read to a block of the chain: by parent hashes, so that all of it is of one chain.

A number names a block of whatever chain the backend that answers is on; a hash names one block. So new blocks are found
backwards from the newest, each by the hash that the one after it has for its parent, until one is known. What lies
between is new, and what was read after the known one is no longer in the chain: a reorg, seen and not guessed.

Of several backends at one address one may stay on a branch that no other has. Its heads are not followed while another
continues what was read (`stretch.py`), its refusals are held against the block read last, by hash (EIP-1898), and its
receipts against the blocks that were read (`player.py`). What it is given to send is lost all the same, until the
sender's next try: with one endpoint of this kind a game can run out of time, and the log and `watcher status` say
"two branches at once" (`survey.py`). With a second endpoint what has a deadline is given to both at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from setoff.shared.l1.answers import Block
from setoff.shared.l1.rpc import Node


class Way(NamedTuple):
    """`fork`: number of the newest known block that is in the chain, None if none was met within the limit; `blocks`:
    the new ones after it, the oldest first."""

    fork: int | None
    blocks: tuple[Block, ...]


def walk_back(node: Node, tip: Block, known: Callable[[int], bytes | None], limit: int) -> Way:
    """The way to `tip` from the blocks whose hash `known` gives by their number, at most `limit` blocks long.

    Raises ChainError if no node shows one of the blocks.
    """
    if known(tip.number) == tip.hash:
        return Way(tip.number, ())
    blocks = [tip]
    while len(blocks) <= limit:
        first = blocks[-1]
        if first.number and known(first.number - 1) == first.parent:
            return Way(first.number - 1, tuple(reversed(blocks)))
        if not first.number or len(blocks) == limit:
            break
        blocks.append(node.block_by_hash(first.parent))
    return Way(None, tuple(reversed(blocks)))
