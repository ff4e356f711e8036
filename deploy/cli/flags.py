"""What the words on the command line are among the flags of an order."""

from __future__ import annotations

from typing import Final

from setoff.shared.codec import records

FLAGS: Final[dict[str, int]] = {
    "gtc": records.GTC,
    "ioc": records.IOC,
    "post-only": records.POST_ONLY,
    "fok": records.FOK,
}
SELF_TRADE: Final[dict[str, int]] = {
    "cancel-maker": records.CANCEL_MAKER,
    "cancel-taker": records.CANCEL_TAKER,
    "cancel-both": records.CANCEL_BOTH,
}
