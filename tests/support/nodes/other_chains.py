"""Chains that a node may take for the one it is asked about; they end with the node."""

from collections.abc import Callable

from tests.support.nodes.faulty_node import Answer, FaultyNode, Next, Question

from setoff.deploy.devnet.anvil import Anvil
from setoff.shared.l1.connection import L1

Begin = Callable[[str], Anvil]
"""(URL of the chain that is asked about) to the other one."""


class OnAnother:
    """Another chain answers."""

    def __init__(self, node: FaultyNode, begin: Begin) -> None:
        """`begin` is called at once."""
        self._node = node
        self._url = node.opened.enter_context(begin(node.upstream)).url

    def __call__(self, asked: Question, go_on: Next) -> Answer:
        return self._node.forward(asked, self._url)


def begin_another(upstream: str) -> Anvil:
    """One that has the same number by chance; higher, and without any of the contracts."""
    other = Anvil()
    other.advance(1000)
    other.mine(L1(upstream).head().number + 5)
    return other


def begin_branch(depth: int, ahead: int) -> Begin:
    """The same but for the last `depth` blocks; `ahead` blocks higher, and empty there."""

    def begin(upstream: str) -> Anvil:
        head = L1(upstream).head().number
        fork = max(head - depth, 0)
        branch = Anvil(options=("--fork-url", upstream, "--fork-block-number", str(fork), "--no-storage-caching"))
        branch.stop_clock()
        branch.mine(head - fork + ahead)
        return branch

    return begin
