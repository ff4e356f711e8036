"""Who signed: the address behind a signature, of one digest or of many records. Twin, where modules are compiled:
``recovery.c``, which calls the same libsecp256k1, coincurve's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from coincurve import PublicKey

from setoff.shared.codec.hashing import keccak

_HALF_ORDER: Final = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
"""Half of the curve's order (`signatures.py`)."""
_SIGNATURE_BYTES: Final = 64
_PARITY: Final = 1 << 255


def recover(digest: bytes, signature: bytes) -> bytes | None:
    """20-byte address that signed the 32-byte `digest`, or None where the signature is not valid."""
    word = int.from_bytes(signature[32:], "big")
    s = word & (_PARITY - 1)
    if len(signature) != _SIGNATURE_BYTES or s == 0 or s > _HALF_ORDER or signature[:32] == bytes(32):
        return None
    raw = signature[:32] + s.to_bytes(32, "big") + (b"\1" if word & _PARITY else b"\0")
    try:
        key = PublicKey.from_signature_and_message(raw, digest, hasher=None)
    except ValueError:
        return None
    return keccak(key.format(compressed=False)[1:])[12:]


class Signers:
    """Who signed each of many messages: found when it is asked for, or before, by a thread that calls `run`.

    The digest of a message is keccak(prefix ‖ keccak(message)). Compiled, several are recovered at a time, and other
    threads run meanwhile.
    """

    __slots__ = ("_found", "_messages", "_prefix", "_signatures")

    def __init__(self, prefix: bytes, messages: Sequence[bytes], signatures: Sequence[bytes]) -> None:
        """Raises ValueError if there is not one signature for each message."""
        if len(messages) != len(signatures):
            raise ValueError(f"{len(messages)} messages, {len(signatures)} signatures")
        self._prefix = prefix
        self._messages = messages
        self._signatures = signatures
        self._found: dict[int, bytes | None] = {}

    def get(self, place: int) -> bytes | None:
        """The signer of the message at `place`, as `recover` has it. Raises IndexError if there is none."""
        if not 0 <= place < len(self._messages):
            raise IndexError(f"no message {place} among {len(self._messages)}")
        if place not in self._found:
            digest = keccak(self._prefix + keccak(self._messages[place]))
            self._found[place] = recover(digest, self._signatures[place])
        return self._found[place]

    def run(self) -> None:
        """Find all that nobody has begun with."""
        for place in range(len(self._messages)):
            self.get(place)
