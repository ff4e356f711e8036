"""Every parameter of a listing at its bounds and just over them."""

from dataclasses import replace

from tests.support.judge.judged_world import JudgedWorld
from tests.support.machines.listing_edges import at_edge, listing_edges, tiered

from setoff.shared.codec import records
from setoff.shared.codec.records import ListMarketBody, MarketParameters, SetMarketBody
from setoff.shared.state import keys


def play_listing_edges(world: JudgedWorld) -> None:
    """Every parameter of a listing at its bounds and just over them, with and without tiers."""
    plain = tiered(MarketParameters(1, 100_000, 50_000, 500, -100, 500_000))
    for message, ahead in ((ListMarketBody, 1), (SetMarketBody, 0)):
        for number in range(len(listing_edges(ListMarketBody(1, plain)))):
            m = ListMarketBody(world.machine.regs.markets + ahead, plain)
            world.batch([records.encode(message(*at_edge(m, *listing_edges(m)[number])))])
        for tier in ({"tier1_size": 0}, {"tier2_size": 0}, {"tier1_size": 0, "tier2_size": 0}):
            m = ListMarketBody(world.machine.regs.markets + ahead, replace(plain, **tier))
            world.batch([records.encode(message(*m))])

    equal = replace(plain, tier2_initial=plain.tier1_initial, tier2_maintenance=plain.tier1_maintenance)
    assert world.batch([records.encode(SetMarketBody(1, equal))]) == ["accepted"]
    world.machine.regs.markets = keys.MAX_MARKET - 1
    assert world.batch([records.encode(ListMarketBody(keys.MAX_MARKET, plain))]) == ["accepted"]
    assert world.batch([records.encode(ListMarketBody(keys.MAX_MARKET + 1, plain))]) == ["bad_parameters"]


SCENES = (play_listing_edges,)
