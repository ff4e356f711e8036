"""What a bot is told when it cannot have what it asked for: our reasons in the words that bots look for.

Bots, and the libraries under them, match the beginning of these sentences; what we know beyond them follows in
brackets.
"""

from __future__ import annotations

from typing import Final

from setoff.shared.errors import SetoffError
from setoff.shared.sdk.answers import Unavailable

BAD_TICK: Final = "Price must be divisible by tick size."
BAD_PRICE: Final = "Order has invalid price."
BAD_SIZE: Final = "Order has invalid size."
NO_SIZE: Final = "Order has zero size."
NO_MARGIN: Final = "Insufficient margin to place order."
WOULD_INCREASE: Final = "Reduce only order would increase position."
WOULD_MATCH: Final = "Post only order would have immediately matched, bbo was unknown."
NO_MATCH: Final = "Order could not immediately match against any resting orders."
BAD_TRIGGER: Final = "Invalid TP/SL price."
TOO_FAR: Final = "Order price too far from oracle"
AT_CAP: Final = "Order would increase open interest while open interest is capped"
TOO_LARGE: Final = "Order would cause position to exceed margin tier limit at current leverage"
NOT_THERE: Final = "Order was never placed, already canceled, or filled."
NOT_MODIFIABLE: Final = "Cannot modify canceled or filled order"
CLOID_USED: Final = "Invalid cloid: an order of other terms was sent with it, and nobody has told what became of that."
NO_WALLET: Final = "User or API Wallet {address} does not exist."
NO_TRADING: Final = "Trading is halted."
TOO_MANY: Final = "Too many cumulative requests sent"

TEXTS: Final[dict[str, str]] = {
    "insufficient_margin": NO_MARGIN,
    "no_price": NO_TRADING,
    "stale_price": NO_TRADING,
    "halted": NO_TRADING,
    "market_expired": NO_TRADING,
    "winding_down": NO_TRADING,
    "price_out_of_range": BAD_PRICE,
    "price_band": TOO_FAR,
    "size_out_of_range": BAD_SIZE,
    "too_many_positions": TOO_LARGE,
    "position_limit": TOO_LARGE,
    "would_cross": WOULD_MATCH,
    "unknown_order": NOT_THERE,
    "not_reducing": WOULD_INCREASE,
    "unfillable": NO_MATCH,
    "self_trade": "Order would immediately match against your own order.",
    "open_interest_cap": AT_CAP,
    "would_trigger": BAD_TRIGGER,
    "order_expired": "Order has expired.",
    "order_slot_taken": "Too many open orders.",
    "overloaded": TOO_MANY,
    "paced": TOO_MANY,
}
"""By reason: those that an order or a cancel of a bot's can end with. Any other is told as it is."""


class BotError(Exception):
    """What a bot asked for cannot be done; nothing was changed."""


class Misshapen(Exception):
    """What came is no request of the API's."""


def to_text(reason: str, detail: str = "", asset: int | None = None) -> str:
    """The sentence for a reason of ours; `asset`: of the order that it is about."""
    text = TEXTS.get(reason, "")
    about = "" if asset is None else f" asset={asset}"
    if not text:
        return f"{reason}: {detail}{about}" if detail else f"{reason}{about}"
    return f"{text}{about} ({reason}: {detail})" if detail else f"{text}{about} ({reason})"


def to_told(error: SetoffError, asset: int | None = None) -> Exception:
    """The same, of an error of ours; itself where nothing has answered: then nobody knows what became of it."""
    is_unknown = isinstance(error, Unavailable) and error.is_without_answer
    return error if is_unknown else to_error(error, asset)


def to_error(error: SetoffError, asset: int | None = None) -> BotError:
    """What a bot is told of an error of ours."""
    return BotError(to_text(error.reason, error.detail, asset))
