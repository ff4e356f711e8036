"""The registers: everything in flight that is not a leaf. Twin: ``contracts/state/registers.vy``.

95 words, hashed in the order of `FIELDS`; machine hash = keccak(state root || registers hash). An idle machine keeps
the values of its last input (they are part of the hash); the next fetch clears those from `kind` on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

from setoff.shared.codec.hashing import keccak, keccak_all
from setoff.shared.codec.layout import U64, U128, U192, U256, Address, Bytes32
from setoff.shared.state.layout import WORD, Layout


@dataclass(slots=True, eq=False)
class InFlight:
    """The registers that belong to the input, or the work, in flight: the last of the list, cleared for each."""

    kind: U64 = 0  # type byte of the input in flight
    account: U64 = 0  # its account (for a report: the signer's index)
    signer: Address = bytes(20)  # address recovered from its signature, or the owner a message names
    agent: U64 = 0  # which of the account's agents signed it, 0 its owner
    scope: U128 = (
        0  # what that agent may trade: its limits (16 bits), sub-accounts (16), markets (64), 0 for everything
    )
    nonce: U64 = 0  # its nonce (for a report: its time)
    market: U64 = 0
    side: U64 = 0
    flags: U64 = 0
    order_slot: U64 = 0  # order slot of the account
    price: U64 = 0  # ticks; of a crank the impact price of the asks, 0 for none
    size: U64 = 0  # lots still to trade; of a crank those a side has to offer
    expiry: U64 = 0  # seconds, 0 for never
    trigger: U64 = 0  # ticks, 0 for none; of a crank the impact price of the bids, 0 for none
    client: U64 = 0  # the trader's own id of the order
    # The other account of a transfer; handle of the order that a crank looks at, or that leaves an auction, next.
    peer: U64 = 0
    amount: U128 = 0  # token units; of a crank lots times ticks counted on a side
    cursor: U64 = 0  # handle of the order the next step works on
    lots: U64 = 0  # lots of the next fill
    shares: U128 = 0  # of the backstop, that a request came to
    enrol: U64 = 0  # 1 + the account to be entered among the market's holders next, 0 for none
    enrol_next: U64 = 0  # 1 + the one after it
    enrol_phase: U64 = 0  # phase to go on with once they are
    level_market: U64 = 0  # market of the level the next step works on
    tick: U64 = 0  # tick of the level the next step works on
    level_side: U64 = 0  # side of the book that level is on
    # Makers that a fill-or-kill order has counted; of an auction orders that vouched.
    matches: U64 = 0
    scanning: U64 = 0  # 1 while a fill-or-kill order only counts what it could trade
    fok_lots: U64 = 0  # lots it could trade; of a crank those counted on a side
    bid: U64 = 0  # of an auction, handle of the bid it looks at, or looks at next
    bid_tick: U64 = 0  # tick of its level, 0 if there is none
    ask: U64 = 0  # handle of the ask
    ask_tick: U64 = 0  # tick of its level, above all ticks if there is none
    surplus: U64 = 0  # lots counted on the other side than the one looked at, that have met none yet
    clearing: U64 = 0  # ticks: the lowest price at which as many lots trade; then the price at which they do
    ceiling: U64 = 0  # ticks: the highest such price, 0 once the clearing price is set
    next_phase: U64 = 0  # phase to go on with after a shared phase, or with the next input
    return_phase: U64 = 0  # phase to return to when the work in flight is done


@dataclass(slots=True, eq=False)
class Registers(InFlight):
    """All registers; these come before those of `InFlight`."""

    domain: Bytes32 = bytes(32)  # EIP-712 domain separator, fixed at genesis
    # Seconds from a request for shares of the backstop, or for its money, to its price, fixed at genesis.
    backstop_delay: U64 = 0
    time: U64 = 0  # seconds: timestamp of the batch
    batch: U64 = 0  # number of the batch
    input_index: U64 = 0  # of the last input fetched, in its batch
    phase: U64 = 0  # what the next step does
    outcome: U64 = 0  # reason number of the last finished input
    steps: U64 = 0  # real steps of this batch so far
    sequence: U64 = 0  # orders accepted so far
    accounts: U64 = 0  # highest account id
    markets: U64 = 0  # highest market id
    withdrawals: U64 = 0  # withdrawals granted so far
    owed: U128 = 0  # token units: deposits less withdrawals, all that the vault owes
    limited_since: U64 = 0  # seconds: when the last limit on withdrawals began
    draw_hour: U64 = 0  # hour (seconds // 3600) of the draws below
    drawn: U128 = 0  # token units drawn in that hour
    winding_since: U64 = 0  # seconds: when the wind-down began, 0 while there is none
    last_gap_end: U64 = 0  # seconds: when batches last came again after LONG_GAP without one
    stamp: U64 = 0  # seconds: when the queue took the last input fetched, 0 if it comes from no queue
    started: U64 = 0  # `steps` when that input was fetched
    has_work: U64 = 0  # 1 while the machine has work left for the next input, which goes on in `next_phase`
    parked_first: U64 = 0  # the first parked record, the next to be taken
    parked_end: U64 = 0  # the number the next one to be parked gets
    sweeping: U64 = 0  # 1 while holders are left to visit after a change of price
    sweep_end: U64 = 0  # account behind the word of holders that was read last
    sweep_word: U256 = 0  # those of that word who are left to visit, the next of them the lowest bit
    skip_account: U64 = 0  # 1 if nothing can be done for the account under the sweep: it is passed over
    trigger_market: U64 = 0  # market whose price has changed: its holders and armed orders are looked at, 0 for none
    mark_before: U64 = 0  # ticks: its mark before that change
    sweep_time: U64 = 0  # seconds: when the change came, by which prices are fresh for the whole sweep
    unwind: U64 = 0  # market in which the backstop offers its position, 0 for none
    settling: U64 = 0  # 1 while requests of the backstop that may be due are left to settle
    first_request: U64 = 0  # the account that asked first of those whose requests wait, 0 for none
    last_request: U64 = 0  # the one that asked last
    deleveraging: U64 = 0  # 1 while lots in flight are to be closed against the other side
    ranking: U64 = 0  # 1 while holders are left to rank for that
    rank_end: U64 = 0  # account behind the word of holders that was read last
    rank_word: U256 = 0  # those of that word who are left to rank, the next of them the lowest bit
    rank_market: U64 = 0  # market of those ranked, 0 for none in this sweep
    rank_side: U64 = 0  # side on which those are closed who are closed against them
    ranked0: U128 = 0  # the first of the ranking, by score << 24 | 2**24 - 1 - account, 0 for nobody
    ranked1: U128 = 0  # and so on
    ranked2: U128 = 0
    ranked3: U128 = 0
    ranked4: U128 = 0
    ranked5: U128 = 0
    ranked6: U128 = 0
    ranked7: U128 = 0
    bulk: Bytes32 = bytes(32)  # hash of the leg page that must come next, zero for none
    bulk_account: U64 = 0  # account of that bulk record
    bulk_pages: U64 = 0  # leg pages it may still have
    bulk_scope: U128 = 0  # `scope` of the agent who signed it
    bulk_until: U64 = 0  # seconds: from when on that agent has expired, 0 if the owner signed it
    legs0: U192 = 0  # legs still to run, two of 11 bytes a word
    legs1: U192 = 0
    legs2: U192 = 0
    legs3: U192 = 0

    def clear(self) -> None:
        """Forget the input in flight."""
        _clear(self)

    def get_stamp(self) -> int:
        """Seconds: when the queue took the input in flight; the batch's time if it comes from no queue."""
        return self.stamp or self.time

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
        """The 95 words."""
        return LAYOUT.pack(self)

    @classmethod
    def decode(cls, words: bytes) -> Registers:
        """The inverse of `encode`."""
        return LAYOUT.decode(words)

    def copy(self) -> Registers:
        """An independent copy."""
        return LAYOUT.copy(self)

    def hash(self) -> bytes:
        """keccak of the 95 words."""
        return keccak(self.encode())


IN_FLIGHT: Final = tuple(each.name for each in fields(InFlight))
FIELDS: Final = tuple(each.name for each in fields(Registers) if each.name not in IN_FLIGHT) + IN_FLIGHT
"""Their names in the order of their words."""
LAYOUT: Final = Layout(Registers, WORD * len(FIELDS), FIELDS)
_clear: Final = Layout(InFlight, WORD * len(IN_FLIGHT), IN_FLIGHT).clear


def machine_hash(state_root: bytes, registers_hash: bytes) -> bytes:
    """keccak(state root || registers hash): the one hash that stands for a whole machine."""
    return keccak(state_root + registers_hash)


def machine_hashes(state_roots: Sequence[bytes], registers: Sequence[bytes]) -> list[bytes]:
    """`machine_hash` of many machines, whose registers are given encoded: together in less time."""
    hashes = keccak_all(registers)
    return keccak_all([root + each for root, each in zip(state_roots, hashes, strict=True)])
