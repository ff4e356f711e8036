"""Whose account is meant: bots name accounts by addresses, the exchange by owners and numbers.

The owner's address, the agent's and the bot's are all the account that the gateway trades for. Its sub-accounts have
addresses here that nobody has the key of, made of the owner's; any other address is that of another owner.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from setoff.shared.codec.hashing import keccak
from setoff.shared.gateway.refusals import BotError, Misshapen
from setoff.shared.state import keys

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


class Party(NamedTuple):
    """An account: `name` is the exchange's, `sub` the sub-account of ours that it is, None for another's."""

    name: str
    address: str
    sub: int | None


class Parties:
    """Finds accounts by the addresses that bots use for them."""

    def __init__(self, owner: bytes, sub: int, others: tuple[bytes, ...]) -> None:
        """`owner`: whose account it is; `sub`: that of its sub-accounts (0: itself) which the owner's address, and
        those of the `others`, stand for."""
        self.owner = owner
        self.own = self._make(sub, owner)
        self._known = dict.fromkeys((owner, *others), self.own)
        for number in range(keys.MAX_SUB + 1):
            address = make_sub_address(owner, number)
            self._known[address] = self._make(number, address)

    def _make(self, sub: int, address: bytes) -> Party:
        owner = "0x" + self.owner.hex()
        return Party(f"{owner}.{sub}" if sub else owner, "0x" + address.hex(), sub)

    def find(self, user: object) -> Party:
        """The account of an address. Raises Misshapen for what is none."""
        if not isinstance(user, str) or not _ADDRESS.fullmatch(user):
            raise Misshapen(f"user: {str(user)[:60]!r} is no address")
        address = bytes.fromhex(user[2:])
        known = self._known.get(address)
        return Party(user.lower(), user.lower(), None) if known is None else known._replace(address=user.lower())

    def find_own(self, vault: object) -> int:
        """The sub-account of ours that a request trades for by its `vaultAddress`, None for the one that is set.

        Raises BotError for another's.
        """
        party = self.own if vault is None else self.find(vault)
        if party.sub is None:
            raise BotError(f"Vault not registered: {party.address} is no account of this gateway's")
        return party.sub


def make_sub_address(owner: bytes, sub: int) -> bytes:
    """The address here of a sub-account, 0 for the account itself."""
    return keccak(b"setoff sub-account" + owner + bytes([sub]))[12:]
