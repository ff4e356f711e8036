"""What the right to order slots is worth at most: bounds that hold whatever an operator puts before and after."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.machines.world import BUY, FOK, GTC, IOC, POST_ONLY, REDUCE_ONLY, SELL, World

VICTIM, MAKER, ATTACKER = 1, 2, 3
UNIT = 10

ATTACKS = st.lists(
    st.tuples(st.sampled_from((BUY, SELL)), st.integers(80, 125), st.integers(1, 40), st.sampled_from((GTC, IOC))),
    max_size=6,
)


def market() -> World:
    """A maker's book on both sides of a mark of 100; no fees, so that prices alone count."""
    world = World.trading(funds=10**7, taker_fee=0, maker_fee=0)
    for order_slot, (side, price) in enumerate(((SELL, 101), (SELL, 103), (BUY, 99), (BUY, 97))):
        assert world.order(MAKER, side, price, 10, order_slot=order_slot) == "accepted"
    return world


def attack(world: World, orders: list[tuple[int, int, int, int]], first: int) -> None:
    for order_slot, (side, price, size, flags) in enumerate(orders, first):
        world.order(ATTACKER, side, price, size, flags=flags, order_slot=order_slot)


@settings(max_examples=60, deadline=None)
@given(before=ATTACKS, after=ATTACKS, limit=st.integers(90, 115), size=st.integers(1, 40), side=st.sampled_from((0, 1)))
def test_a_sandwiched_order_never_trades_worse_than_its_limit(
    before: list[tuple[int, int, int, int]],
    after: list[tuple[int, int, int, int]],
    limit: int,
    size: int,
    side: int,
) -> None:
    world = market()
    attack(world, before, 0)
    world.order(VICTIM, side, limit, size, flags=GTC, order_slot=0)
    trades = list(world.machine.fills)
    attack(world, after, 100)
    position = world.position(VICTIM)
    assert all(fill.price <= limit if side == BUY else fill.price >= limit for fill in trades)
    # In money: what the position cost is no worse than all of it at the limit, also for what rested and was hit later.
    assert abs(position.size) <= size
    assert position.cost <= position.size * limit * UNIT


@settings(max_examples=40, deadline=None)
@given(before=ATTACKS, size=st.integers(1, 40))
def test_fill_or_kill_is_filled_in_full_or_not_at_all(before: list[tuple[int, int, int, int]], size: int) -> None:
    world = market()
    attack(world, before, 0)
    world.order(VICTIM, BUY, 103, size, flags=FOK)
    assert world.position(VICTIM).size in (0, size)


@settings(max_examples=40, deadline=None)
@given(before=ATTACKS)
def test_a_post_only_order_never_takes(before: list[tuple[int, int, int, int]]) -> None:
    world = market()
    attack(world, before, 0)
    world.order(VICTIM, BUY, 101, 5, flags=POST_ONLY)
    assert not world.machine.fills and world.position(VICTIM).size == 0


def test_who_was_first_at_a_price_is_filled_first_whoever_sends_the_taker() -> None:
    """An operator that puts its own order at a customer's price, and then its own taker, fills the customer."""
    world = market()
    assert world.order(VICTIM, SELL, 100, 5, order_slot=0) == "accepted"
    assert world.order(ATTACKER, SELL, 100, 5, order_slot=0) == "accepted"
    assert world.order(MAKER, BUY, 100, 5, order_slot=9, flags=IOC) == "accepted"
    assert world.position(VICTIM).size == -5
    assert world.position(ATTACKER).size == 0


def test_a_report_held_back_gains_no_more_than_the_makers_limits() -> None:
    """The operator has seen a price of 120, and trades at the book before it lets the report in."""
    world = market()
    equity = world.equity(ATTACKER)
    makers = world.equity(MAKER)
    assert world.order(ATTACKER, BUY, 150, 100, flags=IOC) == "accepted"
    world.set_mark(120)
    gain = world.equity(ATTACKER) - equity
    # Exactly the lots that makers left at their own prices, each at that price.
    assert gain == ((120 - 101) + (120 - 103)) * 10 * UNIT
    assert makers - world.equity(MAKER) == gain


def test_an_order_with_an_expiry_is_not_there_for_a_late_operator() -> None:
    world = market()
    assert world.cancel_all(MAKER) == "accepted"
    assert world.order(MAKER, SELL, 101, 10, order_slot=0, expiry=world.traffic.time + 5) == "accepted"
    world.wait(5)
    world.order(ATTACKER, BUY, 101, 10, flags=IOC)
    assert world.position(MAKER).size == 0


def test_beyond_the_price_band_nothing_is_taken() -> None:
    world = World.trading(band=50_000)
    assert world.order(VICTIM, BUY, 106, 1) == "price_band"
    assert world.order(VICTIM, SELL, 94, 1) == "price_band"
    assert world.order(VICTIM, BUY, 105, 1) == "accepted"


def test_a_reduce_only_order_opens_nothing_whatever_comes_before_it() -> None:
    for before in permutations(((BUY, 101, 5), (SELL, 99, 5))):
        world = market()
        assert world.order(VICTIM, BUY, 101, 5, flags=IOC) == "accepted"
        for side, price, size in before:
            world.order(ATTACKER, side, price, size, flags=IOC)
        world.order(VICTIM, SELL, 90, 40, flags=IOC | REDUCE_ONLY)
        assert 0 <= world.position(VICTIM).size <= 5


def test_who_is_liquidated_does_not_depend_on_the_order_of_inputs_of_a_batch() -> None:
    """A price is a rule's cause: other records around it change neither who is liquidated nor at what price."""
    ends = set()
    for order in permutations(range(3)):
        world = World.trading(funds=2_000, taker_fee=0, maker_fee=0, accounts=5)
        assert world.order(1, BUY, 100, 15) == "accepted"
        assert world.order(2, SELL, 100, 15) == "accepted"
        world.wait(1)
        inputs = (
            lambda w: w.report(0, 90),
            lambda w: w.transfer(4, 5, 100),
            lambda w: w.withdraw(3, 50),
        )
        for number in order:
            inputs[number](world)
        world.press(90)
        ends.add(tuple((world.account(account).collateral, world.position(account).size) for account in range(1, 6)))
    assert len(ends) == 1
    assert next(iter(ends))[0][1] < 15
