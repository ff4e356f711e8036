"""What several endpoints say of one chain, compared: which of them is silent, is behind, or tells another story.

Whose answers differ from the majority's at a depth where chains agree is asked last from then on, until they agree.
Where there is no majority all are named: whom to believe is not for a program to guess. What is proven by a block's
hash (`storage.py`) is proven by one that the majority has.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import Final, TypeVar

from setoff.shared.errors import ChainError
from setoff.shared.l1.answers import Block, Lacking, Malformed
from setoff.shared.l1.endpoint import Endpoint, Refused, Unanswered
from setoff.shared.l1.headers import take_block
from setoff.shared.l1.rpc import Node

INTERVAL: Final = 10.0
"""Seconds between two comparisons."""

LEAST_DEPTH: Final = 3
"""Blocks back from the head at which endpoints have to agree, at least."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class Survey:
    """Compares a node's endpoints now and then."""

    def __init__(self, node: Node, depth: int) -> None:
        """`depth`: blocks back from the head at which they have to agree."""
        self._node = node
        self._depth = max(depth, LEAST_DEPTH)
        self._next = 0.0
        self._found: list[str] = []

    def look(self) -> list[str]:
        """What is wrong with which endpoint, compared anew if it is time; never raises for a node's sake.

        An only one has nobody to be compared with, but can contradict itself.
        """
        if len(self._node.endpoints) > 1 and time.monotonic() >= self._next:
            found = self._compare()
            self._next = time.monotonic() + INTERVAL
            for complaint in found:
                if complaint not in self._found:
                    log.error("L1 endpoints: %s", complaint)
            self._found = found
        return self._found + self._node.list_splits()

    def _compare(self) -> list[str]:
        found: list[str] = []
        heads: dict[Endpoint, int] = {}
        for endpoint in self._node.endpoints:
            endpoint.suspicion = ""
            head = _ask(endpoint, "latest")
            if isinstance(head, str):
                self._suspect(found, endpoint, f"does not answer ({head})")
            else:
                heads[endpoint] = head.number
        # Of two that differ who is behind is wrong; of more, who differs from most: a head is quickly made up.
        middle = _find_middle(heads.values(), 0)
        for endpoint, number in heads.items():
            if abs(middle - number) > self._depth:
                way = "behind" if number < middle else "ahead"
                self._suspect(found, endpoint, f"is {abs(middle - number)} blocks {way}")
        current = [endpoint for endpoint in heads if not endpoint.suspicion]
        height = max(min((heads[endpoint] for endpoint in current), default=0) - self._depth, 0)
        blocks = {endpoint: _ask(endpoint, hex(height)) for endpoint in current}
        hashes = {endpoint: block.hash for endpoint, block in blocks.items() if isinstance(block, Block)}
        if len(set(hashes.values())) > 1:
            majority = _find_majority(hashes.values())
            for endpoint, block_hash in hashes.items():
                if block_hash != majority:
                    what = f"has 0x{block_hash.hex()[:16]} for block {height}"
                    self._suspect(found, endpoint, f"{what}, others do not")
        found += [
            f"{endpoint.host} told of something that L1 has otherwise: {endpoint.refuted}"
            for endpoint in self._node.endpoints
            if endpoint.refuted
        ]
        return found

    def _suspect(self, found: list[str], endpoint: Endpoint, what: str) -> None:
        endpoint.suspicion = what
        found.append(f"{endpoint.host} {what}")


def find_agreed(node: Node, tip: Block, known: Callable[[int], bytes | None], reach: int) -> Block:
    """The block that what was read up to `tip` may be held against: `tip` itself if all endpoints have it; the newest
    that all have reached, if they have the same; else one before it, at a depth where chains agree, that most have.

    `known`: the hashes of blocks that were read, by number. As in the survey, who is silent or behind has no vote:
    here, more than `reach` blocks behind. Raises ChainError if there is no majority, or it is on another chain.
    """
    if len(node.endpoints) == 1:
        return tip
    block = _find_agreed(node, tip, reach)
    if known(block.number) not in (None, block.hash):
        raise ChainError("rpc_unreachable", f"most of {node.hosts} have another block {block.number} than was read")
    return block


def _find_agreed(node: Node, tip: Block, reach: int) -> Block:
    shown = _show(node, tip.number)
    if all(endpoint in shown and _is_same(shown[endpoint], tip) for endpoint in node.endpoints):
        return tip
    heads = [block.number for each in node.endpoints if isinstance(block := _ask(each, "latest"), Block)]
    middle = _find_middle(heads, tip.number)
    if tip.number - middle > reach:
        raise ChainError("rpc_unreachable", f"block {tip.number} is {tip.number - middle} ahead of most: {node.hosts}")
    current = [number for number in heads if tip.number - (number - LEAST_DEPTH) <= reach]
    common = min([tip.number, *current])
    shown = _show(node, common)
    is_shown_by_most = len(shown) >= len(current) and 2 * len(shown) > len(heads)
    if is_shown_by_most and len({(block.hash, block.state_root) for block in shown.values()}) == 1:
        return next(iter(shown.values()))
    number = max(common - LEAST_DEPTH, 0)
    shown = _show(node, number)
    majority = _find_majority((block.hash, block.state_root) for block in shown.values())
    for block in shown.values():
        if (block.hash, block.state_root) == majority:
            return block
    words = (f"{endpoint.host} has 0x{block.hash.hex()[:16]}" for endpoint, block in shown.items())
    raise ChainError("rpc_unreachable", f"no majority for block {number}: {', '.join(words) or node.hosts}")


def _show(node: Node, number: int) -> dict[Endpoint, Block]:
    """What each endpoint has for that block, of those that have one."""
    answers = {endpoint: _ask(endpoint, hex(number)) for endpoint in node.endpoints}
    return {endpoint: block for endpoint, block in answers.items() if isinstance(block, Block)}


def _is_same(one: Block, other: Block) -> bool:
    return (one.hash, one.state_root) == (other.hash, other.state_root)


def _find_middle(heads: Collection[int], default: int) -> int:
    """The number of the middle one of these heads, the later one of two; `default` where there is none."""
    return sorted(heads)[len(heads) // 2] if heads else default


def _find_majority(votes: Iterable[T]) -> T | None:
    """What has more votes than anything else; None if nothing has."""
    counts = Counter(votes).most_common(2)
    return None if not counts or (counts[-1][1] == counts[0][1] and len(counts) > 1) else counts[0][0]


def _ask(endpoint: Endpoint, tag: str) -> Block | str:
    """A block, or what was wrong with the answer."""
    try:
        return take_block(endpoint.ask("eth_getBlockByNumber", (tag, False)))
    except (Refused, Unanswered, Malformed, Lacking) as error:
        return str(error)
