"""The registers: everything in flight that is not a leaf. Twin: ``contracts/state/registers.vy``.

36 words, hashed in the order of `FIELDS`; machine hash = keccak(state root || registers hash). An idle machine keeps
the values of its last input (they are part of the hash); the next fetch clears those from `kind` on.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from setoff.shared.codec.hashing import keccak

FIELDS: Final[tuple[str, ...]] = (
    "domain",  # 32 bytes: EIP-712 domain separator, fixed at genesis
    "time",  # seconds: timestamp of the batch
    "batch",  # number of the batch
    "slot",  # slot of the last input fetched
    "phase",  # what the next step does
    "outcome",  # reason number of the last finished input
    "steps",  # real steps of this batch so far
    "sequence",  # orders accepted so far
    "accounts",  # highest account id
    "markets",  # highest market id
    "withdrawals",  # withdrawals granted so far
    "kind",  # type byte of the input in flight
    "account",  # its account (for a report: the signer's index)
    "signer",  # 20 bytes: address recovered from its signature, or the owner a message names
    "agent",  # which of the account's agents signed it, 0 its owner
    "nonce",  # its nonce (for a report: its time)
    "market",
    "side",
    "flags",
    "place",  # order slot of the account
    "price",  # ticks
    "size",  # lots still to trade
    "expiry",  # seconds, 0 for never
    "client",  # the trader's own id of the order
    "peer",  # the other account of a transfer
    "amount",  # token units
    "cursor",  # handle of the order the next step works on
    "lots",  # lots of the next fill
    "level_market",  # market of the level the next step works on
    "tick",  # tick of the level the next step works on
    "level_side",  # side of the book that level is on
    "matches",  # makers visited so far
    "scanning",  # 1 while a fill-or-kill order only counts what it could trade
    "found",  # lots it could trade
    "resume",  # phase to go on with after a shared phase
    "home",  # phase to return to when the work in flight is done
)

_PACKED: Final = Struct(">32s" + "24xQ" * 12 + "12x20s" + "24xQ" * 11 + "16x16s" + "24xQ" * 10)


class Registers:
    """The 36 registers as plain integers (`domain` 32 bytes, `signer` 20 bytes); see `FIELDS` for units."""

    __slots__ = FIELDS

    def __init__(self, domain: bytes = bytes(32)) -> None:
        self.domain = domain
        self.time = 0
        self.batch = 0
        self.slot = 0
        self.phase = 0
        self.outcome = 0
        self.steps = 0
        self.sequence = 0
        self.accounts = 0
        self.markets = 0
        self.withdrawals = 0
        self.clear()

    def clear(self) -> None:
        """Forget the input in flight."""
        self.kind = 0
        self.account = 0
        self.signer = bytes(20)
        self.agent = 0
        self.nonce = 0
        self.market = 0
        self.side = 0
        self.flags = 0
        self.place = 0
        self.price = 0
        self.size = 0
        self.expiry = 0
        self.client = 0
        self.peer = 0
        self.amount = 0
        self.cursor = 0
        self.lots = 0
        self.level_market = 0
        self.tick = 0
        self.level_side = 0
        self.matches = 0
        self.scanning = 0
        self.found = 0
        self.resume = 0
        self.home = 0

    def finish(self) -> None:
        """The work in flight is done."""
        self.phase = self.home

    def reject(self, outcome: int) -> None:
        """The work in flight cannot be done. Only an input of its own has an outcome; the machine's own work has none."""
        if self.home == 0:
            self.outcome = outcome
        self.phase = self.home

    def encode(self) -> bytes:
        """The 36 words."""
        return _PACKED.pack(
            self.domain,
            self.time,
            self.batch,
            self.slot,
            self.phase,
            self.outcome,
            self.steps,
            self.sequence,
            self.accounts,
            self.markets,
            self.withdrawals,
            self.kind,
            self.account,
            self.signer,
            self.agent,
            self.nonce,
            self.market,
            self.side,
            self.flags,
            self.place,
            self.price,
            self.size,
            self.expiry,
            self.client,
            self.peer,
            self.amount.to_bytes(16, "big"),
            self.cursor,
            self.lots,
            self.level_market,
            self.tick,
            self.level_side,
            self.matches,
            self.scanning,
            self.found,
            self.resume,
            self.home,
        )

    @classmethod
    def decode(cls, words: bytes) -> Registers:
        """The inverse of `encode`."""
        regs = cls()
        values = _PACKED.unpack(words)
        for name, value in zip(FIELDS, values, strict=True):
            setattr(regs, name, int.from_bytes(value, "big") if name == "amount" else value)
        return regs

    def copy(self) -> Registers:
        """An independent copy."""
        twin = Registers()
        for name in FIELDS:
            setattr(twin, name, getattr(self, name))
        return twin

    def hash(self) -> bytes:
        """keccak of the 36 words."""
        return keccak(self.encode())


def machine_hash(state_root: bytes, registers_hash: bytes) -> bytes:
    """keccak(state root || registers hash): the one hash that stands for a whole machine."""
    return keccak(state_root + registers_hash)
