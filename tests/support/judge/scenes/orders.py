"""Orders that end by themselves, wait for a price, or come many at once."""

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.world import BUY, IOC, SELL

from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import Leg
from setoff.shared.rules import phases
from setoff.shared.state import keys
from setoff.shared.wire.scopes import Scope


def play_lifetimes(world: JudgedWorld) -> None:
    """Orders die by expiry, by the dead-man's switch and by cancelling all, and give way where somebody meets them."""
    world.begin(money=10**6)
    time = world.time
    orders = [
        world.order(1, SELL, 100, 5, expiry=time + 10),
        world.order(1, SELL, 100, 5, order_slot=1),
        world.order(2, SELL, 100, 5),
        world.order(2, SELL, 101, 5, order_slot=1),
        world.schedule_cancel(2, time + 10),
        world.schedule_cancel(1, time + 10),
        world.schedule_cancel(1, 0),
    ]
    assert set(world.run(*orders)) == {OK}
    world.wait(20)
    met = [
        world.order(3, BUY, 101, 20),
        world.order(2, SELL, 102, 5, order_slot=1),
        world.amend(2, 1, 102, 4),
        world.amend(2, 1, 103, 4),
        world.amend(2, 1, 104, 9),
        world.cancel_all(2),
        world.amend(2, 1, 104, 4),
        world.order(2, SELL, 105, 5, order_slot=1),
        world.schedule_cancel(2, time),
        world.cancel(2, 1, client=7),
        world.cancel(2, 1),
    ]
    outcomes = world.run(*met)
    assert outcomes == [OK] * 6 + ["unknown_order", OK, OK, "unknown_order", OK]


def play_dead_in_the_way(world: JudgedWorld) -> None:
    """An order that has expired gives up its slot, and counts for nobody who takes all or nothing; and odd forms."""
    world.begin(money=10**6)
    late = world.time + 10
    orders = [world.order(1, SELL, 100, 5, expiry=late), world.order(2, SELL, 100, 5, expiry=late)]
    assert world.run(*orders) == [OK, OK]
    world.wait(10)
    anew = [world.order(1, SELL, 101, 5), world.order(3, BUY, 100, 5, flags=records.FOK)]
    assert world.run(*anew, world.order(3, BUY, 101, 5, flags=records.FOK)) == [OK, "unfillable", OK]
    assert world.run(world.order(3, BUY, 100, 1, flags=128)) == ["malformed_record"]
    forced = world.force(3, world.cancel_all(3))
    assert world.batch([forced[:-1] + b"\1", forced]) == ["malformed_record", OK]


def play_armed(world: JudgedWorld) -> None:
    """Stops enter when the mark comes to them; what they are refused then, nobody is told."""
    world.begin(money=10**6, expiry=world.time + 100)
    above, below = records.ABOVE, records.BELOW
    world.trade(1, 2, 100, 10)
    armed = [
        world.order(2, SELL, 90, 10, order_slot=1, flags=below | records.REDUCE_ONLY | IOC, trigger=95),
        world.order(1, BUY, 120, 10, order_slot=1, flags=above | IOC, trigger=105),
        world.order(1, BUY, 120, 10, order_slot=2, flags=above, trigger=100),
        world.order(1, BUY, 120, 10, order_slot=2, flags=below, trigger=100),
        world.order(1, BUY, 120, 10, order_slot=1, flags=above, trigger=110),
        world.order(3, BUY, 94, 10, order_slot=1),
        world.order(4, BUY, 100, 10**9, order_slot=1, flags=below, trigger=95),
    ]
    outcomes = world.run(*armed)
    assert outcomes == [OK, OK, "would_trigger", "would_trigger", "order_slot_taken", OK, OK]
    changes = [
        world.amend(4, 1, 100, 10**8),
        world.amend(1, 1, 121, 10),
        world.order(4, BUY, 100, 1, flags=below, trigger=1),
    ]
    assert world.run(*changes, world.cancel_all(1)) == [OK] * 4
    assert world.run(world.price(94)) == [OK]
    assert world.position(2).size == 0 and world.took("fire") == 2
    assert world.run(world.price(110)) == [OK]
    world.wait(200)
    late = world.order(3, BUY, 90, 1, order_slot=7, flags=above, trigger=10**6)
    assert world.run(late, world.order(3, BUY, 90, 1, order_slot=8)) == ["market_expired"] * 2


def play_edges(world: JudgedWorld) -> None:
    """The very second at which an agent and an order end, the very price of a stop, a premium over its cap, no page."""
    world.begin(money=10**6, mark=10_000, impact=5, max_age=2**32 - 1, funding_cap=1)
    crank, end = records.encode_crank(1), world.time + 100
    agent = world.set_agent(3, 1, end)
    world.trade(1, 2, 10_000, 10)
    late = world.order(4, SELL, 10_000, 5, expiry=end)
    stop = world.order(2, SELL, 9_000, 5, order_slot=1, flags=records.BELOW, trigger=9_900)
    book = [world.order(3, BUY, 10_400, 5), world.order(3, SELL, 10_600, 5, order_slot=1)]
    assert world.run(agent, late) == [OK, OK]
    world.time = end
    hand = world.cancel_all(3, agent=1)
    assert world.run(hand, world.order(1, BUY, 10_000, 5, order_slot=1), stop, *book, crank) == [
        "agent_expired",
        *[OK] * 5,
    ]
    assert world.position(4).size == 0
    world.wait(3601)
    assert world.run(crank) == [OK]
    cap = 10_000 * 2**16 // PPM  # one part in a million of the index
    assert world.market().excess * 2**16 > cap
    assert world.market().funding == cap * 2**16 * phases.MAX_FUNDING_TIME // (8 * phases.HOUR)
    record, _ = world.bulk(1, [Leg(0, 1, 5, 9_000, 1)])
    _, other = world.bulk(1, [Leg(0, 1, 6, 9_000, 1)])
    cancels = [world.cancel(3, 0), world.cancel(3, 1)]
    assert world.run(record, other, *cancels, world.price(9_783)) == [OK, "wrong_leg_page", OK, OK, OK]
    assert world.took("fire") == 1


def play_bulk(world: JudgedWorld) -> None:
    """Legs of every kind, sound and not; a page that nobody named."""
    world.begin(money=10**6)
    sell, cancel = records.SELL_LEG, records.CANCEL_LEG
    legs = [
        Leg(sell, 1, 0, 100, 5),
        Leg(0, 1, 1, 99, 5),
        Leg(0, 0, 0),
        Leg(cancel, 1, 0),
        Leg(0, 7, 2, 99, 5),
        Leg(records.SELF_TRADE, 1, 2, 99, 5),
        Leg(0, 1, 2, 99, 2**31 + 1),
        Leg(128, 1, 3),
    ]
    record, leg_page = world.bulk(1, legs)
    assert world.run(record, leg_page, leg_page) == [OK, OK, "wrong_leg_page"]
    record, leg_page = world.bulk(
        1, [Leg(records.FOK | sell, 1, 6, 98, 1)] + [Leg(0, 0, 0)] * 6 + [Leg(0, 1, 5, 98, 1)]
    )
    assert world.run(world.order(2, BUY, 98, 1), record, leg_page) == [OK, OK, OK]
    assert world.position(2).size == 0  # fill or kill is no leg
    armed = [world.order(1, BUY, 90, 1, order_slot=6, flags=records.ABOVE | flag, trigger=120) for flag in range(4)]
    assert world.run(*armed) == [OK, "order_slot_taken", "order_slot_taken", "malformed_record"]


def play_ninth_leg_page(world: JudgedWorld) -> None:
    """A bulk ends with its eighth page, whatever that names."""
    world.begin(money=10**6)
    leg_pages: list[bytes] = []
    for order_slot in reversed(range(phases.MAX_LEG_PAGES + 1)):
        leg_pages.insert(
            0, records.encode_leg_page([Leg(0, 1, order_slot, 90, 1)], keccak(leg_pages[0]) if leg_pages else bytes(32))
        )
    body = records.encode(records.BulkBody(1, world.next_nonce(1), keccak(leg_pages[0])))
    assert world.run(world.sign_for(1, 0, body), *leg_pages) == [OK] * (1 + phases.MAX_LEG_PAGES) + ["wrong_leg_page"]
    assert world.took("admit") == phases.MAX_LEG_PAGES


def play_beyond_the_band(world: JudgedWorld) -> None:
    """Limits beyond the band: of what rests, of what takes at once, and of what has been armed, on either side."""
    world.begin(money=10**6, band=100_000, maintenance_margin=50_000)
    book = [world.order(3, SELL, 105, 5), world.order(4, BUY, 96, 5), world.order(4, BUY, 95, 5, order_slot=1)]
    rests = [world.order(1, BUY, 106, 1), world.order(1, SELL, 94, 1), world.order(1, BUY, 89, 1)]
    assert world.run(*book, *rests) == [OK] * 3 + ["price_band"] * 3
    far = [world.order(4, SELL, 110, 1, order_slot=2), world.order(3, BUY, 90, 1, order_slot=1)]
    assert world.run(*far) == [OK] * 2
    ioc, fok = records.IOC, records.FOK
    at_once = [
        world.order(1, BUY, keys.MAX_TICK, 2, flags=ioc),
        world.order(1, BUY, keys.MAX_TICK, 2, flags=fok),
        world.order(1, SELL, 1, 2, flags=ioc),
        world.order(1, SELL, 1, 9, flags=fok),  # nine at 95 or more there are not
        world.order(1, BUY, 89, 1, flags=ioc),
        world.order(1, SELL, 111, 1, flags=fok),
    ]
    assert world.run(*at_once) == [OK, OK, OK, "unfillable", "price_band", "price_band"]
    above, below = records.ABOVE, records.BELOW
    armed = [
        world.order(1, BUY, 200, 4, order_slot=1, flags=above, trigger=105),
        world.order(1, BUY, 50, 4, order_slot=2, flags=above, trigger=105),
        world.order(2, SELL, 1, 4, order_slot=1, flags=below, trigger=80),
        world.order(2, SELL, 300, 4, order_slot=2, flags=below, trigger=80),
    ]
    assert world.run(*armed, world.price(106)) == [OK] * 5
    assert world.resting(1, 1).price == 111 and world.resting(1, 2).price == 50
    assert world.run(world.cancel_all(1), world.price(80)) == [OK, OK]
    assert world.resting(2, 1).market == 0 and world.resting(2, 2).price == 300


def play_pairs(world: JudgedWorld) -> None:
    """Armed orders that name a partner: what is none, what becomes of one when the other leaves, of both at a fire."""
    world.begin(markets=2, money=10**6)
    above, below = records.ABOVE, records.BELOW
    late = world.time + 50

    def take(account: int, order_slot: int = 0, **fields: int) -> bytes:
        return world.order(account, BUY, 120, 2, order_slot=order_slot, flags=above, **{"trigger": 110, **fields})

    def stop(account: int, order_slot: int = 1, *, partner: int = 1, **fields: int) -> bytes:
        fields = {"trigger": 90, "flags": below, **fields}
        return world.order(account, SELL, 80, 2, order_slot=order_slot, partner=partner, **fields)

    assert world.run(*(make(account) for account in (1, 2, 3) for make in (take, stop))) == [OK] * 6
    amends = [world.amend(2, 1, 80, 1), world.amend(2, 0, 121, 2), world.amend(2, 1, 81, 2)]
    assert world.run(*amends, world.cancel(1, 0), stop(1, 2)) == [OK] * 4 + ["unknown_order"]
    assert world.resting(1, 1).partner == 0 and world.resting(2, 1).partner == 1 and world.resting(2, 0).partner == 2
    others = [take(4), take(4, 3, market=2), world.order(4, BUY, 50, 1, order_slot=4)]
    agents = [world.set_agent(4, n, late, scope=Scope(kinds=k)) for n, k in ((1, ("Order",)), (2, ("Order", "Cancel")))]
    assert world.run(*others, *agents) == [OK] * 5
    misnamed = [
        stop(4, partner=2),
        stop(4, flags=0, trigger=0),
        stop(4, partner=257),
        stop(4, partner=256),
        stop(4, partner=4),
        stop(4, partner=5),
        take(4, 1, partner=1, trigger=111),
        stop(3, 2),
        stop(3, 2, partner=2),
        stop(4, agent=1),
        stop(4, agent=2),
        stop(4, 6, trigger=100),
        world.order(4, SELL, 100, 1, order_slot=7, partner=2**16 - 1),
    ]
    reasons = ["malformed_record"] * 2 + ["order_slot_out_of_range"] + ["unknown_order"] * 6
    assert world.run(*misnamed) == [*reasons, "out_of_scope", OK, "would_trigger", "malformed_record"]
    more = [take(1), stop(1, 3, trigger=89), take(1, 4, trigger=130, expiry=late), stop(1, 5, partner=5, trigger=85)]
    assert world.run(*more) == [OK] * 4
    fires = world.took("fire")
    assert world.run(world.price(110)) == [OK]
    assert world.took("fire") == fires + 8 and world.market().stop_below == 90
    assert [world.account(account).orders for account in (1, 2, 3, 4)] == [0b110011, 0b1, 0b1, 0b11001]
    world.wait(60)
    assert world.run(world.price(130)) == [OK]
    assert world.account(1).orders == 0b100011 and world.resting(1, 5).partner == 0


def play_narrow_band(world: JudgedWorld) -> None:
    """A band narrower than the maintenance margin bounds what takes at once, and is where limits that pay end."""
    world.begin(mark=1_000, band=20_000)
    assert world.run(world.order(1, SELL, 1_020, 5), world.order(2, BUY, 980, 5)) == [OK, OK]
    assert world.run(world.order(3, BUY, 1_021, 1), world.order(3, SELL, 979, 1)) == ["price_band"] * 2
    takers = [world.order(3, BUY, 1_090, 2, flags=IOC), world.order(4, SELL, 910, 2, flags=IOC)]
    assert world.run(*takers) == [OK, OK]
    assert (world.position(3).size, world.position(4).size) == (2, -2)


def play_triggers(world: JudgedWorld) -> None:
    """Triggers at the ends of the ticks, and just beyond."""
    world.begin()
    above = [
        world.order(1, BUY, 100, 1, flags=records.ABOVE, trigger=at, order_slot=at % 9) for at in (2**24 - 1, 2**24)
    ]
    below = [world.order(1, SELL, 100, 1, flags=records.BELOW, trigger=at, order_slot=at) for at in (1, 0)]
    assert world.run(*above, *below) == [OK, "malformed_record", OK, "malformed_record"]


SCENES = (
    play_triggers,
    play_narrow_band,
    play_pairs,
    play_beyond_the_band,
    play_lifetimes,
    play_dead_in_the_way,
    play_armed,
    play_edges,
    play_bulk,
    play_ninth_leg_page,
)
