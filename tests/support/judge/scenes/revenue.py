"""What is paid in fees and who gets them, to the unit: shares, floor and treasury, savings, and makers who pay."""

from __future__ import annotations

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.judge.scenes.boundaries import CRANK, call, vary, vary_edges

from setoff.shared.codec.integers import PPM
from setoff.shared.state import keys

SHARES = {"backstop_share": 333_333, "treasury_share": 499_999, "treasury": 3}
TERMS = {"low": 100, "high": 3_000, "taker_saving": 140_000, "maker_saving": 150_000, "most_rebate": 100_000}


def play_revenue(world: JudgedWorld) -> None:
    """Fees of a market with open interest, shared at the next crank."""
    world.begin(money=10**9, mark=103, unit=3, taker_fee=10_000, maker_fee=2_000, maintenance_margin=50_001)
    assert world.batch([world.set_terms(**SHARES, insurance_floor=1_003)]) == [OK]
    world.trade(1, 2, 103, 1_007)
    world.wait(60)
    market = world.market()
    value = market.open_interest * market.mark * market.unit
    floor = -(-value * 1_003 // PPM)
    inputs = [CRANK]
    for revenue in (0, 1, 2, 3, 1_000):
        for spare in (-1, 0, 1, 2, 3, revenue - 1, revenue, revenue + 1):
            numbers = {"market 1.revenue": revenue, "market 1.insurance": floor + spare}
            vary(world, inputs, numbers)
            vary(world, inputs, {**numbers, "terms 0.backstop_share": 1, "terms 0.treasury_share": PPM - 1})
    for name, values in (
        ("backstop_share", (0, 1, 500_001, PPM)),
        ("treasury_share", (0, 1, 333_334, PPM)),
        ("treasury", (0, 1, 4, 5, 2**20 - 1)),
        ("insurance_floor", (0, 1, 9, 10, 11, 2**32 - 1)),
    ):
        for value in values:
            for revenue in (1, 999_999, 1_000_001):
                vary(
                    world, inputs, {f"terms 0.{name}": value, "market 1.revenue": revenue, "market 1.insurance": 10**7}
                )
    vary(world, inputs, {"terms 0.backstop_share": 0, "terms 0.treasury_share": 0})
    vary(world, inputs, {"account 0.collateral": -5, "account 3.collateral": -(10**7)})
    # The mark, and not the index, is what they are worth.
    apart = {f"market 1.basis{number}": 20 for number in range(3)} | {"market 1.premium": 20 << 16}
    for insurance in (312, 330, 335, 340, 350, 360, 370, 380, 390, 400):
        vary(world, inputs, {**apart, "market 1.insurance": insurance, "market 1.revenue": 90})
    # A floor of an odd part of what all positions are worth: rounded up.
    for lots in (0, 1, 2, 3):
        for insurance in (0, 1, 2, 3, 300, 310, 311):
            numbers = {"market 1.open_interest": lots, "market 1.insurance": insurance, "market 1.revenue": 3}
            vary(world, inputs, {**numbers, "terms 0.insurance_floor": PPM // 3, "terms 0.backstop_share": PPM})
    assert world.run(*inputs) == [OK]


def play_savings(world: JudgedWorld) -> None:
    """What maker and taker save, and a rebate, at each end of the slope and where a unit is rounded."""
    world.begin(money=10**9, mark=103, unit=3, taker_fee=9_973, maker_fee=-3_011)
    assert world.batch([world.set_terms(**TERMS)]) == [OK]
    assert world.run(world.order(1, 1, 103, 90, order_slot=7)) == [OK]
    inputs = [world.order(2, 0, 103, 90, order_slot=7, flags=1)]
    for account in (1, 2):
        for amount in (0, 99, 100, 101, 102, 1_549, 1_550, 2_999, 3_000, 3_001, 2**96):
            vary(world, inputs, {f"activity {account}.amount": amount, f"activity {account}.day": world.time // 86_400})
    both = {f"activity {account}.day": world.time // 86_400 for account in (1, 2)}
    both |= {f"activity {account}.amount": 3_000 for account in (1, 2)}
    for name, values in (
        ("most_rebate", (0, 1, 333_333, PPM)),
        ("taker_saving", (0, 1, PPM)),
        ("maker_saving", (0, 1, PPM)),
        ("high", (0, 101, 2**96)),
        ("low", (0, 2_999)),
    ):
        for value in values:
            vary(world, inputs, {**both, f"terms 0.{name}": value})
    for fee in (-9_973, -1_000, -997, -1, 0, 1, 2_003):
        vary(world, inputs, {**both, "market 1.maker_fee": fee})
        vary(world, inputs, {"market 1.maker_fee": fee})
    for fee in (0, 1, 3_011):
        vary(world, inputs, {**both, "market 1.taker_fee": fee})
    # A fill that is worth more than the slope is long.
    vary(world, inputs, {**both, "market 1.unit": 3_000})
    for days in (1, 2, 27, 255, 256, 257):
        past = {f"activity {account}.day": world.time // 86_400 - days for account in (1, 2)}
        vary(world, inputs, {**both, **past})
        vary(world, inputs, {**both, **past, "activity 1.amount": 2**96, "activity 2.amount": 2**95 + 1})
    assert world.run(*inputs) == [OK]


def play_auction_fees(world: JudgedWorld) -> None:
    """In an auction both pay the maker's fee, whatever they would save elsewhere; a rebate is none there."""
    world.begin(money=10**7, mark=1_000, call_minutes=1, taker_fee=9_973, maker_fee=3_011, unit=3)
    assert world.batch([world.set_terms(**TERMS)]) == [OK]
    world.wait(60)
    assert world.run(CRANK) == [OK]
    world.trade(1, 2, 1_000, 40)
    for fee in (3_011, 1, 0, -3_011):
        world.machine.state.market(1).maker_fee = fee
        call(world, (1, 0, 1_020, 7), (2, 1, 990, 5), (3, 1, 980, 9), (4, 0, 1_010, 3))
    world.machine.state.market(1).maker_fee = 3_011
    world.machine.state.market(1).halted_until = world.time + 60
    world.machine.state.commit()
    orders = [(3, 0, 1_020, 700), (4, 1, 990, 650), (1, 1, 995, 40), (2, 1, 1_000, 41)]
    assert set(world.run(*(world.order(*order, order_slot=9) for order in orders))) == {OK}
    world.wait(60)
    numbers = {
        f"account {account}.collateral": (worth_nothing - 10**5, worth_nothing + 10**6)
        for account in (1, 2, 3, 4)
        for worth_nothing in [world.account(account).collateral - world.equity(account)]
    }
    vary_edges(world, [CRANK], numbers)
    vary_edges(world, [CRANK], numbers, {"market 1.maker_fee": 10_007})
    vary_edges(world, [CRANK], numbers, {"market 1.mark": 985})
    assert world.run(CRANK) == [OK]


def play_measured_makers(world: JudgedWorld) -> None:
    """Makers who pay a fee, where the book is measured: to the unit who counts, who does not, and who is pruned."""
    world.begin(money=10**7, mark=1_003, impact=9, taker_fee=9_973, maker_fee=3_011, unit=3, margin_ppm=100_003)
    world.trade(1, 2, 1_003, 40)
    orders = [
        (3, 0, 1_001, 5),
        (3, 0, 990, 30),
        (4, 1, 1_006, 5),
        (4, 1, 1_020, 30),
        (1, 0, 1_000, 4),
        (2, 1, 1_007, 4),
    ]
    inputs = [world.order(*order, order_slot=20 + slot) for slot, order in enumerate(orders)]
    assert set(world.run(*inputs)) == {OK}
    world.wait(60)
    numbers = {
        f"account {account}.collateral": (worth_nothing - 10**5, worth_nothing + 10**6)
        for account in (1, 2, 3, 4)
        for worth_nothing in [world.account(account).collateral - world.equity(account)]
    }
    for fixed in ({}, {"market 1.mark": 1_000}, {"market 1.mark": 1_010}, {"market 1.maker_fee": -3_011}):
        vary_edges(world, [CRANK], numbers, fixed)
    assert world.run(CRANK) == [OK]
    # The same makers met by a fill-or-kill order and by one that takes what there is.
    for side, limit in ((0, 1_030), (1, 980)):
        for flags in (1, 3):
            taker = 1 if side == 0 else 2
            makers = (4, 2) if side == 0 else (3, 1)
            inputs = [world.order(taker, side, limit, 30, order_slot=40, flags=flags)]
            vary_edges(world, inputs, {name: numbers[name] for m in makers for name in [f"account {m}.collateral"]})
            world.run(*inputs)
            assert world.run(world.cancel_all(3), world.cancel_all(4)) == [OK, OK]
            assert set(world.run(*(world.order(*o, order_slot=20 + s) for s, o in enumerate(orders) if o[0] > 2))) == {
                OK
            }


def play_makers_of_a_liquidation(world: JudgedWorld) -> None:
    """A maker who has been active fills a liquidation: it saves its part of its fee, at every place on the slope."""
    world.begin(money=10**6, mark=1_003, maintenance_margin=50_001, taker_fee=9_973, maker_fee=3_011, unit=3)
    assert world.batch([world.set_terms(**TERMS)]) == [OK]
    world.trade(1, 2, 1_003, 60)
    assert world.run(world.order(4, 0, 960, 100, order_slot=7)) == [OK]
    account = world.account(2)
    worth = account.collateral - world.equity(2)
    inputs = [world.price(970)]
    day = world.time // 86_400
    for equity in (8_000, 3_000):
        left = {"account 2.collateral": worth + 3 * 60 * 33 + equity, "activity 4.day": day}
        for amount in (0, 99, 100, 101, 1_550, 3_000, 5_000):
            vary(world, inputs, {**left, "activity 4.amount": amount})
            vary(world, inputs, {**left, "activity 4.amount": amount, "market 1.maker_fee": -3_011})
        for saving in (1, PPM):
            vary(world, inputs, {**left, "activity 4.amount": 3_000, "terms 0.maker_saving": saving})
        vary(world, inputs, {**left, "activity 4.amount": 3_000, "account 2.paused_until": world.time - 1_000})
        for rate in (0, 1, 6, 7, 50_001, 60_007, 66_666):
            vary(world, inputs, {**left, "activity 4.amount": 3_000, "market 1.maintenance_margin": rate})
    assert world.run(*inputs) == [OK]


def play_large_liquidations(world: JudgedWorld) -> None:
    """Of a very large position a part in a million of the fee is something, however it is rounded."""
    world.begin(money=10**12, mark=1_003, maintenance_margin=50_001, taker_fee=500, maker_fee=100, unit=3 * 10**6)
    world.trade(1, 2, 1_003, 59)
    assert world.run(world.order(4, 0, 975, 100, order_slot=7)) == [OK]
    worth = world.account(2).collateral - world.equity(2)
    inputs = [world.price(970)]
    for rate in (50_000, 50_001, 50_002, 50_003, 50_005, 60_007):
        margin = 59 * 970 * 3 * rate
        for part in (2, 3):
            left = {"account 2.collateral": worth + 59 * 33 * 3 * 10**6 + margin * part // 4}
            vary(world, inputs, {**left, "market 1.maintenance_margin": rate})
            vary(
                world, inputs, {**left, "market 1.maintenance_margin": rate, "account 2.paused_until": world.time - 900}
            )
    assert world.run(*inputs) == [OK]


def play_treasury_in_trouble(world: JudgedWorld) -> None:
    """The backstop's own market: it gets its share before it offers; and the treasury is the one who is swept."""
    world.begin(money=10**6, mark=103, maintenance_margin=50_001, taker_fee=9_973, maker_fee=0)
    assert world.batch([world.set_terms(backstop_share=600_000, treasury_share=300_000, treasury=2)]) == [OK]
    world.trade(1, 2, 103, 900)
    world.wait(60)
    worth = world.account(2).collateral - world.equity(2)
    inputs = [CRANK]
    for equity in (-1, 0, 1, 4_600, 4_635, 4_636):
        vary(world, inputs, {"account 2.collateral": worth + equity})
    assert world.run(*inputs) == [OK]
    assert world.account(keys.BACKSTOP).collateral > 0


SCENES = (
    play_revenue,
    play_savings,
    play_auction_fees,
    play_measured_makers,
    play_makers_of_a_liquidation,
    play_large_liquidations,
    play_treasury_in_trouble,
)
