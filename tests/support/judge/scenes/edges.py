"""Boundaries to the unit: each input is played on either side of the number at which its outcome changes."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.judge.bench import leave_alone
from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.judge.scenes.boundaries import (
    CALL,
    CRANK,
    FAR,
    Holds,
    call,
    find_edge,
    have,
    is_taken,
    play_edge,
    vary,
    vary_edges,
    worth,
)
from tests.support.machines.world import ABOVE, BELOW, BUY, FOK, IOC, POST_ONLY, REDUCE_ONLY, SELL

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import Leg
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.deleveraging import get_first_ranked
from setoff.shared.state import keys
from setoff.shared.wire.scopes import Scope

# --- margin -----------------------------------------------------------------------------------------------------------


def play_tiers(world: JudgedWorld) -> None:
    """What sizes in every tier need, to the unit, in a market of odd numbers."""
    tiers = {"tier1_size": 7, "tier1_initial": 150_001, "tier1_maintenance": 60_001}
    tiers |= {"tier2_size": 11, "tier2_initial": 333_333, "tier2_maintenance": 77_777}
    world.begin(money=10**6, mark=97, margin_ppm=100_003, maintenance_margin=50_001, unit=7, **tiers)
    for slot, size in enumerate((6, 1, 1, 3, 1, 5)):
        world.trade(1, 2, 97, size, order_slot=slot)
        for account in (1, 2):
            play_edge(world, f"account {account}.collateral", lambda account=account: [world.withdraw(account, 5)])
    assert world.position(2).size == 17
    for side, account in ((BUY, 2), (SELL, 1)):
        play_edge(
            world,
            f"account {account}.collateral",
            lambda side=side, account=account: [
                world.order(account, side, 97, 2, order_slot=9), world.cancel(account, 9),
            ],
            lambda machine, outcomes: outcomes[0] == OK,
        )  # fmt: skip


def play_orders(world: JudgedWorld) -> None:
    """Orders of both sides, beside positions in two other markets: what may enter, rest, be armed or only close."""
    world.begin(money=10**6, mark=103, markets=3, margin_ppm=100_003, order_margin=13, unit=3, taker_fee=777)
    world.trade(1, 2, 103, 20)
    world.trade(2, 1, 103, 15, market=2, order_slot=1)
    world.trade(1, 2, 103, 30, market=3, order_slot=2)
    book = [world.order(2, BUY, 102, 4, order_slot=5), world.order(2, SELL, 105, 9, order_slot=6, market=2)]
    assert world.run(*book) == [OK, OK]
    for market in (1, 2, 3):
        world.machine.state.market(market).index = 101
    world.machine.state.commit()

    def edge(account: int, side: int, price: int, size: int, **fields: int) -> None:
        def make() -> list[bytes]:
            return [world.order(account, side, price, size, order_slot=9, **fields), world.cancel(account, 9)]

        play_edge(world, f"account {account}.collateral", make, lambda _, outcomes: outcomes[0] == OK, -FAR)

    for account, side, price in ((2, BUY, 101), (2, SELL, 104), (1, BUY, 102), (1, SELL, 105)):
        for market in (1, 2):
            edge(account, side, price, 7, market=market)
    edge(2, BUY, 103, 7, flags=IOC)
    edge(2, SELL, 104, 20, flags=POST_ONLY)
    edge(2, SELL, 104, 20, flags=REDUCE_ONLY)
    edge(1, BUY, 102, 20, flags=IOC)
    edge(1, BUY, 102, 20)
    edge(1, BUY, 102, 25)
    edge(2, SELL, 104, 7, flags=ABOVE, trigger=110)
    edge(2, SELL, 90, 7, flags=BELOW | REDUCE_ONLY, trigger=91)
    edge(1, BUY, 110, 7, flags=ABOVE, trigger=110)
    edge(1, BUY, 110, 7, flags=ABOVE | REDUCE_ONLY, trigger=110)
    # Leaves of orders in two markets, of which one that closes at once needs none: and what is just one unit.
    for number in (1, 3):
        have(world.machine, f"market {number}.order_margin", 1_000)
    edge(2, SELL, 104, 7, flags=IOC)
    edge(2, SELL, 104, 7)
    assert world.run(world.cancel_all(2)) == [OK]
    for number in (1, 2, 3):
        have(world.machine, f"market {number}.order_margin", 1 if number == 1 else 0)
    for collateral in (-1, 0, 1):
        owed = worth(world, 2, collateral)
        for order in ({"flags": BELOW | REDUCE_ONLY, "trigger": 91}, {}, {"flags": IOC}):
            inputs = [world.order(2, SELL, 103, 7, order_slot=9, **order)]
            vary(world, inputs, {"account 2.collateral": owed})
            world.run(*inputs, world.cancel(2, 9))


def play_makers(world: JudgedWorld) -> None:
    """Makers who pay a fee, beside positions in two other markets: to the unit who is filled, and who is counted."""
    world.begin(money=10**8, mark=103, markets=3, margin_ppm=100_003, unit=3, taker_fee=1_777, maker_fee=777)
    world.trade(1, 2, 103, 20)
    world.trade(2, 1, 103, 15, market=2, order_slot=1)
    world.trade(1, 2, 103, 30, market=3, order_slot=2)
    for market in (1, 2, 3):
        world.machine.state.market(market).index = 101
    world.machine.state.commit()

    def edge(account: int, side: int, price: int, size: int, taken: int, flags: int = IOC, limit: int = 0) -> None:
        def make() -> list[bytes]:
            return [world.order(4, 1 - side, limit or price, taken, flags=flags, order_slot=8)]

        assert world.run(world.order(account, side, price, size, order_slot=9)) == [OK]
        before = world.position(account).size
        other = world.position(4).size

        def holds(machine: Machine, outcomes: list[str]) -> bool:
            places = machine.state.account(account).positions
            return sum(place.size for place in places if place.market == 1) != before

        for below in (1, 0):
            inputs = make()
            name = f"account {account}.collateral"
            edge = find_edge(world, name, inputs, holds, -FAR, FAR) - below
            kept = world.account(account).collateral
            have(world.machine, name, edge)
            world.run(*inputs)
            have(world.machine, name, kept)
            world.run(world.cancel_all(account), world.cancel_all(4))
            if world.position(account).size != before:
                # Back to where it was, at the same price.
                back = world.position(account).size - before
                sides = (SELL, BUY) if back > 0 else (BUY, SELL)
                orders = [
                    world.order(account, sides[0], 103, abs(back), order_slot=9),
                    world.order(4, sides[1], 103, abs(back), order_slot=9),
                ]
                assert world.run(*orders) == [OK, OK]
            assert (world.position(account).size, world.position(4).size) == (before, other)
            assert world.run(world.order(account, side, price, size, order_slot=9)) == [OK]
        assert world.run(world.cancel_all(account)) == [OK]

    for flags in (IOC, FOK):
        edge(2, BUY, 104, 7, 7, flags)
        edge(2, SELL, 102, 7, 7, flags)
        edge(2, SELL, 102, 47, 47, flags)
        edge(1, SELL, 102, 7, 5, flags)
        edge(1, BUY, 105, 9, 9, flags)
        edge(1, BUY, 101, 30, 30, flags)
        edge(2, SELL, 106, 40, 40, flags)
        edge(1, BUY, 99, 40, 40, flags)
        edge(2, SELL, 102, 900, 900, flags, 108)
        edge(1, BUY, 104, 900, 900, flags, 98)
    edge(3, BUY, 104, 1, 1)
    have(world.machine, "market 1.maker_fee", -1_000)
    for flags in (IOC, FOK):
        edge(2, SELL, 102, 9_000, 9_000, flags, 108)
        edge(1, BUY, 104, 9_000, 9_000, flags)
    # Worth nothing, it may close at the mark.
    assert world.run(world.order(2, SELL, 103, 7, order_slot=9)) == [OK]
    inputs = [world.order(4, BUY, 103, 7, flags=IOC, order_slot=8)]
    for equity in (-1, 0, 1):
        vary(world, inputs, {"account 2.collateral": worth(world, 2, equity)})
    assert world.run(*inputs) == [OK]


def play_wind_down(world: JudgedWorld) -> None:
    """In a wind-down positions in two markets, and no orders, are what a withdrawal has to leave margin for."""
    world.begin(money=10**6, mark=103, markets=2, margin_ppm=100_003, order_margin=13)
    world.trade(1, 2, 103, 20)
    world.trade(1, 2, 103, 15, market=2, order_slot=1)
    assert world.run(world.order(2, BUY, 102, 4, order_slot=5)) == [OK]
    assert world.batch([records.encode(records.WindDownBody())], []) == [OK]
    for account in (1, 2):
        play_edge(world, f"account {account}.collateral", lambda account=account: [world.withdraw(account, 5)])


# --- prices -----------------------------------------------------------------------------------------------------------


def play_marks(world: JudgedWorld) -> None:
    """Index and mark at the least and the largest tick, and where a band of less than a tick is one."""
    world.begin(money=10**9, mark=3, step_band=100_000, maintenance_margin=100_000)
    for price in (4, 3, 2, 1, 1):
        assert world.run(world.price(price)) == [OK]
        world.wait(phases.INDEX_INTERVAL)
    assert world.market().index == 1
    for premium, basis in ((-3, -2), (-1, -1), (2, 3)):
        for mark_anchor in (1, 2, 5, 0):
            market = world.machine.state.market(1)
            market.mark_anchor, market.premium = mark_anchor, premium * phases.PREMIUM_ONE
            market.basis0 = market.basis1 = market.basis2 = basis
            world.machine.state.commit()
            assert world.run(world.price(1)) == [OK]
    top = keys.MAX_TICK
    cases = ((top - 1, top, 5), (top - 1, top, -5), (top, top, 9), (top - 3, top - 1, 2), (top, top, 10))
    for anchor, price, premium in cases:
        market = world.machine.state.market(1)
        market.anchor = market.index = market.mark = anchor
        market.mark_anchor = 0 if premium == 10 else anchor
        market.step_band, market.premium = PPM, premium * phases.PREMIUM_ONE
        market.basis0 = market.basis1 = market.basis2 = premium
        world.machine.state.commit()
        assert world.run(world.price(price)) == [OK]
    # Anchors of index and mark apart, and the index away from both; beyond the band up and down, and at it.
    for price in (1_100, 1_099, 1_101, 900, 901, 899, 1_000):
        market = world.machine.state.market(1)
        market.anchor, market.index, market.mark_anchor, market.mark = 1_000, 1_003, 1_010, 1_011
        market.step_band, market.premium, market.anchor_time = 100_000, 0, world.time
        market.basis0 = market.basis1 = market.basis2 = 0
        world.machine.state.commit()
        assert world.run(world.price(price)) == [OK]


def play_samples(world: JudgedWorld) -> None:
    """Premium and funding of odd numbers, both signs, after any time; the first sample pays nothing."""
    world.begin(money=10**9, mark=1_003, impact=3, max_age=10**9, funding_cap=7_001, maintenance_margin=100_000, unit=3)
    world.trade(1, 2, 1_003, 7)
    world.trade(3, 2, 1_003, 4, order_slot=1)
    times = (60, 61, 600, 7_200, phases.MAX_FUNDING_TIME - 1, phases.MAX_FUNDING_TIME, phases.MAX_FUNDING_TIME + 1)
    books = ((1_010, 1_013), (0, 990), (1_020, 0), (985, 992), (0, 0), (1_004, 1_005), (995, 1_002), (1_003, 0))
    for number, (bid, ask) in enumerate(books):
        orders = [world.cancel_all(4)]
        if bid:
            orders.append(world.order(4, BUY, bid, 3, order_slot=1))
        if ask:
            orders.append(world.order(4, SELL, ask, 3, order_slot=2))
        assert set(world.run(*orders)) == {OK}
        for seconds in (times[number % len(times)], 61 + number):
            world.wait(seconds)
            market = world.machine.state.market(1)
            market.index, market.mark = 1_003 + number % 3, 1_001 - number
            market.basis0, market.premium = (-1) ** number * (7 + number), (-1) ** number * (12_345 + number)
            world.machine.state.commit()
            assert world.run(CRANK, world.withdraw(1, 1), world.withdraw(2, 1), world.withdraw(3, 1))[0] == OK
    market = world.machine.state.market(1)
    market.sampled, market.excess = 0, 5
    world.machine.state.commit()
    world.wait(61)
    assert world.run(world.cancel_all(4), world.order(4, BUY, 1_030, 3, order_slot=1), CRANK) == [OK] * 3


def play_halts(world: JudgedWorld) -> None:
    """To the second: how long a halt lasts, when a market comes back after long, and how long a price is fresh."""
    world.begin(money=10**6, mark=1_000, step_band=10_000, max_age=60, call_minutes=0)
    world.trade(1, 2, 1_000, 5)

    def at(name: str, make: Callable[[], list[bytes]], holds: Holds = is_taken) -> None:
        play_edge(world, f"market 1.{name}", make, holds, world.time - 10**6, world.time + 10**6)

    at(
        "halted_until",
        lambda: [world.order(3, BUY, 1_000, 1), world.cancel(3, 0)],
        lambda _, outcomes: outcomes[0] == OK,
    )
    at("index_time", lambda: [world.order(3, BUY, 1_000, 1), world.cancel(3, 0)], lambda _, outcomes: outcomes[0] == OK)
    at("index_time", lambda: [world.withdraw(1, 1)])
    at("sampled", lambda: [CRANK])
    calling = records.encode(
        records.SetMarketBody(
            1, records.MarketParameters(1, PPM, PPM, 500, -100, PPM, max_age=60, step_band=10_000, call_minutes=1)
        )
    )
    assert world.batch([calling], []) == [OK]
    world.wait(300)
    at(
        "index_time",
        lambda: [world.price(1_000)],
        lambda machine, _: machine.state.market(1).halted_until == world.time + 60,
    )
    at(
        "anchor_time",
        lambda: [world.price(1_000)],
        lambda machine, _: machine.state.market(1).anchor_time == world.time,
    )


# --- the book ---------------------------------------------------------------------------------------------------------


def play_lives(world: JudgedWorld) -> None:
    """To the second: orders that die in the book, at their own end or at the deadline of their account, on any path."""
    world.begin(money=10**6, order_margin=3)
    end = world.time + 100
    for wait in (99, 1, 1):
        assert world.run(
            world.order(1, SELL, 101, 5, order_slot=1, expiry=end), world.order(1, SELL, 101, 5, order_slot=2)
        ) == [OK, OK]
        if wait == 99:
            assert world.run(world.schedule_cancel(3, end), world.order(3, SELL, 101, 4, order_slot=1)) == [OK, OK]
        world.wait(wait)
        taken = world.order(2, BUY, 101, 7, flags=IOC)
        slot = [world.order(3, SELL, 102, 1, order_slot=1), world.amend(1, 1, 101, 4)]
        assert len(world.run(world.order(2, BUY, 101, 30, flags=FOK), *slot, taken, world.cancel_all(1))) == 5
        end = world.time + 2 - (wait == 99)


def play_pairs_and_agents(world: JudgedWorld) -> None:
    """A dead order in another market, that the agent who needs its slot may not touch, goes all the same."""
    world.begin(money=10**6, markets=2)
    named = [world.set_agent(1, 1, 2**40, scope=Scope(markets=(1,)))]
    dead = world.order(1, BUY, 90, 5, order_slot=5, market=2, expiry=world.time + 30)
    assert world.run(*named, dead) == [OK, OK]
    world.wait(30)
    assert world.run(world.order(1, BUY, 90, 5, order_slot=5, agent=1)) == [OK]
    assert world.resting(1, 5).market == 1


def play_legs(world: JudgedWorld) -> None:
    """Legs at the bounds of each field, and one behind six places that are empty."""
    world.begin(money=10**13, margin_ppm=1, mark=100)
    most = phases.MAX_ORDER_SIZE
    legs = [
        Leg(128, 1, 1, 90, 5), Leg(0, 0, 2, 90, 5), Leg(0, 1, 3, 0, 5), Leg(0, 1, 4, 1, 5), Leg(0, 1, 5, 90, 0),
        Leg(0, 1, 6, 90, most), Leg(0, 1, 7, 90, most + 1), Leg(records.SELF_TRADE, 1, 8, 90, 5),
        Leg(0, 2, 9, 90, 5), Leg(127, 1, 10, 90, 5), Leg(records.CANCEL_LEG, 1, 6), Leg(0, 1, 255, 90, 1),
    ]  # fmt: skip
    assert set(world.run(*world.bulk(1, legs))) == {OK}
    assert world.account(1).orders == (1 << 4 | 1 << 255) or world.account(1).orders
    for place in range(8):
        page = [Leg(0, 0, 0, 0, 0)] * place + [Leg(0, 1, 20 + place, 90, 1)]
        assert set(world.run(*world.bulk(2, page))) == {OK}


def play_last_account(world: JudgedWorld) -> None:
    """The last master account is one as any: it names agents, pays, is paid, and leaves while exits are limited."""
    world.begin(money=10**6)
    last = keys.MAX_ACCOUNT
    world.machine.regs.accounts = last - 1
    assert world.batch([world.deposit(last, 10**6), world.deposit(last, 5)]) == [OK, OK]
    assert (
        world.run(world.set_agent(last, 1, 2**40), world.transfer(1, last, 7), world.transfer(last, 1, 9)) == [OK] * 3
    )
    sub = keys.sub_account(last, 1)
    assert world.run(world.transfer(last, sub, 1_000), world.transfer(sub, 1, 5)) == [OK, OK]
    world.machine.regs.limited_since = world.time
    exits = [
        world.withdraw(last, 10),
        world.transfer(last, 1, 10),
        world.transfer(sub, 1, 5),
        world.transfer(sub, last, 5),
    ]
    assert world.run(*exits) == [OK, OK, "withdrawals_limited", OK]


# --- auctions ---------------------------------------------------------------------------------------------------------


def play_auctions(world: JudgedWorld) -> None:
    """Sides that meet at one tick, levels of several orders, a surplus on either side, and any index."""
    world.begin(money=10**9, mark=1_000, call_minutes=1, taker_fee=0, maker_fee=0, max_age=10**9)
    world.wait(60)
    assert world.run(CRANK) == [OK]
    for index in (990, 1_000, 1_007, 1_100, 900):
        call(world, (1, BUY, 1_020, 2), (2, SELL, 980, 2), (3, BUY, 1_000, 3), (4, SELL, 1_000, 4), index=index)
        call(world, (1, BUY, 1_010, 3), (2, SELL, 990, 3), (3, SELL, 990, 3), (4, SELL, 995, 3), index=index)
        call(world, (1, BUY, 1_020, 4), (2, SELL, 980, 1), (3, SELL, 1_010, 3), index=index)
        call(world, (1, BUY, 1_020, 4), (2, SELL, 980, 4), (3, SELL, 985, 2), (4, BUY, 970, 9), index=index)
        call(world, (1, SELL, 980, 4), (2, BUY, 1_020, 1), (3, BUY, 990, 3), index=index)
        call(world, (1, SELL, 980, 4), (2, BUY, 1_020, 4), (3, BUY, 1_015, 2), (4, SELL, 1_030, 9), index=index)
        call(world, (1, SELL, 1_000, 4), (2, BUY, 1_000, 6), (3, BUY, 999, 2), index=index)


def play_last_signer(world: JudgedWorld) -> None:
    """Seven signers, and a report of an eighth; a type that no input has, of a machine that has work left."""
    world.begin()
    assert world.batch([world.set_signer(number, 1, 60) for number in range(7)]) == [OK] * 7
    assert world.run(world.report(7, 100), world.report(6, 100)) == ["unknown_signer", OK]
    world.trade(1, 2, 100, 5)

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if micro and machine.regs.phase == phases.WORK and input_index == 0:
            machine.regs.steps = machine.regs.started + phases.WORK_LIMIT

    world.bench.meddle = meddle
    strange = [bytes([kind]) + bytes(123) for kind in (records.FIRST_MESSAGE, records.FIRST_MESSAGE + 1, 0xFF, 0x7F)]
    assert len(world.run(world.price(99), *strange, world.order(3, BUY, 90, 1))) == 6
    world.bench.meddle = leave_alone
    assert world.run(CRANK) == [OK]


def play_ends(world: JudgedWorld) -> None:
    """A settled market whose index went on, a wind-down with an account that is worth nothing, and a late stop."""
    end = world.time + 500
    world.begin(money=10**5, markets=2, max_age=60, expiry=end)
    world.trade(1, 2, 100, 10)
    world.trade(3, 2, 100, 10, market=2, order_slot=1)
    stop = world.order(2, SELL, 80, 5, order_slot=5, flags=BELOW, trigger=90)
    late = records.stamp_message(world.force(2, stop), world.time)
    at_once = records.stamp_message(world.force(1, world.order(1, SELL, 101, 1, order_slot=6)), world.time)
    world.wait(61)
    assert world.batch([late, at_once], []) == ["stale_price", "stale_price"]
    world.time = end - 20
    assert world.run(world.price(107), world.price(107, 2)) == [OK, OK]
    world.time = end
    inputs = [CRANK]
    vary(world, inputs, {"market 1.twap_sum": 5_000, "market 1.twap_time": 49})
    vary(world, inputs, {"market 1.mark": 97})
    assert len(world.run(*inputs)) == 1
    for _ in range(3):
        world.wait(60)
        assert len(world.run(CRANK)) == 1
    assert world.market().settled
    for market in (1, 2):
        have(world.machine, f"market {market}.index", 103)
    message = [records.encode(records.WindDownBody())]
    assert world.batch(message, []) == [OK]
    world.wait(61)
    inputs = [records.encode_crank(2)]
    for equity in (-2, -1, 0, 1):
        vary(world, inputs, {"account 2.collateral": worth(world, 2, equity)})
    world.run(*inputs)


def play_winding(world: JudgedWorld) -> None:
    """In a wind-down only a debt is closed, with a position in a market that is not settled yet."""
    world.begin(money=10**5, markets=2)
    world.trade(1, 2, 100, 10)
    world.trade(1, 2, 100, 10, market=2, order_slot=1)
    assert world.batch([records.encode(records.WindDownBody())], []) == [OK]
    world.wait(61)
    inputs = [records.encode_crank(2)]
    vary_edges(world, inputs, {"account 2.collateral": (worth(world, 2, -500), worth(world, 2, 500))})
    for equity in (-2, -1, 0, 1, 2):
        vary(world, inputs, {"account 2.collateral": worth(world, 2, equity)})
    assert world.run(*inputs) == [OK]


def play_days(world: JudgedWorld) -> None:
    """Activity at the turn of a day, and after so many days that nothing is left of it."""
    world.begin(money=10**9, taker_fee=1_000, maker_fee=300, max_age=10**9)
    terms = {"low": 200, "high": 1_000, "taker_saving": 170_000, "maker_saving": 140_000, "most_rebate": 150_000}
    assert world.batch([world.set_terms(**terms)], []) == [OK]
    for slot in range(4):
        world.trade(1, 2, 100, 1_501, order_slot=slot)
    assert world.run(world.order(1, SELL, 100, 777, order_slot=9)) == [OK]
    inputs = [world.order(2, BUY, 100, 700, order_slot=9)]
    day = 86_400
    first = world.time // day + 1
    for days in (0, 1, 27, 254, 255, 256, 300):
        for second in (-1, 0, 1):
            vary(world, inputs, {"time": (first + days) * day + second})
    for amount in (199, 200, 201, 205, 999, 1_000, 1_001, 10**12):
        for account in (1, 2):
            vary(world, inputs, {f"activity {account}.amount": amount})
    assert world.run(*inputs) == [OK]


def play_auction_caps(world: JudgedWorld) -> None:
    """The cap of open interest to the lot: of the younger order alone, for what it trades, if it opens."""
    world.begin(money=10**9, mark=1_000, call_minutes=1, taker_fee=0, maker_fee=0, max_age=10**9)
    world.wait(60)
    assert world.run(CRANK) == [OK]
    world.trade(1, 2, 1_000, 5)
    cases = [
        [(3, BUY, 1_010, 3), (4, SELL, 990, 3)], [(3, BUY, 1_010, 3), (4, SELL, 990, 9)],
        [(4, SELL, 990, 3), (3, BUY, 1_010, 3)], [(4, SELL, 990, 3), (3, BUY, 1_010, 9)],
        [(3, BUY, 1_010, 1), (4, SELL, 990, 1)], [(3, BUY, 1_010, 1), (2, SELL, 990, 1)],
        [(4, SELL, 990, 1), (1, BUY, 1_010, 1)], [(3, BUY, 1_010, 2), (2, SELL, 990, 3)],
        [(3, BUY, 1_010, 6), (2, SELL, 990, 6)], [(4, SELL, 990, 6), (1, BUY, 1_010, 6)],
    ]  # fmt: skip
    for more in (0, 1, 2, 3):
        for case in cases:
            market = world.machine.state.market(1)
            market.max_open_interest = 2**44
            market.halted_until = world.time + 60
            world.machine.state.commit()
            assert set(world.run(*(world.order(*order, order_slot=slot) for slot, order in enumerate(case)))) == {OK}
            world.wait(60)
            have(world.machine, "market 1.max_open_interest", world.market().open_interest + more)
            assert world.run(CRANK) == [OK]
            assert set(world.run(*(world.cancel_all(account) for account in (1, 2, 3, 4)))) == {OK}


# --- crises -----------------------------------------------------------------------------------------------------------


def begin_crisis(world: JudgedWorld, **fields: int) -> None:
    """Two markets of odd numbers; account 2 is long in one and short in the other, 1 and 3 are against it; a book."""
    tiers = {"tier1_size": 70, "tier1_initial": 150_001, "tier1_maintenance": 60_001}
    given = {"money": 10**6, "mark": 1_003, "markets": 2, "margin_ppm": 100_003, "maintenance_margin": 50_001}
    given |= {"unit": 3, "taker_fee": 777, "maker_fee": 333, "close_out": 20_003, "order_margin": 7, **tiers, **fields}
    world.begin(**given)
    world.trade(1, 2, 1_003, 60)
    world.trade(3, 2, 1_003, 41, order_slot=1)
    world.trade(2, 3, 1_003, 55, market=2, order_slot=2)
    for market in (1, 2):
        have(world.machine, f"market {market}.insurance", 40_000)


def keep(world: JudgedWorld, **collateral: int) -> None:
    """Leave accounts so much collateral, by hand: a2=5."""
    for name, value in collateral.items():
        have(world.machine, f"account {name[1:]}.collateral", value)


def play_crises(world: JudgedWorld) -> None:
    """A fall and a rise: who is liquidated, by which way, to the unit of everything that decides it."""
    begin_crisis(world)
    bids = [world.order(4, BUY, 930, 5, order_slot=1), world.order(4, BUY, 925, 9, order_slot=2)]
    assert world.run(*bids, world.backstop_deposit(4, 50_000), world.order(2, BUY, 800, 1, order_slot=9)) == [OK] * 4
    assert world.run(world.cancel_all(2)) == [OK]
    wide = worth(world, 2, 40_000)
    numbers = {
        "account 2.collateral": (wide - 80_000, wide + 80_000),
        "account 0.collateral": (-20_000, 90_000),
        "account 1.collateral": (worth(world, 1, -30_000), worth(world, 1, 90_000)),
        "account 3.collateral": (worth(world, 3, -30_000), worth(world, 3, 90_000)),
        "account 4.collateral": (-20_000, 20_000),
        "market 1.insurance": (0, 50_000),
        "market 1.index": (900, 1_100),
        "market 1.mark": (900, 1_100),
        "market 1.close_out": (0, 50_001),
        "market 1.maintenance_margin": (20_003, 60_001),
        "market 1.backstop_cap": (0, 3_000_000),
        "market 1.tier1_size": (0, 200),
        "market 2.mark": (950, 1_050),
        "market 2.funding": (-(2**40), 2**40),
        "account 2.paused_until": (world.time - 2_000, world.time + 2_000),
        "account 1.positions.0.cost": (-200_000, -150_000),
        "account 3.positions.0.cost": (-200_000, -100_000),
        "registers.limited_since": (world.time - 200_000, world.time),
        "registers.drawn": (0, 400_000),
        "registers.owed": (0, 8_000_000),
        "input.price": (700, 1_300),
    }
    premium = {f"market 1.basis{number}": 25 for number in range(3)} | {"market 1.premium": 20 * phases.PREMIUM_ONE}
    for equity, price in ((12_000, 950), (4_000, 950), (-3_000, 930), (-30_000, 900), (12_000, 1_060), (-9_000, 1_090)):
        inputs = [world.price(price)]
        collateral = worth(world, 2, equity) + 3 * 101 * (1_003 - price)
        vary_edges(world, inputs, numbers, {"account 2.collateral": collateral})
        narrow = {name: numbers[name] for name in ("account 2.collateral", "account 0.collateral", "input.price")}
        vary_edges(world, inputs, narrow, {"account 2.collateral": collateral, **premium})
        vary(world, inputs, {"market 2.settled": 1, "market 2.index": 990})
        called = {f"market {n}.{name}": v for n in (1, 2) for name, v in CALL.items()}
        vary_edges(world, inputs, {"account 2.collateral": numbers["account 2.collateral"]}, called)
        for exact in (-2, -1, 0, 1):
            for insurance in (0, 40_000):
                fixed = {"account 2.collateral": collateral - equity + exact, "market 1.insurance": insurance}
                vary(world, inputs, fixed)
                vary(world, inputs, {**fixed, "registers.draw_hour": 7, "registers.drawn": 9})
        world.run(*inputs)
        assert world.run(world.price(1_003)) == [OK]


def play_deleveraging(world: JudgedWorld) -> None:
    """Nobody but the other side is left: scores, and what each of them can bear."""
    begin_crisis(world, close_out=50_001)
    numbers = {
        "account 1.collateral": (worth(world, 1, -60_000), worth(world, 1, 60_000)),
        "account 3.collateral": (worth(world, 3, -60_000), worth(world, 3, 60_000)),
        "account 1.positions.0.cost": (-250_000, 10),
        "account 3.positions.0.cost": (-250_000, 10),
        "account 2.collateral": (worth(world, 2, -90_000), worth(world, 2, 30_000)),
        "market 1.index": (800, 1_200),
        "market 1.insurance": (0, 90_000),
        "input.price": (800, 1_200),
    }
    for price, equity in ((980, 1_000), (980, 0), (980, -9_000), (900, -40_000), (1_010, -700)):
        for other in (50_000, 300, 1, 0, -1, -500):
            inputs = [world.price(price)]
            fixed = {"account 2.collateral": worth(world, 2, equity) + 3 * 101 * (1_003 - price)}
            fixed |= {"account 1.collateral": worth(world, 1, other) + 3 * 60 * (price - 1_003)}
            names = numbers if other == 50_000 else {name: numbers[name] for name in list(numbers)[:4]}
            vary_edges(world, inputs, names, fixed)
            for up in (-30, 30):
                premium = {f"market 1.basis{number}": up for number in range(3)}
                vary(world, inputs, {**fixed, **premium, "market 1.premium": up * phases.PREMIUM_ONE})
                moved = {"account 2.collateral": fixed["account 2.collateral"] - 3 * 101 * up}
                moved["account 1.collateral"] = fixed["account 1.collateral"] + 3 * 60 * up
                vary(world, inputs, {**premium, **moved, "market 1.premium": up * phases.PREMIUM_ONE})
            world.run(*inputs)
            assert world.run(world.price(1_003)) == [OK]


def play_mirrored(world: JudgedWorld) -> None:
    """The same with a short in the other market, closed against longs: scores at every bound, and who has gone."""
    begin_crisis(world, close_out=50_001)
    world.trade(2, 1, 1_003, 30, market=2, order_slot=3)
    world.trade(4, 3, 1_003, 2, market=2, order_slot=4)
    numbers = {
        "account 1.collateral": (worth(world, 1, -60_000), worth(world, 1, 60_000)),
        "account 3.collateral": (worth(world, 3, -60_000), worth(world, 3, 60_000)),
        "account 1.positions.1.cost": (-10, 250_000),
        "account 3.positions.1.cost": (-10, 250_000),
        "account 2.collateral": (worth(world, 2, -90_000), worth(world, 2, 30_000)),
        "market 2.insurance": (0, 90_000),
        "input.price": (800, 1_300),
    }
    premium = {f"market 2.basis{number}": -25 for number in range(3)} | {"market 2.premium": -20 * phases.PREMIUM_ONE}
    for price, equity in ((1_030, 1_000), (1_030, 0), (1_030, -9_000), (1_100, -40_000), (990, -700)):
        owed = worth(world, 2, equity) + 3 * 85 * (price - 1_003)
        for other in (50_000, 300, 1, 0, -1, -500):
            inputs = [world.price(price, 2)]
            fixed = {"account 2.collateral": owed, "market 2.insurance": 0}
            fixed |= {"account 1.collateral": worth(world, 1, other) - 3 * 30 * (price - 1_003)}
            names = numbers if other == 50_000 else {name: numbers[name] for name in list(numbers)[:4]}
            vary_edges(world, inputs, names, fixed)
            for cost in (-1, 0, 1, 2, 90 * price - 1, 90 * price, 90 * price + 1, 90 * price + 2):
                vary(world, inputs, {**fixed, "account 1.positions.1.cost": cost})
            vary(world, inputs, {**fixed, **premium})
            vary(world, inputs, {**fixed, "market 2.unit": 10**10, "account 1.positions.1.cost": 1})
            large = {"market 2.unit": 10**7, "account 1.positions.1.cost": 1}
            large["account 2.collateral"] = equity - 3 * 101 * 1_003 + 85 * price * 10**7
            large["account 1.collateral"] = other + 3 * 60 * 1_003 - 30 * price * 10**7
            vary(world, inputs, {**fixed, **large})
            vary(world, inputs, {**fixed, "market 2.unit": 10**10, "account 1.positions.1.cost": 5 * 10**14})
            world.run(*inputs)
            assert world.run(world.price(1_003, 2)) == [OK]


def meet_ranked(world: JudgedWorld, number: int, equity: int) -> None:
    """A ranking whose first is this account, in an hour without a draw: what is not closed against it is none."""
    begin_crisis(world, close_out=50_001)
    world.trade(2, 1, 1_003, 30, market=2, order_slot=3)
    world.trade(4, 3, 1_003, 2, market=2, order_slot=4)
    meddled: list[int] = []

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        regs = machine.regs
        if regs.phase == phases.DELEVERAGE and regs.account == 2 and not meddled:
            meddled.append(number)
            regs.ranked0 += get_first_ranked(regs) - number

    keep(world, a2=worth(world, 2, equity) + 3 * 85 * 27)
    world.machine.regs.draw_hour = 7
    world.bench.meddle = meddle
    assert world.run(world.price(1_030, 2)) == [OK]
    world.bench.meddle = leave_alone


def play_nobody_ranked(world: JudgedWorld) -> None:
    """An account that is there no more."""
    meet_ranked(world, 5, 400)


def play_same_side_ranked(world: JudgedWorld) -> None:
    """An account on the same side."""
    meet_ranked(world, 4, -5_000)


def play_itself_ranked(world: JudgedWorld) -> None:
    """The account in liquidation itself."""
    meet_ranked(world, 2, 400)


def play_small_change(world: JudgedWorld) -> None:
    """Liquidations where a tick is much: at the least mark, and at the largest."""
    world.begin(money=10**9, mark=2, markets=2, margin_ppm=100_000, maintenance_margin=50_000, close_out=20_000)
    world.trade(1, 2, 2, 1)
    world.trade(1, 2, 2, 40, market=2, order_slot=1)
    for price in (1, 2, 3):
        for market in (1, 2):
            inputs = [world.price(price, market)]
            for equity in range(-3, 6):
                gained = (price - 2) * (1 if market == 1 else 40)
                vary(world, inputs, {"account 2.collateral": worth(world, 2, equity) - gained})
            world.run(*inputs)
            assert world.run(world.price(2, market)) == [OK]
    top = keys.MAX_TICK
    for market in (1, 2):
        for name in ("index", "mark", "anchor", "mark_anchor"):
            have(world.machine, f"market {market}.{name}", top - 3)
    for price in (top - 1, top, top - 7):
        inputs = [world.price(price)]
        for account in (1, 2):
            for equity in (-9, 0, 1, 10**5, 4 * 10**5, 5 * 10**5, 8 * 10**5):
                for close_out in (0, 50_000):
                    owed = {f"account {account}.collateral": worth(world, account, equity)}
                    vary(world, inputs, {**owed, "market 1.close_out": close_out})
        world.run(*inputs)


def play_caps(world: JudgedWorld) -> None:
    """What the backstop may take, holding nothing, the same side, or the other: by cap, margin and dust."""
    begin_crisis(world, close_out=50_001)
    assert world.run(world.backstop_deposit(4, 60_000)) == [OK]
    state = world.machine.state
    backstop, other = state.account(keys.BACKSTOP), state.account(1)
    backstop.positions[0].market, backstop.positions[0].size, backstop.positions[0].cost = 1, 17, 51_000
    backstop.collateral -= 51_000
    other.positions[0].size -= 17
    state.market(1).open_interest += 17
    state.commit()
    assert world.run(world.price(1_003)) == [OK]
    owed = worth(world, 2, 4_000) + 3 * 101 * 23
    inputs = [world.price(980)]
    base = world.account(0).collateral
    for size in (17, -17, -40, 1):
        moved = 3 * 1_003 * (17 - size)
        for cap in (0, 1, 400_000, 2_000_000, 2**32 - 1):
            fixed = {"account 2.collateral": owed, "account 0.positions.0.size": size, "market 1.backstop_cap": cap}
            fixed |= {"market 1.open_interest": 101 + max(0, size), "account 0.collateral": base + moved}
            names = {"account 0.collateral": (base + moved - 70_000, base + moved + 40_000)}
            vary_edges(world, inputs, names, fixed)
            for equity in (-9_000, -50, -1, 0, 1, 2, 50, 900, 9_000):
                worth_of = {"account 0.collateral": equity - 3 * 980 * size}
                vary(world, inputs, {**fixed, **worth_of})
                vary(
                    world,
                    inputs,
                    {**fixed, **worth_of, "market 1.basis0": 9, "market 1.basis1": 9, "market 1.premium": 2**20},
                )
    for lots in (0, 1):
        for equity in (29, 30, 30_000, 90_000, 200_000, 3_000_000):
            fixed = {"account 2.collateral": owed, "account 0.positions.0.size": 17 * lots}
            vary(world, inputs, {**fixed, "account 0.collateral": equity, "market 1.open_interest": 101 + 17 * lots})
    world.run(*inputs)
    # Much larger ones, of which a fee of a part in a million is something.
    have(world.machine, "market 1.unit", 3_000)
    inputs = [world.price(981)]
    for equity in (-(10**7), 0, 10**6, 10**7, 10**8):
        vary(
            world, inputs, {"account 2.collateral": equity - 3_000 * 981 * 101, "account 0.collateral": 10**7 + equity}
        )
        vary(world, inputs, {"account 2.collateral": equity - 3_000 * 981 * 101, "market 1.close_out": 0})
    world.run(*inputs)


def play_offers(world: JudgedWorld) -> None:
    """What the backstop offers, long and short: how much, how far from the mark, and what it notes of it."""
    begin_crisis(world)
    book = [world.order(4, BUY, 1_001, 2, order_slot=1), world.order(4, SELL, 1_006, 3, order_slot=2)]
    assert world.run(world.backstop_deposit(4, 300_000), *book) == [OK] * 3
    state = world.machine.state
    backstop, other = state.account(keys.BACKSTOP), state.account(1)
    backstop.positions[0].market, backstop.positions[0].size, backstop.positions[0].cost = 1, 17, 51_000
    other.positions[0].size -= 17
    state.market(1).open_interest += 17
    state.commit()
    assert world.run(world.price(1_003)) == [OK]
    world.wait(60)
    numbers = {
        "account 0.positions.0.waited": (0, 70),
        "account 0.positions.0.size": (1, 33),
        "account 0.positions.0.funding": (-(2**40), 2**40),
        "account 0.collateral": (-90_000, 90_000),
        "market 1.mark": (1, 2_000),
        "market 1.index": (900, 1_100),
        "market 1.maintenance_margin": (20_003, 100_003),
        "market 1.index_time": (world.time - 2 * 10**9, world.time),
        "market 1.sampled": (world.time - 200, world.time),
    }
    for waited in (0, 3, 9):
        vary_edges(world, [CRANK], numbers, {"account 0.positions.0.waited": waited})
    for mark in (1, 2, 3, keys.MAX_TICK - 1, keys.MAX_TICK):
        low = {f"market 1.{name}": mark for name in ("mark", "index", "anchor", "mark_anchor")}
        for size in (17, -9):
            vary(world, [CRANK], {**low, "account 0.positions.0.waited": 70, "account 0.positions.0.size": size})
    for funding in (2**33 + 1, -(2**33) - 1):
        vary(world, [CRANK], {"account 0.positions.0.funding": funding})
    for size in (-9, -8, -1):
        for waited in (1, 5):
            vary(world, [CRANK], {"account 0.positions.0.size": size, "account 0.positions.0.waited": waited})
    assert world.run(CRANK) == [OK]
    # Left for the next record, which comes when the price is old.
    world.wait(60)
    bench = world.bench

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if micro and machine.regs.phase == phases.WORK and machine.regs.sweeping == 0 and machine.regs.unwind:
            machine.regs.steps = machine.regs.started + phases.WORK_LIMIT
            bench.meddle = leave_alone

    bench.meddle = meddle
    assert world.run(CRANK) == [OK]
    have(world.machine, "market 1.max_age", 60)
    assert world.machine.regs.has_work and world.machine.regs.unwind
    world.wait(100)
    assert world.run(records.encode_crank(0)) == [OK]


def play_shares(world: JudgedWorld) -> None:
    """Requests of the backstop when they are due, to the unit of what it is worth and of what is asked."""
    world.begin(money=10**6, mark=1_003, unit=3, maintenance_margin=50_001)
    world.machine.regs.backstop_delay = 50
    assert world.run(world.backstop_deposit(1, 7_003)) == [OK]
    world.wait(50)
    assert world.run(records.encode_crank(0)) == [OK]
    world.trade(3, 2, 1_003, 50)
    state = world.machine.state
    backstop, other = state.account(keys.BACKSTOP), state.account(2)
    backstop.positions[0].market, backstop.positions[0].size, backstop.positions[0].cost = 1, 4, 12_036
    other.positions[0].size -= 4
    backstop.collateral -= 12_036
    state.commit()
    assert world.run(world.backstop_deposit(2, 1_001), world.backstop_withdraw(1, 3_001 << 10)) == [OK, OK]
    due = world.time + 50
    world.wait(50)
    crank = records.encode_crank(0)
    numbers = {
        "account 0.collateral": (-30_000, 20_000),
        "account 0.shares": (0, 2**24),
        "account 1.shares": (0, 2**24),
        "account 2.shares": (0, 2**24),
        "request 1.amount": (1, 2**24),
        "request 2.amount": (1, 40_000),
        "request 1.due": (due - 5, due + 5),
        "request 2.due": (due - 5, due + 5),
        "request 1.generation": (0, 2),
        "account 0.generation": (0, 2),
        "market 1.mark": (1, 4_000),
        "market 1.initial_margin": (50_001, 1_000_000),
        "registers.owed": (0, 10**7),
    }
    vary_edges(world, [crank], numbers)
    for collateral in (-12_037, -12_036, -12_035, -11_000, -8_000, -5_033, -5_034, 0):
        vary(world, [crank], {"account 0.collateral": collateral})
        vary(world, [crank], {"account 0.collateral": collateral, "account 0.shares": 2**22 + 1})
        vary(world, [crank], {"account 0.collateral": collateral, "request 2.amount": 1})
        vary(world, [crank], {"account 0.collateral": collateral, "account 2.generation": 1, "account 2.shares": 77})
    assert world.run(crank) == [OK]
    # Without a position, to the unit around nothing; and as many shares as there may be.
    assert world.run(world.backstop_deposit(1, 5), world.backstop_withdraw(2, 3)) == [OK, OK]
    world.wait(50)
    for lots in (0, 4):
        for collateral in (-6, -5, -4, -2, -1, 0, 1, 2, 5, 900):
            for shares in (0, 3, 700, 2**22):
                fixed = {"account 0.collateral": collateral - 12_036 * (lots > 0), "account 0.shares": shares}
                vary(world, [crank], {**fixed, "account 0.positions.0.size": lots})
                if shares > 3:
                    vary(world, [crank], {**fixed, "account 0.positions.0.size": lots, "request 2.amount": shares})
    most = phases.MAX_SHARES
    for worth_of in (0, 1, 5_003):
        made = 5 * (most + phases.VIRTUAL_SHARES) // (worth_of + 1)
        names = {"request 1.amount": (1, 2**20)}
        fixed = {"account 0.collateral": worth_of, "account 0.positions.0.size": 0}
        vary_edges(world, [crank], names, {**fixed, "account 0.shares": most - 2**30})
        vary_edges(world, [crank], {"account 0.shares": (most // 4, most)}, fixed)
        assert made
    assert world.run(crank) == [OK]


def play_orders_by_price(world: JudgedWorld) -> None:
    """Orders of every kind, by the tick and the lot: bands, crossings, limits, caps."""
    begin_crisis(world, band=80_003, max_position=200, max_open_interest=190)
    book = [world.order(4, BUY, 1_000, 5, order_slot=1), world.order(4, SELL, 1_007, 5, order_slot=2)]
    book += [world.order(1, BUY, 999, 4, order_slot=3), world.order(1, SELL, 1_010, 4, order_slot=4)]
    assert world.run(*book) == [OK] * 4
    numbers = {"input.price": (890, 1_110), "input.size": (0, 300)}
    for account in (2, 3):
        for side in (BUY, SELL):
            for flags in (0, IOC, FOK, POST_ONLY, REDUCE_ONLY, REDUCE_ONLY | IOC):
                inputs = [world.order(account, side, 1_003, 5, order_slot=9, flags=flags)]
                vary_edges(world, inputs, numbers)
                world.run(*inputs)
                assert world.run(world.cancel_all(account)) == [OK]
            for flags in (ABOVE, BELOW, ABOVE | REDUCE_ONLY):
                inputs = [world.order(account, side, 1_003, 5, order_slot=9, flags=flags, trigger=1_003)]
                vary_edges(world, inputs, {**numbers, "input.trigger": (900, 1_100)})
                world.run(*inputs)
                assert world.run(world.cancel_all(account)) == [OK]


def play_stops_by_mark(world: JudgedWorld) -> None:
    """Stops by the tick of the mark: which fire, what they may pay, and what becomes of their partners."""
    begin_crisis(world, band=80_003)
    orders = [
        world.order(2, SELL, 900, 7, order_slot=1, flags=BELOW | REDUCE_ONLY, trigger=990),
        world.order(2, SELL, 1_040, 7, order_slot=2, flags=ABOVE | REDUCE_ONLY, trigger=1_020, partner=2),
        world.order(4, BUY, 1_090, 9, order_slot=3, flags=ABOVE | IOC, trigger=1_021),
        world.order(4, BUY, 985, 30, order_slot=4),
        world.order(1, SELL, 1_022, 5, order_slot=5),
    ]
    assert set(world.run(*orders)) == {OK}
    numbers = {"input.price": (930, 1_080), "account 2.collateral": (worth(world, 2, 0), worth(world, 2, 40_000))}
    for price in (990, 980, 1_020, 1_025):
        inputs = [world.price(price)]
        vary_edges(world, inputs, numbers)
        world.run(*inputs)
    assert world.run(world.price(1_003)) == [OK]
    # One with an end of its own that fires, and one that is amended, keep that end; in a call none fires.
    assert world.run(world.cancel_all(2), world.cancel_all(4)) == [OK, OK]
    lasting = [
        world.order(4, SELL, 1_050, 3, order_slot=6, flags=ABOVE, trigger=1_010, expiry=world.time + 900),
        world.order(4, BUY, 990, 3, order_slot=7, expiry=world.time + 900, client=5),
        world.amend(4, 7, 991, 3),
    ]
    assert world.run(*lasting) == [OK] * 3
    inputs = [world.price(1_012)]
    for name, value in (("call_minutes", 1), ("halted_until", world.time + 50)):
        vary(world, inputs, {f"market 1.{name}": value})
    vary(world, inputs, {"market 1.call_minutes": 1, "market 1.halted_until": world.time + 50})
    premium = {f"market 1.basis{number}": -5 for number in range(3)}
    for tick in (5, 4, 3):
        vary(world, inputs, {**premium, "market 1.premium": -tick * phases.PREMIUM_ONE})
    assert world.run(*inputs) == [OK]
    assert world.resting(4, 6).expiry and world.resting(4, 7).expiry


SCENES = (
    play_tiers,
    play_orders,
    play_makers,
    play_wind_down,
    play_marks,
    play_samples,
    play_halts,
    play_lives,
    play_pairs_and_agents,
    play_legs,
    play_last_account,
    play_auctions,
    play_auction_caps,
    play_crises,
    play_deleveraging,
    play_mirrored,
    play_nobody_ranked,
    play_same_side_ranked,
    play_itself_ranked,
    play_small_change,
    play_caps,
    play_last_signer,
    play_ends,
    play_winding,
    play_days,
    play_offers,
    play_shares,
    play_orders_by_price,
    play_stops_by_mark,
)
