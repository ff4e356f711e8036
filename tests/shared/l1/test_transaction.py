"""Signed transactions are, byte for byte, those of eth-account."""

from typing import Any

import pytest
from coincurve import PrivateKey
from eth_account import Account

from setoff.shared.codec.hashing import keccak
from setoff.shared.l1.transaction import Unsigned, sign_transaction

KEY = bytes(31) + b"\7"
TO = bytes(19) + b"\5"
HASHES = [b"\1" + bytes(31), b"\1" + bytes(30) + b"\2"]


@pytest.mark.parametrize("nonce", [0, 1, 2**32])
@pytest.mark.parametrize("to", [TO, None])
@pytest.mark.parametrize(("value", "data"), [(0, b""), (10**24, b"\0"), (1, bytes(200))])
def test_fees(nonce: int, to: bytes | None, value: int, data: bytes) -> None:
    unsigned = Unsigned(chain_id=31337, nonce=nonce, tip=3, fee=10**12, gas=2**24, to=to, value=value, data=data)
    ours = sign_transaction(PrivateKey(KEY), unsigned)
    fields = {"type": 2, "chainId": 31337, "nonce": nonce, "maxPriorityFeePerGas": 3, "maxFeePerGas": 10**12}
    fields |= {"gas": 2**24, "value": value, "data": data} | ({} if to is None else {"to": to})
    compare(ours, fields)


def test_blobs() -> None:
    unsigned = Unsigned(
        chain_id=1,
        nonce=5,
        tip=3,
        fee=7,
        gas=21000,
        to=TO,
        value=0,
        data=b"call",
        blob_fee=9,
        blob_hashes=HASHES,
    )
    ours = sign_transaction(PrivateKey(KEY), unsigned)
    fields = {"type": 3, "chainId": 1, "nonce": 5, "maxPriorityFeePerGas": 3, "maxFeePerGas": 7, "gas": 21000}
    fields |= {"to": TO, "value": 0, "data": b"call", "maxFeePerBlobGas": 9, "blobVersionedHashes": HASHES}
    compare(ours, fields)


def compare(ours: bytes, fields: dict[str, Any]) -> None:
    theirs = Account.sign_transaction(fields, KEY)
    assert ours == bytes(theirs.raw_transaction)
    assert keccak(ours) == bytes(theirs.hash)
