"""What happened after the blocks that were read: stretch by stretch, up to the head.

Near the head a stretch is read block by block, along parent hashes and with proof of every block's events. A long way,
at a start or after a pause, is read through the node's own filter, which may leave something out, or put something in:
that is not certain until the reader has held it against the contracts' storage (`storage.py`); what differs is read
again, narrower, in the end block by block as well.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from setoff.shared.errors import ChainError
from setoff.shared.l1.answers import Block, Log
from setoff.shared.l1.block_logs import BlockLogs
from setoff.shared.l1.endpoint import Endpoint
from setoff.shared.l1.lower import LowerHead
from setoff.shared.l1.rpc import LOG_BLOCKS, Node
from setoff.shared.l1.storage import has_contract
from setoff.shared.l1.walk import Way, walk_back

NEAR: Final = 64
"""Blocks from the head back that are read one by one; what is further away, through the node's filter."""

MARKS: Final = 256
"""Newest blocks that a reader remembers to tell where a reorg began; a deeper one is found too, at more cost."""

PROVEN: Final = NEAR // 2
"""Blocks from the head back that are read one by one, also at the end of a long way."""

SECOND_LOOKS: Final = 3
"""Times that the head is asked for again where it is of another branch than what was read: of several backends one may
have been left behind on a branch that no other has."""

NARROWER: Final = 6
"""By 2 to this power each new try to read a long way is narrower, after something was missing."""


class OtherChain(ChainError):
    """What was read is of another chain than the contracts (`is_of_another`): it is to be given up."""


class Stretch(NamedTuple):
    """A part of the chain."""

    fork: int
    """The newest block read before that is still in the chain: what came after it is not."""
    blocks: tuple[Block, ...]
    """Of those after the fork, in order, all or (of a long way) the last one: what is in is in up to the last."""
    logs: list[Log]
    """All events of the contracts in them, in order."""
    is_certain: bool
    """Whether `logs` are proven to be all."""
    told_by: frozenset[Endpoint] = frozenset()
    """Else those who say so."""


def read_stretch(
    contracts: BlockLogs, known: dict[int, bytes], head: Block, lower: LowerHead, gaps: int = 0
) -> Stretch | None:
    """The next stretch on the way to `head`; None if there is nothing new.

    `known`: hashes of blocks up to which everything was read, by number, ascending; at least one, the first from before
    anything happened. `lower`: the reader's; `gaps`: how often the long way was found to have gaps. A head that is
    lower than what was read is a node's that is behind: nothing new; or, if it is of another branch, one that `lower`
    knows when to go back for: then the stretch has no blocks. Raises ChainError, also where the node is on another
    chain altogether, however high that is; OtherChain where it is not, and what was read is.
    """
    node, newest, oldest = contracts.node, next(reversed(known)), next(iter(known))
    if known.get(head.number) == head.hash:
        lower.forget()
        return None
    if head.number < newest:
        if oldest <= head.number and node.block(oldest).hash != known[oldest]:
            raise _on_another(contracts, known)
        if not lower.is_to_follow(node, known, head):
            return None
        reached = {number: block_hash for number, block_hash in known.items() if number <= head.number}
        return Stretch(_find_base(contracts, reached), (), [], True)
    lower.forget()
    if head.number - newest <= NEAR:
        way = walk_back(node, head, known.get, MARKS + NEAR)
        if way.fork != newest:
            way = _find_continuation(node, known, head) or way
        if way.fork is None:
            base = _find_base(contracts, known)
            if base == newest:
                raise ChainError("rpc_unreachable", f"{node.hosts} shows two chains at once")
            return Stretch(base, (), [], True)
        is_bound = all(block.is_sealed for block in way.blocks)
        logs = [entry for block in way.blocks for entry in contracts.read(block)]
        return Stretch(way.fork, way.blocks, logs, is_bound)
    base, span = _find_base(contracts, known), LOG_BLOCKS >> (NARROWER * gaps)
    end = node.block(min(base + max(span, NEAR), head.number - PROVEN))
    if span <= 1:
        way = walk_back(node, end, known.get, MARKS + NEAR)
        return Stretch(base, way.blocks, [entry for block in way.blocks for entry in contracts.read(block)], True)
    told_by: set[Endpoint] = set()
    logs = node.logs(contracts.addresses, base + 1, end.number, span=span, told_by=told_by)
    if (node.block(base).hash, node.block(end.number).hash) != (known[base], end.hash):
        raise ChainError("rpc_unreachable", f"{node.hosts}: the chain has changed while it was read")
    return Stretch(base, (end,), logs, False, frozenset(told_by))


def _find_continuation(node: Node, known: dict[int, bytes], head: Block) -> Way | None:
    """The way to a head no lower than this one, on the branch that was read before, if somebody has it."""
    newest = next(reversed(known))
    for _ in range(SECOND_LOOKS):
        again = node.head()
        if again.hash != head.hash and head.number <= again.number <= newest + NEAR:
            way = walk_back(node, again, known.get, MARKS + NEAR)
            if way.fork == newest:
                node.note_split()
                return way
    return None


def _find_base(contracts: BlockLogs, known: dict[int, bytes]) -> int:
    """The newest of these blocks that is in the node's chain."""
    for number, block_hash in reversed(known.items()):
        if contracts.node.block(number).hash == block_hash:
            return number
    raise _on_another(contracts, known)


def _on_another(contracts: BlockLogs, known: dict[int, bytes]) -> ChainError:
    kind = OtherChain if is_of_another(contracts, known) else ChainError
    return kind("rpc_unreachable", f"{contracts.node.hosts} shows another chain than the one read so far")


def is_of_another(contracts: BlockLogs, known: dict[int, bytes]) -> bool:
    """Whether what was read is of another chain than the contracts: one is proven to be in the node's, and the oldest
    of these blocks is not, whenever it is looked for (of several backends one may be elsewhere). Raises ChainError.
    """
    node, (number, block_hash) = contracts.node, next(iter(known.items()))
    for _ in range(SECOND_LOOKS):
        head = node.head()
        if head.number < number or not has_contract(node, contracts.addresses[0], head):
            return False
        for _ in range(SECOND_LOOKS + 1):  # so many that backends in turn do not fall in with the questions
            if node.block(number).hash == block_hash:
                return False
    return True
