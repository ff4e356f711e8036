"""Many orders in one record."""

from __future__ import annotations

from tests.support.generator.orders import Orders
from tests.support.generator.players import (
    ORDER_SLOTS,
)
from tests.support.generator.prices import Prices

from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import Leg
from setoff.shared.state import keys


class Bulks(Orders, Prices):
    """Bulk records and their leg pages."""

    def legs(self) -> list[Leg]:
        rng = self.rng
        legs = []
        for _ in range(rng.choice((0, 1, 3, 8, 9, 17))):
            market = rng.choice((1, 1, 2, 3, rng.randrange(256)))
            if rng.random() < 0.3:
                legs.append(Leg(records.CANCEL_LEG, market, rng.randrange(ORDER_SLOTS)))
                continue
            side = rng.randint(0, 1)
            flags = rng.choice((0, 0, 1, 2, 3)) | rng.choice((0, 0, 0, 4)) | rng.choice((0, 0, 8, 16))
            flags |= records.SELL_LEG if side else 0
            price = min(self.some_price(market, side), keys.MAX_TICK)
            size = rng.choice((1, 5, 60, rng.randint(1, 3000), 2**31 if self.is_large else 0))
            if rng.random() < 0.03:
                flags, size = rng.choice((24, 64, 127, 128, 255)), rng.choice((0, 2**31, 2**31 + 1, 2**40 - 1))
            legs.append(Leg(flags, market, rng.choice((rng.randrange(ORDER_SLOTS), rng.randrange(256))), price, size))
            if rng.random() < 0.05:
                legs.append(Leg(0, 0, 0))
        return legs

    def bulk(self) -> list[bytes]:
        """A bulk record and its pages, now and then with something between them, or not the pages it names."""
        rng = self.rng
        account, agent = self.some_account(), self.some_agent()
        legs = self.legs()
        leg_pages: list[bytes] = []
        following = bytes(32)
        for start in reversed(range(0, max(1, len(legs)), records.LEGS_PER_PAGE)):
            leg_pages.insert(0, records.encode_leg_page(legs[start : start + records.LEGS_PER_PAGE], following))
            following = keccak(leg_pages[0])
        body = records.BulkBody(account, self.next_nonce(account, agent), following, agent)
        inputs = [self.by(account, records.encode(body), agent), *leg_pages]
        if rng.random() < 0.2:
            inputs.insert(rng.randint(1, len(inputs)), rng.choice((self.crank, self.cancel, self.stray_leg_page))())
        return inputs

    def stray_leg_page(self) -> bytes:
        return records.encode_leg_page(self.legs()[: records.LEGS_PER_PAGE], self.rng.choice((bytes(32), b"\x11" * 32)))
