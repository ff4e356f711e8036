"""Our reasons, in the words of Hyperliquid's API that bots look for."""

from setoff.shared.errors import OUTCOMES, SERVICE_REASONS
from setoff.shared.gateway.refusals import TEXTS, to_text

DOCUMENTED = (
    "Price must be divisible by tick size.",
    "Order must have minimum value of $10.",
    "Insufficient margin to place order.",
    "Reduce only order would increase position.",
    "Post only order would have immediately matched, bbo was",
    "Order could not immediately match against any resting orders.",
    "Invalid TP/SL price.",
    "No liquidity available for market order.",
    "Order would increase open interest while open interest is capped",
    "Order price too far from oracle",
    "Order would cause position to exceed margin tier limit at current leverage",
    "Order was never placed, already canceled, or filled.",
)
"""What its page of error responses lists, of what can be here."""
OWN = (
    "Order has invalid price.",
    "Order has invalid size.",
    "Trading is halted.",
    "Too many open orders.",
    "Too many cumulative requests sent",
    "Order has expired.",
    "Order would immediately match against your own order.",
)
"""Others: those that libraries match, and those that it has no word for."""
NOT_AN_ORDERS = frozenset(
    (
        *("accepted", "malformed_record", "unknown_account", "unknown_market", "bad_signature", "nonce_used"),
        *("nonce_too_old", "step_cap", "order_slot_out_of_range", "amount_out_of_range", "same_account"),
        *("unknown_signer", "stale_report", "future_report", "bad_parameters", "agent_expired", "sub_account"),
        *("not_due", "busy", "withdrawals_limited", "wrong_leg_page", "parked", "nonce_too_far", "wrong_session"),
        *("out_of_scope", "request_pending"),
    )
)
"""What no order or cancel ends with that a gateway has signed, or what only its owner can mend: told as it is."""


def test_every_outcome_has_its_words_or_a_reason_to_have_none() -> None:
    assert set(OUTCOMES) - NOT_AN_ORDERS == TEXTS.keys() - SERVICE_REASONS.keys()
    assert not NOT_AN_ORDERS & TEXTS.keys()


def test_the_words_are_those_of_the_api() -> None:
    for reason, text in TEXTS.items():
        assert text.startswith((*DOCUMENTED, *OWN)), reason


def test_the_words_come_first_then_the_asset_then_what_we_know() -> None:
    assert to_text("insufficient_margin", "5 too little", 3) == (
        "Insufficient margin to place order. asset=3 (insufficient_margin: 5 too little)"
    )
    assert to_text("out_of_scope", "not this market", 3) == "out_of_scope: not this market asset=3"
