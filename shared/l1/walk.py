"""The way from what was read to a block of the chain: by parent hashes, so that all of it is of one chain.

A number names a block of whatever chain the backend that answers is on; a hash names one block. So new blocks are found
backwards from the newest, each by the hash that the one after it has for its parent, until one is known. What lies
between is new, and what was read after the known one is no longer in the chain: a reorg, seen and not guessed.
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
