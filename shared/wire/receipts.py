"""A receipt with its signature, as bytes and as the JSON of the API.

{"sequence": 41, "record": "0x… (32)", "running": "0x… (32)", "deadline": 1800000000, "signature": "0x… (64 + 32·n)"}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Self

from coincurve import PrivateKey

from setoff.shared.codec import receipts, signatures
from setoff.shared.codec.receipts import Receipt
from setoff.shared.errors import InputError

_HASH: Final = 32
_MAX: Final = 2**64 - 1
_PLACE: Final = 8


class SignedReceipt(NamedTuple):
    """What was signed, and the signature: 64 bytes and the siblings on the way to the root of its group."""

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
        """144 bytes and 32 for each sibling: sequence, record, running hash, deadline, signature."""
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
        signature = _read(shown, "signature")
        if not receipts.is_signature(signature):
            most = receipts.MAX_PATH
            raise InputError("missing_field", f"a receipt's 'signature' is 64 bytes and up to {most} hashes of 32")
        return cls(receipt, signature)


def sign(domain: bytes, receipt: Receipt, key: bytes | PrivateKey) -> SignedReceipt:
    """The receipt, signed with a 32-byte private key (see `signatures.sign`)."""
    return sign_group(domain, [receipt], key)[0]


def sign_group(domain: bytes, group: Sequence[Receipt], key: bytes | PrivateKey) -> list[SignedReceipt]:
    """1 to 2^MAX_PATH receipts under one signature."""
    root, paths = make_paths([receipts.hash_receipt(receipt) for receipt in group])
    signature = signatures.sign(receipts.digest_root(domain, root), key)
    return [SignedReceipt(receipt, signature + path) for receipt, path in zip(group, paths, strict=True)]


def make_paths(leaves: Sequence[bytes]) -> tuple[bytes, list[bytes]]:
    """The root over 1 to 2^MAX_PATH leaves, and the siblings on each one's way to it, 32 bytes each, from below."""
    level = list(leaves)
    if not 1 <= len(level) <= 1 << receipts.MAX_PATH:
        raise ValueError(f"a group has 1 to {1 << receipts.MAX_PATH} receipts")
    paths: list[list[bytes]] = [[] for _ in level]
    height = 0
    while len(level) > 1:
        last = len(level) - 1
        for leaf, path in enumerate(paths):
            sibling = leaf >> height ^ 1
            if sibling <= last:
                path.append(level[sibling])
        level = [
            receipts.hash_sorted(level[left], level[left + 1]) if left < last else level[left]
            for left in range(0, len(level), 2)
        ]
        height += 1
    return level[0], [b"".join(path) for path in paths]


def _number(shown: dict[str, Any], name: str) -> int:
    value = shown.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX:
        raise InputError("missing_field", f"a receipt's '{name}' is an integer of 64 bits")
    return value


def _read(shown: dict[str, Any], name: str) -> bytes:
    """A member in hexadecimal, b"" if it is none."""
    value = shown.get(name)
    try:
        return bytes.fromhex(value.removeprefix("0x")) if isinstance(value, str) else b""
    except ValueError:
        return b""


def _bytes(shown: dict[str, Any], name: str, length: int) -> bytes:
    data = _read(shown, name)
    if len(data) != length:
        raise InputError("missing_field", f"a receipt's '{name}' is {length} bytes in hexadecimal")
    return data
