"""What a trader installs, by one door: `from setoff.shared.sdk import SetoffClient, KeySigner`.

SetoffClient, SubmitResult      trade at an exchange over HTTP, what became of a record; `Refusal`, `Unavailable`,
                                `ReceiptBroken`
BlockingClient                  the same without `await`
Balance, Position, OpenOrder    an account in decimals, and a trade: `Execution`
LocalBook                       a book kept up to date and checked: `async with client.book(market) as book`
OrderEntry                      records as bytes over one WebSocket, many on their way
MarketScales                    markets by symbol, and between decimals and ticks, lots and token units
ListedUnits                     the markets' units, held against L1's listings: `SetoffClient(…, listed=…)`
KeySigner, WalletSigner         who signs: a private key here, or a wallet
ReceiptStore, OperatorBond      the operator's signed receipts, kept and held against what is posted
L1, Deployment, Vault           the chain, where the contracts are, and money in and out
Quoter                          quotes on both sides, replaced under one signature
WaysOut, WayOut                 which ways out are open, for how much and when; and out by the first that is
check_withdrawal                a withdrawal's proof against what L1 has confirmed; an account: `ConfirmedAccount`
ForcedInclusion, Replay         anything through L1 alone, and the exchange run again from it; `InclusionResult`
post_waiting                    post what waits when the operator is silent

Each comes from its own file when it is asked for: who only trades does not wait for what reads L1.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from setoff.shared.config.deployment_file import Deployment
    from setoff.shared.l1.connection import L1
    from setoff.shared.sdk.answers import Refusal, Unavailable
    from setoff.shared.sdk.blocking import BlockingClient
    from setoff.shared.sdk.client import SetoffClient
    from setoff.shared.sdk.fallback_post import post_waiting
    from setoff.shared.sdk.figures import Balance, Execution, OpenOrder, Position
    from setoff.shared.sdk.forced_inclusion import Forced, ForcedInclusion
    from setoff.shared.sdk.listed_units import ListedUnits
    from setoff.shared.sdk.local_book import LocalBook
    from setoff.shared.sdk.market_scales import MarketScales
    from setoff.shared.sdk.order_entry import OrderEntry
    from setoff.shared.sdk.proofs import ConfirmedAccount, check_withdrawal
    from setoff.shared.sdk.quoting import Quoter
    from setoff.shared.sdk.receipt_store import OperatorBond, ReceiptStore
    from setoff.shared.sdk.replay import InclusionResult, Replay
    from setoff.shared.sdk.signer import KeySigner, Signer, WalletSigner
    from setoff.shared.sdk.submission import ReceiptBroken, SubmitResult
    from setoff.shared.sdk.vault import Vault
    from setoff.shared.sdk.ways_out import WayOut, WaysOut

_HOMES: Final = {
    "config.deployment_file": ("Deployment",),
    "l1.connection": ("L1",),
    "sdk.answers": ("Refusal", "Unavailable"),
    "sdk.blocking": ("BlockingClient",),
    "sdk.client": ("SetoffClient",),
    "sdk.fallback_post": ("post_waiting",),
    "sdk.figures": ("Balance", "Execution", "OpenOrder", "Position"),
    "sdk.forced_inclusion": ("Forced", "ForcedInclusion"),
    "sdk.listed_units": ("ListedUnits",),
    "sdk.local_book": ("LocalBook",),
    "sdk.market_scales": ("MarketScales",),
    "sdk.order_entry": ("OrderEntry",),
    "sdk.proofs": ("ConfirmedAccount", "check_withdrawal"),
    "sdk.quoting": ("Quoter",),
    "sdk.receipt_store": ("OperatorBond", "ReceiptStore"),
    "sdk.replay": ("InclusionResult", "Replay"),
    "sdk.signer": ("KeySigner", "Signer", "WalletSigner"),
    "sdk.submission": ("ReceiptBroken", "SubmitResult"),
    "sdk.vault": ("Vault",),
    "sdk.ways_out": ("WayOut", "WaysOut"),
}
"""Modules of `setoff.shared`, and what is asked of each here."""
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "L1",
    "Balance",
    "BlockingClient",
    "ConfirmedAccount",
    "Deployment",
    "Execution",
    "Forced",
    "ForcedInclusion",
    "InclusionResult",
    "KeySigner",
    "ListedUnits",
    "LocalBook",
    "MarketScales",
    "OpenOrder",
    "OperatorBond",
    "OrderEntry",
    "Position",
    "Quoter",
    "ReceiptBroken",
    "ReceiptStore",
    "Refusal",
    "Replay",
    "SetoffClient",
    "Signer",
    "SubmitResult",
    "Unavailable",
    "Vault",
    "WalletSigner",
    "WayOut",
    "WaysOut",
    "check_withdrawal",
    "post_waiting",
]


def __getattr__(name: str) -> Any:
    """See PEP 562."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"setoff.shared.{_HOME_OF[name]}"), name)
    return found


def __dir__() -> list[str]:
    return __all__
