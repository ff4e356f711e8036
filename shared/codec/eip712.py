"""EIP-712 digests of the signed records, and the typed data a wallet shows. Twin: ``contracts/codec/eip712.vy``.

Domain: name "Setoff", version "1", the chain's id, the vault's address as verifying contract.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from threading import Thread
from typing import Any, Final, NamedTuple

from setoff.shared.codec import records, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.recovery import Signers
from setoff.shared.errors import InputError

NAME: Final = "Setoff"
VERSION: Final = "1"

DOMAIN_TYPE: Final = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_MARK: Final = b"\x19\x01"
_DOMAIN_FIELDS: Final = DOMAIN_TYPE[DOMAIN_TYPE.index("(") + 1 : -1].split(",")

_WORTH_HELP: Final = 64
"""Records for which a thread of their own is worth its start, two milliseconds' work."""


class FoundSigners:
    """Signers that somebody else has found, as `Signers` has them."""

    def __init__(self, found: Sequence[bytes | None]) -> None:
        self._found = found

    def get(self, place: int) -> bytes | None:
        """The signer of the message at `place`."""
        return self._found[place]


class _Ahead(NamedTuple):
    """Where the signer of a record is found."""

    domain: bytes
    signers: Signers | FoundSigners
    place: int


class _Noted(NamedTuple):
    """Signers of the signed records of a batch that is about to be run."""

    domain: bytes
    batch: Sequence[bytes]
    found: Sequence[bytes | None]


_ahead: Final[dict[bytes, _Ahead]] = {}
_noted: Final[list[_Noted]] = []


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
    return keccak(_MARK + domain + records.struct_hash(body))


def recover_signer(domain: bytes, record: bytes) -> bytes | None:
    """20-byte address that signed a record of 124 bytes, or None where its signature is not valid."""
    ahead = _ahead.pop(record, None) if _ahead else None
    if ahead is not None and ahead.domain == domain:
        return ahead.signers.get(ahead.place)
    return signatures.recover(digest(domain, record), record[records.BODY_BYTES :])


def recover_ahead(domain: bytes, batch: Sequence[bytes], *, is_helped: bool = False) -> None:
    """Of these records, of 124 bytes each and about to be run in their order, find the signers together.

    `recover_signer` then has each of them once: who runs a record again does the whole work. What is left of an earlier
    batch is forgotten. `is_helped`: a thread beside this one finds them, too.
    """
    signed = [record for record in batch if record[0] in records.SIGNED]
    noted = _noted.pop() if _noted else None
    if noted is not None and noted.domain == domain and noted.batch == batch:
        known = FoundSigners(noted.found)
        _ahead.clear()
        _ahead.update((record, _Ahead(domain, known, place)) for place, record in enumerate(signed))
        return
    signers = _make_signers(domain, signed)
    _ahead.clear()
    _ahead.update((record, _Ahead(domain, signers, place)) for place, record in enumerate(signed))
    if is_helped and len(signed) >= _WORTH_HELP:
        with suppress(RuntimeError):  # no more threads here: then this one finds them all
            Thread(target=signers.run, name="signatures", daemon=True).start()


def find_signers(domain: bytes, batch: Sequence[bytes]) -> list[bytes | None]:
    """Who signed each of the signed records among these, in their order; None where a signature is not valid."""
    signed = [record for record in batch if record[0] in records.SIGNED]
    signers = _make_signers(domain, signed)
    signers.run()
    return [signers.get(place) for place in range(len(signed))]


def note_signers(domain: bytes, batch: Sequence[bytes], found: Sequence[bytes | None]) -> None:
    """What another process of ours has found by `find_signers`: the next `recover_ahead`, if it is of these records, is
    for nothing."""
    _noted[:] = [_Noted(domain, batch, found)]


def _make_signers(domain: bytes, signed: Sequence[bytes]) -> Signers:
    messages = [records.encode_struct(record) for record in signed]
    return Signers(_MARK + domain, messages, [record[records.BODY_BYTES :] for record in signed])


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
