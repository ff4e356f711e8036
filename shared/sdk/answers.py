"""What an exchange answers that is no result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from setoff.shared.errors import InputError, StateError


class Refusal(InputError):
    """The exchange refused; nothing was changed."""

    record: bytes = b""
    """What was refused, if a signed record was: whoever sends the same bytes elsewhere has it count once at most."""


class Unavailable(StateError):
    """The exchange cannot take anything now; "pending": whether it took a record that was sent is unknown."""

    WITHOUT_ANSWER: ClassVar[frozenset[str]] = frozenset(("not_ready", "pending"))

    def __init__(
        self, reason: str, detail: str = "", numbers: Mapping[str, str | int | None] | None = None,
        *, is_unsent: bool = False
    ) -> None:  # fmt: skip
        """`is_unsent`: it is certain that nothing has reached the exchange, or that it took nothing of it."""
        super().__init__(reason, detail, numbers)
        self.is_unsent = is_unsent
        self.record = b""
        """The signed record that was on its way, if one was: the same bytes may be sent again, and count once."""

    @property
    def is_without_answer(self) -> bool:
        """Whether nothing has answered, or nothing that tells what becomes of a record."""
        return self.reason in self.WITHOUT_ANSWER
