"""What was read on a node's word alone, until it is held against what the contracts have."""

from __future__ import annotations

import logging

from setoff.shared.errors import ChainError
from setoff.shared.l1.endpoint import Endpoint
from setoff.shared.l1.rpc import Node
from setoff.shared.l1.stretch import Stretch

log = logging.getLogger(__name__)


class Doubt:
    """One reader's."""

    def __init__(self, node: Node, *, is_open: bool = False) -> None:
        """`is_open`: from the start."""
        self.is_open = is_open
        """Whether something that was read is not certain."""
        self.gaps = 0
        """How often it turned out to be otherwise: so much narrower it is read again."""
        self._node = node
        self._told_by: set[Endpoint] = set()

    def take_in(self, stretch: Stretch) -> None:
        """So much more was read."""
        self.is_open |= not stretch.is_certain
        self._told_by |= stretch.told_by

    def settle(self) -> None:
        """All of it is as L1 has it."""
        self.is_open, self.gaps = False, 0
        self._told_by.clear()

    def refute(self, what: str) -> ChainError:
        """It is not: the error to raise, with the endpoints that told of it. They are asked last from now on."""
        tellers = [endpoint for endpoint in self._node.endpoints if endpoint in self._told_by]
        for endpoint in tellers:
            endpoint.refuted = what
        self._told_by.clear()
        self.is_open = True
        self.gaps += 1
        hosts = ", ".join(endpoint.host for endpoint in tellers) or self._node.hosts
        error = ChainError("rpc_unreachable", f"{hosts} does not show what L1 has ({what}): reading again")
        log.error("%s", error.detail)
        return error
