"""Prices: none, an old one, one that was lost, and what time does to a market without reports."""

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.judge.scenes.boundaries import vary
from tests.support.machines.world import BUY, SELL

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import MarketParameters, SetMarketBody
from setoff.shared.rules import phases


def play_no_price(world: JudgedWorld) -> None:
    """Before the first report there is no price, for an order or a stop."""
    deposits = [world.deposit(1, 1000), world.listing(1, 100_000)]
    stop = world.order(1, BUY, 100, 1, flags=records.ABOVE, trigger=5)
    assert world.batch(deposits, [world.order(1, BUY, 100, 1), stop]) == [OK, OK, "no_price", "no_price"]
    assert world.run(records.encode_crank(1)) == ["not_due"]


def play_lost_price(world: JudgedWorld) -> None:
    """A price that is not there is not fresh, however old one may be. (No trace leads to a position without a price;
    it is taken away by hand.)"""
    world.begin()
    world.trade(1, 2, 100, 10)
    world.machine.state.market(1).index = 0
    world.machine.state.market(1).max_age = 2**32 - 1
    world.machine.state.commit()
    assert world.run(world.withdraw(1, 1)) == ["stale_price"]


def play_bad_fields(world: JudgedWorld) -> None:
    """Numbers that nothing has: an agent, a market and a price of 0."""
    world.begin()
    nobody = world.set_agent(1, 0, 0, bytes(20))
    reports = [world.report(0, price, market=market) for market, price in ((0, 100), (1, 0))]
    assert world.run(nobody, *reports) == [
        "malformed_record",
        "unknown_market",
        "price_out_of_range",
    ]


def play_signers(world: JudgedWorld) -> None:
    """Signers within their bounds and just beyond."""
    world.begin()
    signer = world.set_signer
    assert world.batch([signer(6, 7, 1), signer(0, 1, 60)]) == [OK, OK]
    bad = [signer(7, 1, 60), signer(0, 0, 60), signer(0, 8, 60), signer(0, 1, 0)]
    assert world.batch(bad) == ["bad_parameters"] * 4


def play_median(world: JudgedWorld) -> None:
    """Even and odd numbers of reports, a tie, and the edge of an interval of the index."""
    world.begin(mark=1_000, step_band=100_000)
    assert world.batch([world.set_signer(number, 2, 600) for number in range(4)]) == [OK] * 4
    told = [
        (1, 1_020, 1_000),  # two: the nearer is the lower one
        (2, 1_060, 1_020),  # three
        (3, 900, 1_020),  # 900, 1000, 1020, 1060: the nearer is the upper one
        (0, 1_050, 1_020),  # 900, 1020, 1050, 1060
        (3, 1_055, 1_050),  # 1020, 1050, 1055, 1060
        (1, 900, 1_050),
        (3, 900, 1_050),  # 900, 900, 1050, 1060
        (2, 1_100, 1_050),
        (3, 1_100, 1_050),
        (0, 1_000, 1_000),  # 900, 1000, 1100, 1100: neither is nearer
    ]
    for number, price, index in told:
        world.wait(1)
        reports = [world.report(number, price)]
        for mark in (800, 1_200):  # it is the index that says which is nearer, not the mark
            vary(world, reports, {"market 1.mark": mark})
        assert world.run(*reports) == [OK]
        assert world.market().index == index
    assert world.batch([world.set_signer(0, 1, 1)]) == [OK]
    world.time = world.market().anchor_time + phases.INDEX_INTERVAL - 1
    assert world.run(world.report(0, 2_000)) == [OK]
    assert (world.market().index, world.market().anchor) == (1_100, 1_000)
    world.wait(1)
    assert world.run(world.report(0, 2_000)) == [OK]
    assert (world.market().index, world.market().anchor) == (1_210, 1_100)


def play_guards(world: JudgedWorld) -> None:
    """Orders that could open are refused on an old price, in a halt, and over the cap of open interest."""
    world.begin(money=10**6, max_age=30, step_band=100_000, max_open_interest=20)
    assert world.run(world.order(1, SELL, 100, 21), world.order(1, SELL, 100, 20)) == ["open_interest_cap", OK]
    assert world.run(world.order(2, BUY, 100, 20)) == [OK]
    assert world.run(world.order(2, BUY, 100, 1)) == ["open_interest_cap"]
    assert world.run(world.price(150), world.order(1, SELL, 100, 1)) == [OK, "halted"]
    assert world.market().mark == 110
    world.wait(phases.INDEX_INTERVAL)
    assert world.run(world.price(50), world.order(1, BUY, 99, 20, order_slot=5)) == [OK, OK]
    assert world.market().mark == 99
    world.wait(400)
    old = [world.order(1, SELL, 99, 1, order_slot=6), world.transfer(1, 2, 1), world.order(3, BUY, 90, 1, order_slot=6)]
    assert world.run(*old) == ["stale_price"] * 3


def play_time(world: JudgedWorld) -> None:
    """Cranks sample the premium of a book with depth, pay funding by the hour, and are refused before they are due."""
    world.begin(money=10**6, mark=10_000, impact=5, max_age=2**32 - 1, funding_cap=100_000, margin_ppm=600_000)
    crank = records.encode_crank(1)
    world.trade(1, 2, 10_000, 10)
    assert world.run(world.order(3, BUY, 10_400, 4), world.order(3, SELL, 10_600, 5, order_slot=1), crank, crank) == [
        OK, OK, OK, "not_due",
    ]  # fmt: skip
    assert world.market().excess == 0
    deep = world.order(4, BUY, 10_400, 1)
    world.wait(3601)
    assert world.run(deep, crank) == [OK, OK]
    world.wait(3601)
    assert world.run(crank) == [OK]
    assert world.market().funding > 0
    world.wait(phases.ORACLE_DEATH - 10**4)
    assert world.run(crank) == [OK]
    assert world.run(world.cancel_all(3), world.price(9_000), world.order(3, SELL, 8_600, 5)) == [OK] * 3
    world.wait(60)
    assert world.run(crank) == [OK]
    world.wait(100)
    old = records.encode(SetMarketBody(1, MarketParameters(1, 100_000, 1, 500, -100, PPM, max_age=1)))
    assert world.batch([old], [crank, records.encode_crank(0)]) == [OK, "stale_price", "not_due"]


def play_return(world: JudgedWorld) -> None:
    """After a long silence a market without an index for a week is not settled before reports could come."""
    world.begin(money=10**6, markets=2, max_age=2**32 - 1)
    crank, other = records.encode_crank(1), records.encode_crank(2)
    world.wait(phases.ORACLE_DEATH + 1)
    assert world.batch([crank], [world.price(101)]) == [OK, OK]
    resumed = world.machine.regs.last_gap_end
    assert world.market().settled == 0
    world.time = resumed + phases.RETURN_TIME
    assert world.run(other) == [OK]
    assert world.market(2).settled == 0
    world.time += phases.SAMPLE_INTERVAL
    for late in (0, 1):
        vary(world, [other, crank], {"registers.last_gap_end": world.time - phases.RETURN_TIME - late}, 0)
        vary(world, [other, crank], {"market 2.index_time": world.time - phases.ORACLE_DEATH - late}, 0)
    for premium in (-1, 1):  # what goes of it is rounded toward zero
        vary(world, [other, crank], {"market 1.premium": premium})
    assert world.run(other, crank) == [OK, OK]
    assert world.market(2).settled == 1 and world.market().settled == 0
    world.wait(phases.LONG_GAP)
    assert world.run() == []
    assert world.machine.regs.last_gap_end == resumed
    world.wait(phases.LONG_GAP + 1)
    assert world.run() == []
    assert world.machine.regs.last_gap_end == world.time


def play_dead_oracle(world: JudgedWorld) -> None:
    """A market without an index for a week is settled at its last one; until then its cranks are refused."""
    world.begin(money=10_000, markets=2, max_age=60)
    world.trade(1, 2, 100, 10)
    assert world.run(world.order(3, BUY, 90, 5, order_slot=1)) == [OK]
    # In between the batches go on.
    world.wait(phases.LONG_GAP)
    assert world.run() == []
    world.wait(phases.ORACLE_DEATH - phases.LONG_GAP - 1)
    crank = records.encode_crank(1)
    assert world.run(crank, world.order(4, BUY, 100, 1, order_slot=5)) == ["stale_price"] * 2
    world.wait(1)
    assert (
        world.run(crank, world.price(100), world.order(4, BUY, 100, 1, order_slot=5)) == [OK] + ["market_expired"] * 2
    )
    assert (world.market(1).settled, world.market(2).settled, world.market(1).expiry > 0) == (1, 0, True)
    assert world.run(world.price(100, 2), world.order(4, BUY, 100, 1, order_slot=6, market=2)) == [OK, OK]
    assert world.run(world.withdraw(1, 100)) == [OK]


SCENES = (
    play_no_price,
    play_lost_price,
    play_bad_fields,
    play_signers,
    play_median,
    play_guards,
    play_time,
    play_return,
    play_dead_oracle,
)
