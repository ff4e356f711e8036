"""The client library: trade at an exchange from Python, and move collateral in and out on L1 (`onchain`)."""

from setoff.shared.sdk.client import Receipt, Refusal, SetoffClient, Unavailable
from setoff.shared.sdk.signer import KeySigner, Signer, WalletSigner

__all__ = ["KeySigner", "Receipt", "Refusal", "SetoffClient", "Signer", "Unavailable", "WalletSigner"]
