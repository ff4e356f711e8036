"""Bids kept in a Redis database, as services keep theirs; a client that sends now and then needs no such thing."""

from __future__ import annotations

import json
import logging
from typing import cast

from redis import Redis
from redis.exceptions import RedisError

from setoff.shared.l1.bid_journal import FormerBid

log = logging.getLogger(__name__)


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
