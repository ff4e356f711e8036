"""Who signs: a private key in this process, or any wallet that takes EIP-712 typed data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from setoff.shared.codec import eip712, signatures
from setoff.shared.errors import ConfigError
from setoff.shared.wire.signing import parse_signature

KEY_BYTES: Final = 32


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
    """Signs with a private key: 32 bytes, or the same in hexadecimal."""

    def __init__(self, private_key: bytes | str) -> None:
        """Raises ConfigError, which never shows it, if it is no private key."""
        try:
            self._key = (
                bytes.fromhex(private_key.strip().removeprefix("0x")) if isinstance(private_key, str) else private_key
            )
            if len(self._key) != KEY_BYTES:
                raise ValueError
            self._address = signatures.address_of(self._key)
        except (TypeError, ValueError):
            raise ConfigError("bad_config", "a private key is 32 bytes, or 64 hexadecimal digits") from None

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
