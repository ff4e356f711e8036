"""What an account has bid under each nonce, kept over a restart: whoever comes after has to outbid it."""

from __future__ import annotations

import json
import logging
from typing import NamedTuple, Protocol, cast

from redis import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


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


class StoredBids:
    """`{prefix}:bids:{address}`: a hash of nonce to a JSON list of tip, fee and blob fee."""

    def __init__(self, redis: Redis, prefix: str, address: bytes) -> None:
        """`redis` must not decode responses."""
        self._redis = redis
        self._key = f"{prefix}:bids:{address.hex()}"

    def load(self, nonce: int) -> FormerBid | None:
        """See `BidJournal`."""
        try:
            value = cast("bytes | None", self._redis.hget(self._key, str(nonce)))
            return None if value is None else FormerBid(*map(int, json.loads(value)))
        except (RedisError, ValueError, TypeError) as error:
            log.warning("former bids cannot be read: %s", error)
            return None

    def save(self, nonce: int, bid: FormerBid) -> None:
        """See `BidJournal`."""
        try:
            self._redis.hset(self._key, str(nonce), json.dumps(bid))
        except RedisError as error:
            log.warning("the bid under nonce %d is not kept: %s", nonce, error)

    def forget(self, nonce: int) -> None:
        """See `BidJournal`."""
        try:
            self._redis.hdel(self._key, str(nonce))
        except RedisError as error:
            log.debug("the bid under nonce %d stays: %s", nonce, error)
