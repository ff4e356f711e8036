"""What a trader installs, by one door: `from setoff.shared.sdk import SetoffClient, KeySigner`.

SetoffClient, SubmitResult      trade at an exchange over HTTP, what became of a record; `Refusal`, `Unavailable`
OrderEntry                      records as bytes over one WebSocket, many on their way
MarketScales                    markets by symbol, and between decimals and ticks, lots and token units
KeySigner, WalletSigner         who signs: a private key here, or a wallet
ReceiptStore, OperatorBond      the operator's signed receipts, kept and held against what is posted
L1, Deployment, Vault           the chain, where the contracts are, and money in and out
ForcedInclusion, Replay         anything through L1 alone, and the exchange run again from it; `InclusionResult`
post_waiting                    post what waits when the operator is silent
"""

from setoff.shared.config.deployment_file import Deployment
from setoff.shared.l1.connection import L1
from setoff.shared.sdk.answers import Refusal, Unavailable
from setoff.shared.sdk.client import SetoffClient, SubmitResult
from setoff.shared.sdk.fallback_post import post_waiting
from setoff.shared.sdk.forced_inclusion import Forced, ForcedInclusion
from setoff.shared.sdk.market_scales import MarketScales
from setoff.shared.sdk.order_entry import OrderEntry
from setoff.shared.sdk.receipt_store import OperatorBond, ReceiptStore
from setoff.shared.sdk.replay import InclusionResult, Replay
from setoff.shared.sdk.signer import KeySigner, Signer, WalletSigner
from setoff.shared.sdk.vault import Vault

__all__ = [
    "L1",
    "Deployment",
    "Forced",
    "ForcedInclusion",
    "InclusionResult",
    "KeySigner",
    "MarketScales",
    "OperatorBond",
    "OrderEntry",
    "ReceiptStore",
    "Refusal",
    "Replay",
    "SetoffClient",
    "Signer",
    "SubmitResult",
    "Unavailable",
    "Vault",
    "WalletSigner",
    "post_waiting",
]
