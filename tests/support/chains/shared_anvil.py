"""One development chain for many tests, one after the other: each finds it at its first block.

A chain of its own costs a test nothing worth saving, but for one thing: for its first blob an anvil computes five
seconds. So the tests of blobs share one; all others start their own, and so does who stops it or changes how it mines
for good.
"""

import time
from typing import Self

from setoff.deploy.devnet.anvil import Anvil


class SharedAnvil:
    """A context manager that stops the chain."""

    def __init__(self) -> None:
        self._anvil = Anvil()
        self._start = self._anvil.l1.request("evm_snapshot")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._anvil.stop()

    def lend(self) -> Anvil:
        """The chain as if it had just begun: no block but the first, nothing in the pool, the clock on the wall."""
        request = self._anvil.l1.request
        request("evm_setAutomine", True)
        request("anvil_dropAllTransactions")
        assert request("evm_revert", self._start)
        self._start = request("evm_snapshot")
        request("evm_setTime", int(1000 * time.time()))
        return self._anvil
