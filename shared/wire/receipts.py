"""A receipt with its signature, as bytes and as the JSON of the API.

{"sequence": 41, "record": "0x… (32)", "running": "0x… (32)", "deadline": 1800000000, "signature": "0x… (64)"}
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Self

from coincurve import PrivateKey

from setoff.shared.codec import receipts, signatures
from setoff.shared.codec.receipts import Receipt
from setoff.shared.errors import InputError

_HASH: Final = 32
_MAX: Final = 2**64 - 1
_PLACE: Final = 8


class SignedReceipt(NamedTuple):
    """What was signed, and the 64-byte compact signature."""

    receipt: Receipt
    signature: bytes

    @property
    def sequence(self) -> int:
        """The record's number among all posted records, from 0."""
        return self.receipt.sequence

    def check(self, domain: bytes, operator: bytes) -> None:
        """Check the signature; `operator` is a 20-byte address. Raises InputError("bad_signature")."""
        if receipts.recover(domain, self.receipt, self.signature) != operator:
            raise InputError("bad_signature", f"the operator has not signed receipt {self.sequence}")

    def agrees(self, other: SignedReceipt) -> bool:
        """Whether both can be kept, as far as the two alone can tell: `prosecute_conflict` refuses them."""
        first, second = self.receipt, other.receipt
        if first.sequence == second.sequence:
            return first[1:3] == second[1:3]
        if first.sequence > second.sequence:
            first, second = second, first
        is_next = second.sequence == first.sequence + 1
        return not is_next or receipts.extend(first.running, second.record) == second.running

    def encode(self) -> bytes:
        """144 bytes: sequence, record, running hash, deadline, signature."""
        first, record, running, deadline = self.receipt
        return first.to_bytes(_PLACE, "big") + record + running + deadline.to_bytes(_PLACE, "big") + self.signature

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of `encode`."""
        numbers = int.from_bytes(data[:8], "big"), int.from_bytes(data[72:80], "big")
        return cls(Receipt(numbers[0], data[8:40], data[40:72], numbers[1]), data[80:])

    def to_json(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "sequence": self.receipt.sequence,
            "record": "0x" + self.receipt.record.hex(),
            "running": "0x" + self.receipt.running.hex(),
            "deadline": self.receipt.deadline,
            "signature": "0x" + self.signature.hex(),
        }

    @classmethod
    def from_json(cls, shown: Any) -> Self:
        """The inverse of `to_json`; the signature is not checked. Raises InputError("missing_field")."""
        if not isinstance(shown, dict):
            raise InputError("missing_field", "a receipt is a JSON object")
        receipt = Receipt(
            _number(shown, "sequence"), _bytes(shown, "record", _HASH), _bytes(shown, "running", _HASH),
            _number(shown, "deadline"),
        )  # fmt: skip
        return cls(receipt, _bytes(shown, "signature", 64))


def sign(domain: bytes, receipt: Receipt, key: bytes | PrivateKey) -> SignedReceipt:
    """The receipt, signed with a 32-byte private key (see `signatures.sign`)."""
    return SignedReceipt(receipt, signatures.sign(receipts.digest(domain, receipt), key))


def _number(shown: dict[str, Any], name: str) -> int:
    value = shown.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX:
        raise InputError("missing_field", f"a receipt's '{name}' is an integer of 64 bits")
    return value


def _bytes(shown: dict[str, Any], name: str, length: int) -> bytes:
    value = shown.get(name)
    try:
        data = bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else b""
    except ValueError:
        data = b""
    if len(data) != length:
        raise InputError("missing_field", f"a receipt's '{name}' is {length} bytes in hexadecimal")
    return data
