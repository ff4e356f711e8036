"""Every parameter of a listing at its bounds and just over them."""

from tests.support.judge.judged_world import JudgedWorld
from tests.support.machines.listing_edges import listing_edges, tiered

from setoff.shared.codec import records
from setoff.shared.codec.records import ListMarketBody, SetMarketBody
from setoff.shared.state import keys


def play_listing_edges(world: JudgedWorld) -> None:
    """Every parameter of a listing at its bounds and just over them, with and without tiers."""
    plain = ListMarketBody(1, 1, 100_000, 50_000, 500, -100, 500_000)
    for message, ahead in ((ListMarketBody, 1), (SetMarketBody, 0)):
        for number in range(len(listing_edges(tiered(plain)))):
            m = tiered(plain)._replace(market=world.machine.regs.markets + ahead)
            field, edge = listing_edges(m)[number]
            m = m._replace(**{field: max(edge, 0) if field != "maker_fee" else edge})
            world.batch([records.encode(message(*m))])
        for tier in ({"tier1_size": 0}, {"tier2_size": 0}, {"tier1_size": 0, "tier2_size": 0}):
            m = tiered(plain)._replace(market=world.machine.regs.markets + ahead, **tier)
            world.batch([records.encode(message(*m))])

    world.machine.regs.markets = keys.MAX_MARKET
    assert world.batch([records.encode(plain._replace(market=keys.MAX_MARKET + 1))]) == ["bad_parameters"]


SCENES = (play_listing_edges,)
