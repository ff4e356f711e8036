"""The gateway's client of the exchange: it tells when something is odd with that."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final, Self

from setoff.shared.errors import SetoffError
from setoff.shared.sdk import ReceiptBroken, SetoffClient, SubmitResult

ODD: Final = frozenset(
    (
        "not_ready",
        "pending",
        "not_found",
        "unknown_account",
        "bad_signature",
        "agent_expired",
        "nonce_too_far",
        "wrong_deployment",
    )
)
"""Reasons that an exchange may have because it is another one, or away."""
_log = logging.getLogger(__name__)


class ExchangeClient(SetoffClient):
    """A client with somebody to tell of what is odd."""

    on_trouble: Callable[[], None] | None = None

    def at(self, sub: int) -> Self:
        """See `SetoffClient`."""
        twin = super().at(sub)
        twin.on_trouble = self.tell_trouble
        return twin

    def tell_trouble(self) -> None:
        """Something was odd."""
        if self.on_trouble is not None:
            self.on_trouble()

    async def find_other_domain(self) -> str:
        """Where the exchange names another chain or vault than this client signs for: which, in words; else ""."""
        chain_id, vault = await self._ask_domain()
        if not self._vault or (chain_id, vault) == (self._chain_id, self._vault):
            return ""
        known = f"chain {self._chain_id} and vault 0x{self._vault.hex()}"
        return f"it is of chain {chain_id} and vault 0x{vault.hex()}, and not of {known}"

    async def submit(self, record: bytes, leg_pages: Sequence[bytes] = ()) -> SubmitResult:
        """See `SetoffClient`; a receipt that is no good does not make a record that was taken look as if it was not."""
        try:
            return await super().submit(record, leg_pages)
        except ReceiptBroken as error:
            _log.error("a record was taken, and its receipt is no good: %s; see `setoff receipts check`", error.detail)
            return error.result
        except SetoffError as error:  # also where it was sent over the socket of order entry
            self._look_at(error)
            raise

    async def _request(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            return await super()._request(method, path, **options)
        except SetoffError as error:
            self._look_at(error)
            raise

    async def _post_record(self, payload: dict[str, Any]) -> dict[str, Any]:
        try:
            return await super()._post_record(payload)
        except SetoffError as error:
            self._look_at(error)
            raise

    def _look_at(self, error: SetoffError) -> None:
        if error.reason in ODD:
            self.tell_trouble()
