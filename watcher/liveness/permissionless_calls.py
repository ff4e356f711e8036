"""Calls that somebody has to send and one is enough of: sent one at a time, by turns with others who would send them.

Each call is tried on the pending block first, so one that others have sent is not sent again. Nothing is remembered:
what is still to be done is asked of L1 in every round. Sent twice, each of these calls costs its gas and no more: none
moves money of the account's, and the contract refuses the second, or it changes nothing.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

from setoff.shared.dispute.urgency import draw_turn
from setoff.shared.errors import ChainError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.l1.player import SPREAD

PASSING: Final = frozenset(
    {
        "batch_number",
        "batch_hash",
        "batch_timestamp",
        "epoch_too_early",
        "no_such_message",
        "not_the_operator",
        "too_early",
        "winding_down",
    }
)
"""Reasons of a revert that mean: somebody has done it, or the operator is back, or it is too early by a block."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PermissionlessCall:
    """One call."""

    name: str
    """What it is for. The same for everybody who would send it, whatever the call's arguments are by then."""
    contract: str
    data: bytes
    times: int = 1
    """How often it is to be sent, all at once."""


class PermissionlessCalls:
    """One account's calls. `run` is called again and again with what is to be done next."""

    def __init__(self, l1: L1, spread: float = SPREAD) -> None:
        """`spread`: the most seconds to wait with what others may do as well."""
        self.sent = 0
        self.done_by_others = 0
        self._l1 = l1
        self._spread = spread
        self._turn: tuple[str, float] | None = None
        self._under_way: tuple[PermissionlessCall, list[bytes]] | None = None

    def run(self, call: PermissionlessCall) -> str:
        """See to the call; returns what was done about it, for people. Raises Reverted or ChainError."""
        if not self._is_our_turn(call):
            return f"{call.name}: others may do it first"
        sent: list[bytes] = []
        try:
            while len(sent) < call.times:
                sent.append(self._l1.send(call.contract, call.data))
        except Reverted as refusal:
            if refusal.reason not in PASSING:
                raise
            if not sent:
                self._turn = None
                self.done_by_others += 1
                return f"{call.name}: {refusal.reason}"
        finally:
            if sent:
                self._under_way = call, sent
                self.sent += len(sent)
                log.info("%s: sent as %s", call.name, ", ".join(transaction.hex() for transaction in sent))
        return f"{call.name}: sent"

    def rest(self) -> None:
        """There is nothing to do: the next call's turn begins when it comes up."""
        self._turn = None

    def under_way(self) -> str:
        """Name of the call that was sent and is in no block yet; empty if there is none."""
        if self._under_way is None:
            return ""
        call, left = self._under_way
        while left:
            try:
                receipt = self._l1.sender.look(left[0])
            except ChainError as error:
                if error.reason == "rpc_unreachable":
                    raise
                log.info("%s: %s", call.name, error)
            else:
                if receipt is None:
                    return call.name
                if not receipt.succeeded:
                    log.info("%s: somebody else was first", call.name)
            left.pop(0)
        self._under_way = None
        return ""

    def _is_our_turn(self, call: PermissionlessCall) -> bool:
        """Whether others had their chance. Every account has another number for every call."""
        if self._turn is None or self._turn[0] != call.name:
            self._turn = call.name, time.monotonic() + self._spread * draw_turn(self._l1.address, call.name)
        return time.monotonic() >= self._turn[1]
