"""An order as a bot writes it, and what it is here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from setoff.shared.codec import records
from setoff.shared.gateway.assets import Asset, Universe
from setoff.shared.gateway.order_ids import Cloids
from setoff.shared.gateway.refusals import Misshapen
from setoff.shared.state import keys

TIMES_IN_FORCE: Final = {
    "Gtc": records.GTC,
    "Ioc": records.IOC,
    "FrontendMarket": records.IOC,
    "Alo": records.POST_ONLY,
}


class Wanted(NamedTuple):
    """An order: ticks, lots; `flags`: time in force, REDUCE_ONLY, ABOVE or BELOW with a `trigger`."""

    asset: Asset
    side: int
    flags: int
    price: int
    size: int
    trigger: int
    client: int
    cloid: str | None

    @property
    def terms(self) -> tuple[int, ...]:
        """What it is, whatever it is called."""
        return self.asset.market, self.side, self.flags, self.price, self.size, self.trigger

    @property
    def is_armed(self) -> bool:
        """Whether it waits for a price."""
        return bool(self.flags & records.ARMED)


async def read_wanted(universe: Universe, cloids: Cloids, wire: object, whole: int | None = None) -> Wanted:
    """Read an order. `whole`: lots of one whose size is 0, which stands for the whole position.

    Raises Misshapen, BotError.
    """
    if not isinstance(wire, Mapping):
        raise Misshapen("order: it is an object")
    asset = await universe.at(wire.get("a"))
    side = records.BUY if _read_bool(wire, "b") else records.SELL
    flags = records.REDUCE_ONLY if _read_bool(wire, "r") else 0
    price, trigger = asset.read_price(wire.get("p")), 0
    kind = wire.get("t")
    if isinstance(kind, Mapping) and isinstance(kind.get("limit"), Mapping):
        flags |= _read_time_in_force(kind["limit"])
    elif isinstance(kind, Mapping) and isinstance(kind.get("trigger"), Mapping):
        terms = kind["trigger"]
        trigger = asset.read_price(terms.get("triggerPx"))
        flags |= _find_direction(side, terms)
        if _read_bool(terms, "isMarket"):
            # What it names as a price is often the trigger itself: such a stop would not trade when it has to.
            flags |= records.IOC
            price = keys.MAX_TICK if side == records.BUY else 1
    else:
        raise Misshapen("order: 't' is a limit with a 'tif', or a trigger")
    size = whole if whole and wire.get("s") == "0" else asset.read_size(wire.get("s"))
    cloid = wire.get("c")
    return Wanted(asset, side, flags, price, size, trigger, cloids.make(cloid), cloid and str(cloid).lower())


def _read_time_in_force(limit: Mapping[str, Any]) -> int:
    name = limit.get("tif")
    if name not in TIMES_IN_FORCE:
        raise Misshapen(f"order: 'tif' is one of {', '.join(TIMES_IN_FORCE)}")
    return TIMES_IN_FORCE[name]


def _find_direction(side: int, terms: Mapping[str, Any]) -> int:
    """Stops wait for the mark to go against the position that they close, take-profits for it to go with it."""
    kind = terms.get("tpsl")
    if kind not in ("tp", "sl"):
        raise Misshapen("order: 'tpsl' is tp or sl")
    is_above = (side == records.BUY) == (kind == "sl")
    return records.ABOVE if is_above else records.BELOW


def _read_bool(wire: Mapping[str, Any], name: str) -> bool:
    value = wire.get(name)
    if not isinstance(value, bool):
        raise Misshapen(f"order: '{name}' is true or false")
    return value
