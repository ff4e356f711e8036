"""Which exchange is announced to follow on this one: other rules are other contracts, for these never change."""

from __future__ import annotations

from typing import NamedTuple

from setoff.shared.config.deployment_file import Deployment
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import QUEUE, Contract


class Successor(NamedTuple):
    """An exchange that is to follow."""

    vault: bytes
    """Address of its vault, 20 bytes."""
    due: int
    """Unix seconds, from when on it is meant to be used."""

    def describe(self, now: int) -> str:
        """For people; `now` in unix seconds."""
        when = f"in {self.due - now} s" if self.due > now else "by now"
        return f"another exchange, with the vault 0x{self.vault.hex()}, is announced to follow on this one {when}"


def find_successor(l1: L1, deployment: Deployment) -> Successor | None:
    """What the lister has announced, None if nothing. Raises ChainError."""
    queue = Contract(l1, QUEUE, deployment.queue)
    vault: bytes = queue.view("successor")
    return Successor(vault, queue.view("successor_due")) if any(vault) else None
