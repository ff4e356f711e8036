"""EIP-712 digests of the signed records, and the typed data a wallet shows. Twin: ``contracts/codec/eip712.vy``.

Domain: name "Setoff", version "1", the chain's id, the vault's address as verifying contract.
"""

from __future__ import annotations

from typing import Any, Final

from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import InputError

NAME: Final = "Setoff"
VERSION: Final = "1"

DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_DOMAIN_FIELDS: Final = DOMAIN_TYPE[DOMAIN_TYPE.index("(") + 1 : -1].split(",")


def domain_separator(chain_id: int, vault: bytes) -> bytes:
    """32-byte EIP-712 domain separator; `vault` is a 20-byte address."""
    return keccak(
        keccak(DOMAIN_TYPE.encode())
        + keccak(NAME.encode())
        + keccak(VERSION.encode())
        + chain_id.to_bytes(32, "big")
        + bytes(12)
        + vault
    )


def digest(domain: bytes, body: bytes) -> bytes:
    """32-byte digest that a trader or oracle signer signs: keccak(0x1901 || domain || hashStruct)."""
    return keccak(b"\x19\x01" + domain + records.struct_hash(body))


def typed_data(chain_id: int, vault: bytes, body: bytes) -> dict[str, Any]:
    """The record as the JSON object that wallets and eth-account sign (``eth_signTypedData_v4``).

    Raises InputError("malformed_record") for a type that nobody signs.
    """
    if body[0] not in records.SIGNED:
        raise InputError("malformed_record", f"nobody signs a record of type {body[0]}")
    kind = records.SIGNED[body[0]]
    return {
        "types": {
            "EIP712Domain": [dict(zip(("type", "name"), part.split(), strict=True)) for part in _DOMAIN_FIELDS],
            kind.name: [{"type": field.type, "name": field.name} for field in kind.fields],
        },
        "primaryType": kind.name,
        "domain": {"name": NAME, "version": VERSION, "chainId": chain_id, "verifyingContract": "0x" + vault.hex()},
        "message": {
            field.name: "0x" + value.hex() if field.is_bytes else value
            for field, value in zip(kind.fields, kind.decode(body), strict=True)
        },
    }
