"""Who signs an L1 account's transactions: a key in this process, or a remote signer.

A remote signer is asked as web3signer is (JSON-RPC over HTTP: `eth_accounts`, `eth_signTransaction`,
`eth_signTypedData`); what it returns is taken only if it is what was asked for, signed by the account that was named.
It has no method for transactions with blobs, and none for what is signed in groups, as receipts are.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, Self

import rlp
from coincurve import PrivateKey

from setoff.shared.codec import signatures
from setoff.shared.config.key_settings import AccountSettings
from setoff.shared.errors import ChainError, ConfigError
from setoff.shared.l1.endpoint import Endpoint, Refused, Unanswered
from setoff.shared.l1.transaction import Unsigned, sign_transaction

PATIENCE: Final = 10.0
"""Seconds for which a signer that does not answer is asked again."""
TIMEOUT: Final = 5.0
"""Seconds that it has for one answer."""
PAUSE: Final = 0.5
"""Seconds between two tries."""
NAMED: Final = 8
"""Accounts of a signer that an error names."""
_ADDRESS: Final = 20
log = logging.getLogger(__name__)

_SIGNATURE: Final = 65


class Account(Protocol):
    """An account that can sign."""

    @property
    def address(self) -> bytes:
        """20 bytes."""
        ...

    def sign(self, unsigned: Unsigned) -> bytes:
        """The bytes of the transaction. Raises ChainError if there is no signature to be had."""
        ...


class KeyAccount:
    """Signs with a private key: 32 bytes, or the same in hexadecimal."""

    def __init__(self, key: bytes | str) -> None:
        secret = key if isinstance(key, bytes) else bytes.fromhex(key.removeprefix("0x"))
        self._key = PrivateKey(secret)
        self._address = signatures.address_of(secret)

    @property
    def address(self) -> bytes:
        """See `Account`."""
        return self._address

    def sign(self, unsigned: Unsigned) -> bytes:
        """See `Account`."""
        return sign_transaction(self._key, unsigned)


class RemoteAccount:
    """Has a remote signer sign for one of its accounts. May be shared by threads."""

    def __init__(self, signer: Endpoint, address: bytes, patience: float = PATIENCE) -> None:
        """`patience`: seconds for which it is asked again while it does not answer."""
        self._signer = signer
        self._address = address
        self._patience = patience

    @classmethod
    def open(cls, url: str, wanted: bytes | None = None, patience: float = PATIENCE) -> Self:
        """The account `wanted` of the signer at `url`, None for its only one.

        Raises ChainError("rpc_unreachable") if it does not answer, ConfigError if it has no such account, or several.
        """
        signer = Endpoint(url, TIMEOUT)
        held = _ask(signer, patience, "eth_accounts", [])
        if not isinstance(held, list) or not all(isinstance(each, str) for each in held):
            raise ChainError("rpc_refused", f"the remote signer {signer.host} does not say which accounts it has")
        accounts = [_to_bytes(each) for each in held]
        shown = ", ".join(held[:NAMED]) + (", …" if len(held) > NAMED else "") if held else "none"
        if wanted is None and len(accounts) != 1:
            text = f"key_account: says which account of the remote signer {signer.host} is to sign; it holds {shown}"
            raise ConfigError("bad_config", text)
        address = accounts[0] if wanted is None else wanted
        if address not in accounts or len(address) != _ADDRESS:
            text = f"key_account: the remote signer {signer.host} does not hold 0x{address.hex()}; it holds {shown}"
            raise ConfigError("bad_config", text)
        return cls(signer, address, patience)

    @property
    def address(self) -> bytes:
        """See `Account`."""
        return self._address

    def sign(self, unsigned: Unsigned) -> bytes:
        """See `Account`."""
        if unsigned.blob_hashes:
            raise self._complain("cannot sign a transaction with blobs")
        asked = {
            "from": "0x" + self._address.hex(),
            "gas": hex(unsigned.gas),
            "maxPriorityFeePerGas": hex(unsigned.tip),
            "maxFeePerGas": hex(unsigned.fee),
            "nonce": hex(unsigned.nonce),
            "value": hex(unsigned.value),
            "data": "0x" + unsigned.data.hex(),
            "chainId": hex(unsigned.chain_id),
        }
        if unsigned.to is not None:
            asked["to"] = "0x" + unsigned.to.hex()
        answer = self._ask("eth_signTransaction", [asked])
        if isinstance(answer, Mapping):  # a node's own signer shows the transaction in JSON as well
            answer = answer.get("raw")
        signed = _to_bytes(answer)
        try:
            fields = rlp.decode(signed[1:])
            parity, r, s = (int.from_bytes(each, "big") for each in fields[-3:])
            expected = unsigned.put_together(r, s, parity)
        except Exception:  # of what is no list, or no bytes
            expected = b""
        if not signed or signed != expected:
            raise self._complain("returned another transaction than it was asked to sign, which is not sent")
        if s > signatures.HALF_ORDER or parity > 1 or self._recover(unsigned.digest, r, s, parity) != self._address:
            raise self._complain(f"returned a transaction that 0x{self._address.hex()} has not signed: it is not sent")
        return signed

    def sign_typed_data(self, data: dict[str, Any]) -> bytes:
        """The 65-byte signature of typed data (EIP-712). Raises ChainError."""
        from eth_account import Account as EthAccount
        from eth_account.messages import encode_typed_data

        signature = _to_bytes(self._ask("eth_signTypedData", ["0x" + self._address.hex(), json.dumps(data)]))
        try:
            signer = EthAccount.recover_message(encode_typed_data(full_message=data), signature=signature)
        except Exception:  # of what is no signature
            signer = ""
        if len(signature) != _SIGNATURE or _to_bytes(signer) != self._address:
            raise self._complain(f"returned a signature that is not 0x{self._address.hex()}'s of what it was asked for")
        return signature

    def _ask(self, method: str, params: Sequence[Any]) -> Any:
        return _ask(self._signer, self._patience, method, params)

    def _complain(self, what: str) -> ChainError:
        return ChainError("rpc_refused", f"the remote signer {self._signer.host} {what}")

    @staticmethod
    def _recover(digest: bytes, r: int, s: int, parity: int) -> bytes | None:
        try:
            return signatures.recover(digest, signatures.compact(r, s, parity))
        except OverflowError:
            return None


def open_account(settings: AccountSettings) -> Account:
    """The account of the settings' key.

    Raises ConfigError if there is none, ChainError("rpc_unreachable") while a remote signer does not answer.
    """
    if not settings.has_remote_key:
        return KeyAccount(settings.private_key())
    wanted = bytes.fromhex(settings.key_account[2:]) if settings.key_account else None
    return RemoteAccount.open(settings.key, wanted)


def find_address(settings: AccountSettings) -> bytes | None:
    """The address of the settings' key, to compare others with; None without a key, and where a remote signer does not
    say it. Raises ConfigError."""
    if not settings.key:
        return None
    if settings.key_account and settings.has_remote_key:
        return bytes.fromhex(settings.key_account[2:])
    try:
        return open_account(settings).address
    except ChainError as error:
        log.warning("which account is our own is not known: %s", error.detail)
        return None


def _ask(signer: Endpoint, patience: float, method: str, params: Sequence[Any]) -> Any:
    """The answer, waited for. Raises ChainError."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return signer.ask(method, params)
        except Unanswered as error:
            if time.monotonic() + PAUSE > deadline:
                text = f"the remote signer {signer.host} does not answer: {error}"
                raise ChainError("rpc_unreachable", text) from None
            time.sleep(PAUSE)
        except Refused as error:
            raise ChainError("rpc_refused", f"the remote signer {signer.host} refuses: {error.message}") from None


def _to_bytes(value: Any) -> bytes:
    """What is written in hexadecimal, b"" if it is none."""
    try:
        return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else b""
    except ValueError:
        return b""
