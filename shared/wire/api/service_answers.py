"""What is answered about the exchange itself: what to know before signing, its state, batches, withdrawals."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from setoff.shared.wire.api.market_answers import Market, Terms
from setoff.shared.wire.api.record_answers import Refusal
from setoff.shared.wire.api.units import Address, Count, Hash, Large, Millis, Seconds, Tokens


class Limits(TypedDict):
    """What the exchange takes at most, or at least."""

    least_deposit: Tokens
    backstop_delay: Seconds
    batch_inputs: Count
    bulk_records: Count
    """Of one request."""
    bulk_legs: Count
    max_sub: Count
    max_agent: Count
    nonce_window: Count
    max_nonce_jump: Count
    crank_interval: Seconds
    max_order_slot: Count
    max_tick: Count
    max_order_size: Large
    """Lots, as the next."""
    max_position: Large
    max_positions: Count
    max_matches: Count


class Collateral(TypedDict):
    """The currency of the collateral, in which amounts are: a token unit is its last decimal."""

    symbol: str
    decimals: Count


class Info(TypedDict):
    """What a client has to know before it signs."""

    name: str
    """Of the EIP-712 domain, as the next four."""
    version: str
    chain_id: Count
    vault: Address
    domain: Hash
    token: Address
    queue: Address
    receipts: Address
    block: Count
    """Of L1, from which on there is something of the exchange to read."""
    block_hash: Hash
    types: list[str]
    """The type strings of what is signed."""
    epoch_batches: Count
    limits: Limits
    collateral: Collateral
    markets: list[Market]
    terms: Terms


class Status(TypedDict):
    """Where the sequencer is."""

    status: str
    obstacle: Refusal | None
    """Why no record is taken now."""
    machine: Hash
    records: Count
    batch: Count
    open_inputs: Count
    """Of the batch that is being built."""
    messages: Count
    """Of the L1 queue, taken so far."""
    commit: Count
    time: Seconds
    """The exchange's: the last batch's timestamp."""
    time_ms: Millis
    l1_time: Seconds
    l1_time_ms: Millis
    waiting: Count
    """Records on their way."""
    unposted: Count
    """Closed batches that are not on L1 yet."""
    paced_until: Seconds
    accounts: Count
    withdrawals: Count
    owed: str
    """Token units that the vault owes: deposits that were taken less withdrawals that were asked for."""
    winding_since: Seconds
    """0 while the exchange goes on."""


class Health(TypedDict):
    """Records are taken."""

    status: str


class Time(TypedDict):
    """What time it is."""

    time_ms: Millis
    """This machine's clock."""
    l1_time_ms: Millis
    """L1's at the last look, by which orders expire."""


class Batch(TypedDict):
    """A closed batch."""

    batch: Count
    hash: Hash
    parent: Hash
    timestamp: Seconds
    timestamp_ms: Millis
    first_message: Count
    message_count: Count
    first_record: Count
    record_count: Count
    module: Count
    """Of data availability."""
    data_root: Hash
    queue_hash: Hash
    end: Hash
    """The machine's hash after it."""
    posted: NotRequired[bool]
    """Whether it is on L1."""


class Withdrawal(TypedDict):
    """The proof of a withdrawal, as the vault wants to see it."""

    epoch: Count
    registers_hash: Hash
    state_root: Hash
    index: Count
    account: Count
    owner: Address
    amount: Tokens
    bitmap: Large
    siblings: list[Hash]
