"""What an account has bid under each nonce, kept over a restart: whoever comes after has to outbid it."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class FormerBid(NamedTuple):
    """Wei a unit of gas: the tip, the highest fee; and the highest price of a unit of blob gas."""

    tip: int
    fee: int
    blob_fee: int


class BidJournal(Protocol):
    """Remembers bids by nonce. Losing one costs time, never money."""

    def load(self, nonce: int) -> FormerBid | None:
        """The last bid under this nonce, None if none is known."""
        ...

    def save(self, nonce: int, bid: FormerBid) -> None:
        """Remember a bid that is about to be sent."""
        ...

    def forget(self, nonce: int) -> None:
        """The nonce is used up for good."""
        ...


class NoJournal:
    """For accounts that send now and then, from a command."""

    def load(self, nonce: int) -> FormerBid | None:
        """See `BidJournal`."""
        return None

    def save(self, nonce: int, bid: FormerBid) -> None:
        """See `BidJournal`."""

    def forget(self, nonce: int) -> None:
        """See `BidJournal`."""
