"""What a client says it signed for, and the signature, in any of the usual spellings."""

from __future__ import annotations

from typing import Any

from setoff.shared.codec import eip712, records, signatures
from setoff.shared.errors import InputError


def check_domain(domain: dict[str, Any], chain_id: int, vault: bytes) -> None:
    """Check the domain that a client says it signed. Raises InputError("wrong_chain")."""
    theirs = domain.get("chainId", chain_id)
    try:
        theirs = int(theirs, 0) if isinstance(theirs, str) else theirs
    except ValueError:
        theirs = None
    if theirs != chain_id or isinstance(theirs, bool):
        raise InputError("wrong_chain", f"this exchange settles on chain {chain_id}")
    contract = domain.get("verifyingContract", "0x" + vault.hex())
    if not isinstance(contract, str) or contract.lower() != "0x" + vault.hex():
        raise InputError("wrong_chain", f"the verifying contract is the vault, 0x{vault.hex()}")
    if domain.get("name", eip712.NAME) != eip712.NAME or domain.get("version", eip712.VERSION) != eip712.VERSION:
        raise InputError("wrong_chain", f"the domain is {eip712.NAME}, version {eip712.VERSION}")


def parse_signature(text: str) -> bytes:
    """The compact form of a signature in hex. Raises InputError("bad_signature")."""
    try:
        raw = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise InputError("bad_signature", "the signature is not hexadecimal") from None
    if len(raw) == records.SIGNATURE_BYTES:
        return raw
    if len(raw) != records.SIGNATURE_BYTES + 1 or raw[64] not in (0, 1, 27, 28):
        raise InputError("bad_signature", "a signature has 64 bytes, or 65 with v = 0, 1, 27 or 28")
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big")
    if not (0 < r < signatures.CURVE_ORDER and 0 < s < signatures.CURVE_ORDER):
        raise InputError("bad_signature", "r or s is not a number below the order of the curve")
    return signatures.compact(r, s, raw[64] % 27)
