"""What several endpoints say of one chain, compared: which of them is silent, is behind, or tells another story.

Whose answers differ from the majority's at a depth where chains agree is asked last from then on, until they agree.
Where there is no majority all are named: whom to believe is not for a program to guess.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import Final

from setoff.shared.l1.answers import Block, Lacking, Malformed
from setoff.shared.l1.endpoint import Endpoint, Refused, Unanswered
from setoff.shared.l1.headers import take_block
from setoff.shared.l1.rpc import Node

INTERVAL: Final = 10.0
"""Seconds between two comparisons."""

LEAST_DEPTH: Final = 3
"""Blocks back from the head at which endpoints have to agree, at least."""

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
        """What is wrong with which endpoint, compared anew if it is time; never raises for a node's sake."""
        if len(self._node.endpoints) > 1 and time.monotonic() >= self._next:
            found = self._compare()
            self._next = time.monotonic() + INTERVAL
            for complaint in found:
                if complaint not in self._found:
                    log.error("L1 endpoints: %s", complaint)
            self._found = found
        return self._found

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
        middle = sorted(heads.values())[len(heads) // 2] if heads else 0
        for endpoint, number in heads.items():
            if abs(middle - number) > self._depth:
                way = "behind" if number < middle else "ahead"
                self._suspect(found, endpoint, f"is {abs(middle - number)} blocks {way}")
        current = [endpoint for endpoint in heads if not endpoint.suspicion]
        height = max(min((heads[endpoint] for endpoint in current), default=0) - self._depth, 0)
        blocks = {endpoint: _ask(endpoint, hex(height)) for endpoint in current}
        hashes = {endpoint: block.hash for endpoint, block in blocks.items() if isinstance(block, Block)}
        counts = Counter(hashes.values()).most_common()
        if len(counts) > 1:
            has_majority = counts[0][1] > counts[1][1]
            for endpoint, block_hash in hashes.items():
                if not has_majority or block_hash != counts[0][0]:
                    what = f"has 0x{block_hash.hex()[:16]} for block {height}"
                    self._suspect(found, endpoint, f"{what}, others do not")
        return found

    def _suspect(self, found: list[str], endpoint: Endpoint, what: str) -> None:
        endpoint.suspicion = what
        found.append(f"{endpoint.host} {what}")


def _ask(endpoint: Endpoint, tag: str) -> Block | str:
    """A block, or what was wrong with the answer."""
    try:
        return take_block(endpoint.ask("eth_getBlockByNumber", (tag, False)))
    except (Refused, Unanswered, Malformed, Lacking) as error:
        return str(error)
