"""Whether the operator is there, as L1 alone shows it: when it last posted, from when on anybody may post in its place,
and whether the exchange is coming to its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from setoff.shared.codec import records
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.inbox import Inbox

THERE, LATE, SLOW, OPEN, WINDING = "there", "late", "slow", "open", "winding down"
STATES: Final = (THERE, LATE, SLOW, OPEN, WINDING)

LATE_PART: Final = 4
"""An operator is late when less than one part in so many of the time is left in which it alone may post."""

SPAN: Final = 50_000
"""Blocks searched at once, a week of them."""


@dataclass(frozen=True, slots=True)
class Presence:
    """The operator at one time; times are unix seconds."""

    state: str
    """"there"; "late": not for much longer; "open": anybody may post in its place; "slow": so it is since the operator
    posts, but completes no epoch; "winding down": the end of the exchange has begun."""
    posted_at: int
    """Its last own posting, at first the deployment."""
    silent_for: int
    """Seconds since then."""
    opens_at: int
    """From when on anybody may post, unless it posts (and completes its epoch) before."""
    opens_in: int
    """Seconds until then; 0: it is so."""
    ends_at: int
    """From when on anybody may end the exchange for good, unless it posts before."""
    winding_since: int
    """When that was done; 0: it was not."""
    waiting: int
    """Messages in the queue that no batch has consumed."""


class PresenceReader:
    """Looks at one deployment. Raises ChainError if L1 cannot be read."""

    def __init__(self, reader: ChainReader) -> None:
        self._reader = reader
        self._inbox = Inbox(reader.l1, reader.deployment)

    def look(self, now: int) -> Presence:
        """As it is at `now`, the chain's time."""
        inbox = self._inbox
        posted_at, opens_at = inbox.operator_posted_at(), inbox.opens_at()
        winding_since = 0
        if inbox.is_winding_down():
            state, winding_since = WINDING, self._find_wind_down()
        elif now >= opens_at:
            state = SLOW if opens_at < posted_at + inbox.silence() else OPEN
        else:
            state = LATE if (opens_at - now) * LATE_PART < inbox.silence() else THERE
        return Presence(
            state=state,
            posted_at=posted_at,
            silent_for=max(now - posted_at, 0),
            opens_at=opens_at,
            opens_in=max(opens_at - now, 0),
            ends_at=posted_at + inbox.wind_down(),
            winding_since=winding_since,
            waiting=inbox.state().waiting,
        )

    def _find_wind_down(self) -> int:
        """When the message was queued with which the end begins; there is one."""
        l1, first = self._reader.l1, self._reader.deployment.block
        last = l1.head().number
        while last >= first:  # the newest blocks first: it was most often not long ago
            begin = max(first, last - SPAN + 1)
            for message in self._reader.messages(begin, last):
                if message.body[0] == records.WIND_DOWN:
                    return message.timestamp
            last = begin - 1
        return 0
