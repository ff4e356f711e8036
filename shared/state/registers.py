"""The registers: everything in flight that is not a leaf. Twin: ``contracts/state/registers.vy``.

65 words, hashed in the order of `FIELDS`; machine hash = keccak(state root || registers hash). An idle machine keeps
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
    "input_index",  # of the last input fetched, in its batch
    "phase",  # what the next step does
    "outcome",  # reason number of the last finished input
    "steps",  # real steps of this batch so far
    "sequence",  # orders accepted so far
    "accounts",  # highest account id
    "markets",  # highest market id
    "withdrawals",  # withdrawals granted so far
    "owed",  # token units: deposits less withdrawals, all that the vault owes
    "drawn_until",  # seconds: until then withdrawals are limited, because the backstop was drawn
    "window",  # hour (seconds // 3600) of the withdrawals below
    "withdrawn",  # token units granted in that hour
    "winding_since",  # seconds: when the wind-down began, 0 while there is none
    "last_gap_end",  # seconds: when batches last came again after LONG_GAP without one
    "started",  # `steps` when that input was fetched
    "has_work",  # 1 while the machine has work of its own left for the next input
    "parked_first",  # the first parked record, the next to be taken
    "parked_end",  # the number the next one to be parked gets
    "sweeping",  # 1 while accounts are left to visit after a change of price
    "sweep",  # the next of them
    "sweep_subs",  # sub-accounts its master has
    "skip_account",  # 1 if nothing can be done for the account under the sweep: it is passed over
    "trigger_market",  # market whose armed orders are to be looked at, 0 for none
    "unwind",  # market in which the backstop offers its position, 0 for none
    "ranking",  # 1 while accounts are left to rank for auto-deleveraging
    "rank",  # the next of them
    "rank_subs",  # sub-accounts its master has
    "best_score",  # highest score so far
    "best_account",  # the account that has it
    "bulk",  # 32 bytes: hash of the leg page that must come next, zero for none
    "bulk_account",  # account of that bulk record
    "bulk_pages",  # leg pages it may still have
    "legs0",  # legs still to run, two of 11 bytes a word
    "legs1",
    "legs2",
    "legs3",
    "kind",  # type byte of the input in flight
    "account",  # its account (for a report: the signer's index)
    "signer",  # 20 bytes: address recovered from its signature, or the owner a message names
    "agent",  # which of the account's agents signed it, 0 its owner
    "nonce",  # its nonce (for a report: its time)
    "market",
    "side",
    "flags",
    "order_slot",  # order slot of the account
    "price",  # ticks
    "size",  # lots still to trade
    "expiry",  # seconds, 0 for never
    "trigger",  # ticks, 0 for none
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
    "fok_lots",  # lots it could trade
    "next_phase",  # phase to go on with after a shared phase
    "return_phase",  # phase to return to when the work in flight is done
)

_PACKED: Final = Struct(
    ">"
    + "32s"
    + "24xQ" * 10
    + "16x16s"
    + "24xQ" * 2
    + "16x16s"
    + "24xQ" * 15
    + "16x16s"
    + "24xQ"
    + "32s"
    + "24xQ" * 2
    + "8x24s" * 4
    + "24xQ" * 2
    + "12x20s"
    + "24xQ" * 12
    + "16x16s"
    + "24xQ" * 10
)
#: Registers wider than 8 bytes that are integers, with their width.
_WIDE: Final[dict[str, int]] = {
    "owed": 16,
    "withdrawn": 16,
    "best_score": 16,
    "legs0": 24,
    "legs1": 24,
    "legs2": 24,
    "legs3": 24,
    "amount": 16,
}


class Registers:
    """The 65 registers as plain integers (`domain`, `bulk` 32 bytes, `signer` 20 bytes); see `FIELDS` for units."""

    __slots__ = FIELDS

    def __init__(self, domain: bytes = bytes(32)) -> None:
        self.domain = domain
        self.time = 0
        self.batch = 0
        self.input_index = 0
        self.phase = 0
        self.outcome = 0
        self.steps = 0
        self.sequence = 0
        self.accounts = 0
        self.markets = 0
        self.withdrawals = 0
        self.owed = 0
        self.drawn_until = 0
        self.window = 0
        self.withdrawn = 0
        self.winding_since = 0
        self.last_gap_end = 0
        self.started = 0
        self.has_work = 0
        self.parked_first = 0
        self.parked_end = 0
        self.sweeping = 0
        self.sweep = 0
        self.sweep_subs = 0
        self.skip_account = 0
        self.trigger_market = 0
        self.unwind = 0
        self.ranking = 0
        self.rank = 0
        self.rank_subs = 0
        self.best_score = 0
        self.best_account = 0
        self.bulk = bytes(32)
        self.bulk_account = 0
        self.bulk_pages = 0
        self.legs0 = 0
        self.legs1 = 0
        self.legs2 = 0
        self.legs3 = 0
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
        self.order_slot = 0
        self.price = 0
        self.size = 0
        self.expiry = 0
        self.trigger = 0
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
        self.fok_lots = 0
        self.next_phase = 0
        self.return_phase = 0

    def finish(self) -> None:
        """The work in flight is done."""
        self.phase = self.return_phase

    def reject(self, outcome: int) -> None:
        """The work in flight cannot be done.

        Only an input of its own has an outcome; the machine's own work has none.
        """
        if self.return_phase == 0:
            self.outcome = outcome
        self.phase = self.return_phase

    def encode(self) -> bytes:
        """The 65 words."""
        return _PACKED.pack(
            self.domain,
            self.time,
            self.batch,
            self.input_index,
            self.phase,
            self.outcome,
            self.steps,
            self.sequence,
            self.accounts,
            self.markets,
            self.withdrawals,
            self.owed.to_bytes(16, "big"),
            self.drawn_until,
            self.window,
            self.withdrawn.to_bytes(16, "big"),
            self.winding_since,
            self.last_gap_end,
            self.started,
            self.has_work,
            self.parked_first,
            self.parked_end,
            self.sweeping,
            self.sweep,
            self.sweep_subs,
            self.skip_account,
            self.trigger_market,
            self.unwind,
            self.ranking,
            self.rank,
            self.rank_subs,
            self.best_score.to_bytes(16, "big"),
            self.best_account,
            self.bulk,
            self.bulk_account,
            self.bulk_pages,
            self.legs0.to_bytes(24, "big"),
            self.legs1.to_bytes(24, "big"),
            self.legs2.to_bytes(24, "big"),
            self.legs3.to_bytes(24, "big"),
            self.kind,
            self.account,
            self.signer,
            self.agent,
            self.nonce,
            self.market,
            self.side,
            self.flags,
            self.order_slot,
            self.price,
            self.size,
            self.expiry,
            self.trigger,
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
            self.fok_lots,
            self.next_phase,
            self.return_phase,
        )

    @classmethod
    def decode(cls, words: bytes) -> Registers:
        """The inverse of `encode`."""
        regs = cls()
        values = _PACKED.unpack(words)
        for name, value in zip(FIELDS, values, strict=True):
            setattr(regs, name, int.from_bytes(value, "big") if name in _WIDE else value)
        return regs

    def copy(self) -> Registers:
        """An independent copy."""
        twin = Registers()
        for name in FIELDS:
            setattr(twin, name, getattr(self, name))
        return twin

    def hash(self) -> bytes:
        """keccak of the 65 words."""
        return keccak(self.encode())


def machine_hash(state_root: bytes, registers_hash: bytes) -> bytes:
    """keccak(state root || registers hash): the one hash that stands for a whole machine."""
    return keccak(state_root + registers_hash)
