"""What an exchange answers that is no result."""

from __future__ import annotations

from setoff.shared.errors import InputError, StateError


class Refusal(InputError):
    """The exchange refused; nothing was changed."""


class Unavailable(StateError):
    """The exchange cannot take anything now. Whether a record that was on its way was taken is unknown."""

    @property
    def is_without_answer(self) -> bool:
        """Whether nothing has answered, or nothing that tells what becomes of a record."""
        return self.reason in ("not_ready", "pending")
