"""A market order is bounded by a mark that the exchange tells. What an operator that lies about it, and waits on the
other side, takes from who believes it."""

import pytest
from tests.support.machines.world import BUY, IOC, SELL, World

from setoff.shared.codec.integers import PPM
from setoff.shared.sdk.bodies import get_bound
from setoff.shared.wire.slippage import SLIPPAGE

MARK, LOTS = 100_000, 10
MAINTENANCE, BAND = 30_000, 100_000
"""Ppm: what a new market of a development chain has."""


def trade(side: int, told: int, slippage: int = SLIPPAGE) -> int | None:
    """The worst price at which a market order of this side is filled that was signed by a mark as `told`; None for a
    refusal. The operator has seen the order, and puts one of its own at each price before it, the worst first."""
    bound = get_bound(told, side, slippage)
    other = SELL if side == BUY else BUY
    prices = range(max(1, MARK * 7 // 10), MARK * 13 // 10, MARK // 1_000)
    for price in sorted(prices, reverse=side == BUY):
        world = World.trading(mark=MARK, funds=10**9, band=BAND, initial_margin=50_000, maintenance_margin=MAINTENANCE)
        if world.order(1, other, price, LOTS) != "accepted":
            continue  # the operator's own order is bounded, too
        if world.order(2, side, bound, LOTS, flags=IOC) == "accepted" and world.fills():
            return price
    return None


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("lie", [0, 1, 5, 10, 29, 50, 100, 1_000, 10_000])
def test_a_lie_about_the_mark_costs_a_maintenance_margin_at_most(side: int, lie: int) -> None:
    """`lie`: thousandths of the mark, to the harm of who believes it."""
    sign = 1 if side == BUY else -1
    told = max(1, MARK + sign * MARK * lie // 1_000)
    filled = trade(side, told)
    assert filled is not None
    harm = sign * (filled - MARK) * PPM // MARK
    promised = sign * (get_bound(told, side, SLIPPAGE) - MARK) * PPM // MARK
    assert harm == min(promised // 1_000 * 1_000, MAINTENANCE)
    if not lie:
        assert harm == SLIPPAGE


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_price_of_ones_own_is_kept_whatever_is_told(side: int) -> None:
    """As ccxt has it, and `place` with IOC: the bound is that price, and no word of the exchange's."""
    assert get_bound(MARK, side, SLIPPAGE) == trade(side, MARK)
    assert trade(side, MARK, slippage=0) == MARK
