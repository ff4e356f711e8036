"""Records on their way through the sequencer, and who wants to hear of them."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence

from setoff.operator.sequencer.exchange import SubmitResult
from setoff.operator.sequencer.step_shares import get_sender
from setoff.shared.errors import SetoffError, StateError


class Submission:
    """A record of 124 bytes with the leg pages that it signs; `answer` is awaited by whoever sent it.

    `sender`: the master account for which it is signed, 0 if none.
    """

    __slots__ = ("answer", "leg_pages", "record", "sender")

    def __init__(self, record: bytes, leg_pages: Sequence[bytes]) -> None:
        self.record = record
        self.leg_pages = leg_pages
        self.sender = get_sender(record)
        self.answer: asyncio.Future[SubmitResult] = asyncio.get_running_loop().create_future()

    def accept(self, result: SubmitResult) -> None:
        """Tell that it is durable."""
        if not self.answer.done():
            self.answer.set_result(result)

    def refuse(self, error: SetoffError) -> None:
        """Tell why it was not taken."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Submissions:
    """Those that wait, first in, first out, and those of the turn under way; the length is of the former."""

    def __init__(self) -> None:
        self._waiting: deque[Submission] = deque()
        self._in_turn: list[Submission] = []
        self._by_sender: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, record: bytes, leg_pages: Sequence[bytes]) -> Submission:
        """Let one wait."""
        submission = Submission(record, leg_pages)
        self._waiting.append(submission)
        self._by_sender[submission.sender] += 1
        return submission

    def has_others(self, sender: int) -> bool:
        """Whether anything of anybody else waits."""
        return self._by_sender[sender] < len(self._waiting)

    def take(self) -> Submission:
        """The next one, for the turn under way."""
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

    def end_turn(self) -> None:
        """All that were taken are answered."""
        self._in_turn.clear()

    def refuse_waiting(self, error: SetoffError) -> None:
        """Answer those whose turn has not come: nothing of them was taken."""
        for submission in self._waiting:
            submission.refuse(error)
        self._waiting.clear()
        self._by_sender.clear()

    def refuse_all(self, detail: str) -> None:
        """Answer everyone; of a turn that was broken off nobody knows whether it was written."""
        for submission in self._in_turn:
            submission.refuse(StateError("not_ready", f"{detail}; whether the record was taken is unknown"))
        for submission in self._waiting:
            submission.refuse(StateError("not_ready", detail))
        self._in_turn.clear()
        self._waiting.clear()
        self._by_sender.clear()
