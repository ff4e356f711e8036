"""Records on their way through the sequencer, and who wants to hear of them."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Sequence

from setoff.operator.sequencer.exchange import SubmitResult
from setoff.operator.sequencer.step_shares import get_sender
from setoff.shared.errors import SetoffError, StateError


class UnknownFate(StateError):
    """Whether the record was taken is not known: "pending", so that nobody takes it for one that was not."""


Answer = Callable[[SubmitResult | SetoffError], None]
"""Called once: with what came of a record that is durable, or with why it was not taken."""


class Submission:
    """A record of 124 bytes with the leg pages that it signs; `answer` tells whoever sent it.

    `sender`: the master account for which it is signed, 0 if none.
    """

    __slots__ = ("answer", "came_at", "leg_pages", "record", "sender")

    def __init__(self, record: bytes, leg_pages: Sequence[bytes], answer: Answer) -> None:
        self.record = record
        self.leg_pages = leg_pages
        self.sender = get_sender(record)
        self.answer = answer
        self.came_at = time.monotonic()


class Submissions:
    """Those that wait, first in, first out, and those of the turns under way; the length is of the former."""

    def __init__(self) -> None:
        self._waiting: deque[Submission] = deque()
        self._in_turn: deque[Submission] = deque()
        self._by_sender: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, record: bytes, leg_pages: Sequence[bytes], answer: Answer) -> None:
        """Let one wait."""
        submission = Submission(record, leg_pages, answer)
        self._waiting.append(submission)
        self._by_sender[submission.sender] += 1

    def has_others(self, sender: int) -> bool:
        """Whether anything of anybody else waits."""
        return self._by_sender[sender] < len(self._waiting)

    def take(self) -> Submission:
        """The next one, for the turn that runs."""
        submission = self._waiting.popleft()
        self._by_sender[submission.sender] -= 1
        if not self._by_sender[submission.sender]:
            del self._by_sender[submission.sender]
        self._in_turn.append(submission)
        return submission

    def put_back(self) -> None:
        """Let the one taken last wait for the next turn, before all others."""
        self._waiting.appendleft(self._in_turn.pop())
        self._by_sender[self._waiting[0].sender] += 1

    def end_turn(self, count: int) -> None:
        """So many of those taken are answered, the first ones."""
        for _ in range(count):
            self._in_turn.popleft()

    def refuse_waiting(self, error: SetoffError) -> None:
        """Answer those whose turn has not come: nothing of them was taken."""
        waiting, self._waiting = self._waiting, deque()
        self._by_sender.clear()
        for submission in waiting:
            submission.answer(error)

    def refuse_all(self, detail: str) -> None:
        """Answer everyone; of turns that were broken off nobody knows whether they were written."""
        in_turn, self._in_turn = self._in_turn, deque()
        for submission in in_turn:
            submission.answer(UnknownFate("pending", f"{detail}; whether the record was taken is unknown"))
        self.refuse_waiting(StateError("not_ready", detail))
