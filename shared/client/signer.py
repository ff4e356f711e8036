"""Who signs: a private key in this process, or any wallet that takes EIP-712 typed data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from setoff.shared.client.wire import parse_signature
from setoff.shared.codec import eip712, signatures


class Signer(Protocol):
    """Signs 60-byte bodies for one address (20 bytes)."""

    @property
    def address(self) -> bytes:
        """The address whose account this is."""
        ...

    def sign(self, chain_id: int, vault: bytes, body: bytes) -> bytes:
        """The 64-byte compact signature of `body` under the exchange's domain."""
        ...


class KeySigner:
    """Signs with a 32-byte private key."""

    def __init__(self, private_key: bytes) -> None:
        self._key = private_key
        self._address = signatures.address_of(private_key)

    @property
    def address(self) -> bytes:
        """See `Signer`."""
        return self._address

    def sign(self, chain_id: int, vault: bytes, body: bytes) -> bytes:
        """See `Signer`."""
        return signatures.sign(eip712.digest(eip712.domain_separator(chain_id, vault), body), self._key)


class WalletSigner:
    """Has a wallet sign what it can show to its owner.

    `ask` takes the typed data (the object of `eth_signTypedData_v4`) and returns the signature, 65 or 64 bytes; with
    eth-account: `lambda data: account.sign_typed_data(full_message=data).signature`.
    """

    def __init__(self, address: bytes, ask: Callable[[dict[str, Any]], bytes]) -> None:
        self._address = address
        self._ask = ask

    @property
    def address(self) -> bytes:
        """See `Signer`."""
        return self._address

    def sign(self, chain_id: int, vault: bytes, body: bytes) -> bytes:
        """See `Signer`. Raises InputError("bad_signature") if the wallet answers something else."""
        return parse_signature(bytes(self._ask(eip712.typed_data(chain_id, vault, body))).hex())
