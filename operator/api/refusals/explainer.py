"""Says of a refusal by how much, and what to do: each reason has what explains it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from setoff.operator.api.reader import Reader
from setoff.operator.api.refusals import authority, money, orders
from setoff.operator.api.refusals.question import Explanation, Question
from setoff.operator.api.views.scales import Scales
from setoff.shared.errors import InputError, SetoffError

Explain = Callable[[Question], Explanation]

EXPLANATIONS: Final[Mapping[str, Explain]] = {
    "malformed_record": authority.explain_malformed,
    "unknown_account": authority.explain_account,
    "unknown_market": authority.explain_market,
    "bad_signature": authority.explain_signature,
    "nonce_used": authority.explain_nonce,
    "nonce_too_old": authority.explain_nonce,
    "nonce_too_far": authority.explain_nonce,
    "step_cap": authority.explain_step_cap,
    "insufficient_margin": money.explain_margin,
    "no_price": orders.explain_no_price,
    "price_out_of_range": orders.explain_price_range,
    "price_band": orders.explain_band,
    "size_out_of_range": orders.explain_size_range,
    "order_slot_out_of_range": orders.explain_slot_range,
    "order_slot_taken": orders.explain_slot_taken,
    "too_many_positions": orders.explain_too_many_positions,
    "position_limit": orders.explain_position_limit,
    "would_cross": orders.explain_cross,
    "unknown_order": orders.explain_unknown_order,
    "amount_out_of_range": money.explain_amount,
    "same_account": authority.explain_same_account,
    "unknown_signer": authority.explain_unknown_signer,
    "stale_report": authority.explain_report_time,
    "future_report": authority.explain_report_time,
    "bad_parameters": authority.explain_never,
    "agent_expired": authority.explain_agent_expired,
    "sub_account": authority.explain_sub_account,
    "order_expired": orders.explain_expired_order,
    "not_reducing": orders.explain_not_reducing,
    "unfillable": orders.explain_unfillable,
    "self_trade": orders.explain_self_trade,
    "stale_price": orders.explain_stale_price,
    "halted": orders.explain_halted,
    "market_expired": orders.explain_expired_market,
    "open_interest_cap": orders.explain_open_interest,
    "not_due": authority.explain_not_due,
    "busy": authority.explain_busy,
    "withdrawals_limited": money.explain_limited,
    "would_trigger": orders.explain_trigger,
    "wrong_leg_page": orders.explain_leg_page,
    "winding_down": authority.explain_winding_down,
    "parked": authority.explain_never,
    "wrong_session": authority.explain_session,
    "out_of_scope": authority.explain_scope,
    "request_pending": money.explain_pending,
}
"""Of every reason for which the machine refuses a record."""

log = logging.getLogger(__name__)


class Explainer:
    """Explains refusals of one exchange, for a part of the time for reading."""

    def __init__(self, reader: Reader, scales: Scales) -> None:
        self._reader = reader
        self._scales = scales

    def can_explain(self, refusal: object) -> bool:
        """Whether there is more to say of what was answered."""
        return isinstance(refusal, InputError) and not refusal.detail and refusal.reason in EXPLANATIONS

    async def explain(self, client: str, record: bytes, refusal: SetoffError) -> SetoffError:
        """The same refusal of a record (124 bytes), explained; unless all that is to be said of it is."""
        if not self.can_explain(refusal):
            return refusal
        try:
            exchange = await self._reader.read()
            self._reader.budget.check(client)
        except SetoffError:
            return refusal
        start = time.thread_time()
        try:
            text, numbers = EXPLANATIONS[refusal.reason](Question(self._scales, exchange, record))
        except Exception:  # what cannot be explained is refused all the same
            log.exception("a refusal for %s could not be explained", refusal.reason)
            return refusal
        finally:
            self._reader.budget.charge(client, time.thread_time() - start)
        return InputError(refusal.reason, text, numbers)
