"""Whose request it is: the signature that a bot puts under an action, and its nonce.

A bot signs the hash of an action (MessagePack, then the nonce, the address it acts for, and when it is void) as the
`connectionId` of an EIP-712 `Agent`. Both values of its `source` are taken: which network the bot believes in is
nothing to us.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgpack

from setoff.shared.codec import signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.config.whole_file import replace_file
from setoff.shared.errors import DataError, SetoffError
from setoff.shared.gateway.refusals import NO_WALLET, BotError, Misshapen

CHAIN_ID: Final = 1337
SOURCES: Final = (b"a", b"b")
BEHIND: Final = 2 * 86_400_000
"""Milliseconds: how old a nonce may be."""
AHEAD: Final = 86_400_000
"""Milliseconds that it may be ahead."""
NONCES: Final = 100
"""So many of a key are known, the highest; lower ones are used up."""

_DOMAIN_TYPE: Final = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_AGENT_TYPE: Final = keccak(b"Agent(string source,bytes32 connectionId)")
_DOMAIN: Final = keccak(_DOMAIN_TYPE + keccak(b"Exchange") + keccak(b"1") + CHAIN_ID.to_bytes(32, "big") + bytes(32))


def hash_action(action: Any, nonce: int, vault: bytes | None, expires_after: int | None) -> bytes:
    """What is signed of a request. `vault`: 20 bytes; `expires_after`: milliseconds."""
    try:
        packed = bytes(msgpack.packb(action))
    except (ValueError, OverflowError) as error:
        raise Misshapen(f"action: {error}") from None
    data = packed + nonce.to_bytes(8, "big")
    data += b"\0" if vault is None else b"\1" + vault
    if expires_after is not None:
        data += b"\0" + expires_after.to_bytes(8, "big")
    return keccak(data)


def recover(action_hash: bytes, signature: Mapping[str, Any]) -> set[bytes]:
    """The addresses that may have signed it: one for each source. Raises Misshapen for what is no signature."""
    try:
        r, s = int(str(signature["r"]), 16), int(str(signature["s"]), 16)
        parity = int(signature["v"]) - 27
        if parity not in (0, 1):
            raise ValueError("v is 27 or 28")
        compact = signatures.compact(r, s, parity)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise Misshapen(f"signature: {error}") from None
    found = set()
    for source in SOURCES:
        digest = keccak(b"\x19\x01" + _DOMAIN + keccak(_AGENT_TYPE + keccak(source) + action_hash))
        try:
            signer = signatures.recover(digest, compact)
        except SetoffError:
            signer = None
        if signer is not None:
            found.add(signer)
    return found


class Bot:
    """The one bot that is let in: checks that a request is its own, and came once."""

    def __init__(self, address: bytes | None, file: Path | None = None) -> None:
        """`address`: of the key that it signs with, 20 bytes; None: whoever asks is let in. `file`: where its nonces
        are kept; what is older than the start is refused where there is none yet. Raises DataError for a broken one."""
        self.address = address
        self._file = file
        self._nonces: set[int] = set()
        self._floor = time.time_ns() // 1_000_000
        if file is not None and file.is_file():
            try:
                kept = json.loads(file.read_text())
                self._floor, self._nonces = int(kept["floor"]), set(map(int, kept["nonces"]))
            except (ValueError, TypeError, LookupError, RecursionError) as error:
                text = f"{file} cannot be read ({error}); without it requests from before the start are refused"
                raise DataError("data_mismatch", text) from None

    def check(
        self, action: Any, nonce: int, signature: Mapping[str, Any], vault: bytes | None, expires_after: int | None
    ) -> None:
        """Raises BotError for a request that is another's, or old, or was seen before."""
        now = time.time_ns() // 1_000_000
        if expires_after is not None and expires_after < now:
            raise BotError(f"Action expired: expiresAfter was {expires_after}, and it is {now}")
        if self.address is not None:
            signers = recover(hash_action(action, nonce, vault, expires_after), signature)
            if self.address not in signers:
                told = " or ".join(sorted("0x" + signer.hex() for signer in signers)) or "of no valid signature"
                raise BotError(NO_WALLET.format(address=told))
        self._use(nonce, now)

    def _use(self, nonce: int, now: int) -> None:
        if not now - BEHIND <= nonce <= now + AHEAD:
            raise BotError(f"Invalid nonce: {nonce} is no time of the last two days in milliseconds")
        if nonce < self._floor:
            text = f"{nonce} is from before the gateway's first start, as its clock has it, {self._floor}"
            raise BotError(f"Invalid nonce: {text}")
        if nonce in self._nonces or (len(self._nonces) >= NONCES and nonce < min(self._nonces)):
            raise BotError(f"Invalid nonce: {nonce} was used, or is lower than the last {NONCES} that were")
        self._nonces.add(nonce)
        if len(self._nonces) > NONCES:
            self._nonces.remove(min(self._nonces))
        self._keep()

    def _keep(self) -> None:
        """Before anything is done: what was done once is not done again after a restart."""
        if self._file is not None:
            replace_file(self._file, json.dumps({"floor": self._floor, "nonces": sorted(self._nonces)}))
