"""The backstop: what it takes over, what it offers, and what its shares are worth."""

from dataclasses import replace

from tests.support.judge.bench import leave_alone
from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.judge.scenes.boundaries import vary
from tests.support.machines.holders import enter_holders
from tests.support.machines.world import BUY, SELL

from setoff.shared.codec import records
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import MarketParameters, SetMarketBody
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state import keys


def play_takeover(world: JudgedWorld) -> None:
    """The backstop takes a position over, exits are limited, and it offers its own position crank by crank."""
    world.begin(money=10**5, maintenance_margin=50_000)
    world.trade(1, 2, 100, 9_000)
    assert world.run(world.backstop_deposit(3, 50_000)) + world.press(93) == [OK] * 3
    assert world.took("takeover") > 0 and world.took("deleverage") == 0
    assert world.position(keys.BACKSTOP).size > 0
    limited = [
        world.withdraw(4, 6_250),
        world.withdraw(4, 1),
        world.backstop_withdraw(3, 1_000 << 10),
        world.backstop_withdraw(3, (50_000 << 10) + 1),
    ]
    assert world.run(*limited) == [OK, "withdrawals_limited", OK, "insufficient_margin"]
    held = world.position(keys.BACKSTOP).size
    world.wait(60)
    bids = world.order(4, BUY, 93, 2_000, order_slot=5)
    assert world.run(world.backstop_withdraw(3, 1_000 << 10), bids, records.encode_crank(1)) == [OK] * 3
    assert world.position(keys.BACKSTOP).size < held
    # Its price broken, the backstop is liquidated as anybody (and may carry some of what fails after it).
    held = world.position(keys.BACKSTOP).size
    assert world.run(world.price(30)) == [OK]
    assert world.took("deleverage") > 0 and world.position(keys.BACKSTOP).size < held // 8


def play_debts(world: JudgedWorld) -> None:
    """The backstop takes over what is worth just nothing, long and short, and no debt of a unit. (What is left of the
    accounts is set by hand.)"""
    world.begin(money=10**6, maintenance_margin=50_000, taker_fee=0, maker_fee=0)
    assert world.run(world.backstop_deposit(3, 500_000)) == [OK]

    def fail(seller: int, buyer: int, lots: int, price: int, left: int) -> int:
        """Lots that the backstop holds after a trade at `price`, once 2 has so much left a tick from there."""
        have(10**6)
        world.trade(seller, buyer, price, lots, order_slot=lots % 256)
        size = world.position(2).size
        worse = price - 1 if size > 0 else price + 1
        have(left - size * worse)
        assert world.run(world.price(worse)) == [OK]
        assert world.position(2).size == 0
        return world.position(keys.BACKSTOP).size

    def have(collateral: int) -> None:
        world.machine.state.account(2).collateral = collateral
        world.machine.state.commit()

    assert fail(1, 2, 500, 100, left=0) == 500
    assert fail(4, 2, 300, 99, left=-1) == 500
    assert fail(2, 4, 200, 98, left=0) == 300
    assert fail(2, 4, 100, 99, left=-1) == 200  # it is on the other side, and has gained by the change itself


def play_waiting(world: JudgedWorld) -> None:
    """Offers that nobody takes go farther from the mark, a sixth of the margin or half a percent; then half as far.

    (Most of the minutes are passed by hand.)
    """
    world.begin(money=10**5, mark=10_000, markets=2, maintenance_margin=50_000)
    world.trade(1, 2, 10_000, 90)
    assert world.batch([world.deposit(1, 10**6)], []) == [OK]
    world.trade(3, 1, 10_000, 90, market=2, order_slot=1)
    assert world.run(world.backstop_deposit(4, 80_000)) + world.press(9_300) + world.press(10_700, 2) == [OK] * 5
    held = [world.position(keys.BACKSTOP, market).size for market in (1, 2)]
    assert held[0] > 8 and held[1] < -8
    narrow = MarketParameters(1, 100_000, 4_000, 500, -100, PPM, max_age=10**9, step_band=PPM, impact=2**40)
    assert world.batch([records.encode(SetMarketBody(1, narrow))], []) == [OK]

    def crank(market: int, *before: bytes) -> int:
        world.wait(60)
        assert set(world.run(*before, records.encode_crank(market))) == {OK}
        return world.position(keys.BACKSTOP, market).waited

    assert [crank(1) for _ in range(3)] == [1, 2, 3]
    bids = [world.order(4, BUY, price, 1, order_slot=price - 9_290) for price in (9_295, 9_296)]
    assert crank(1, *bids) == 4  # as far as 9,297 this time
    assert crank(1) == 2 and world.resting(4, 6).market == 0
    state = world.machine.state
    for position in state.account(keys.BACKSTOP).positions[:2]:
        position.waited = phases.UNWIND_WAITS - 1
    state.commit()
    bids = [world.order(4, BUY, price, 1, order_slot=price - 9_281) for price in (9_293, 9_292)]
    assert crank(1, world.cancel(4, 5), *bids) == 24
    # No farther than a sixth of the margin of 0.4 %.
    assert world.resting(4, 12).market == 0 and world.resting(4, 11).size == 1
    asks = [world.order(4, SELL, price, 1, market=2, order_slot=price - 10_700) for price in (10_754, 10_755)]
    assert [crank(2, asks[1]), crank(2)] == [phases.UNWIND_WAITS] * 2
    assert crank(2, asks[0]) == phases.UNWIND_WAITS // 2


def play_last_offer(world: JudgedWorld) -> None:
    """An offer that the input has no steps to make says nothing; the last one leaves nothing to note. (What it has
    is set, and steps are counted on, by hand.)"""
    world.begin(money=10**5, maintenance_margin=50_000)
    world.trade(1, 2, 100, 9_000)
    assert world.run(world.backstop_deposit(3, 50_000)) + world.press(93) == [OK] * 3
    assert world.position(keys.BACKSTOP).size > 2
    backstop = world.machine.state.account(keys.BACKSTOP)
    backstop.positions[0].size, backstop.collateral = 2, 50_000
    world.machine.state.commit()

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if machine.regs.phase == phases.UNWIND and machine.regs.unwind == 0:
            machine.regs.steps = machine.regs.started + phases.WORK_LIMIT - 1

    world.bench.meddle = meddle
    world.wait(60)
    assert world.run(records.encode_crank(1)) == [OK]
    assert world.position(keys.BACKSTOP).waited == 0
    world.bench.meddle = leave_alone
    for left in (1, 0):
        world.wait(60)
        assert world.run(world.order(4, BUY, 93, 1, order_slot=left), records.encode_crank(1)) == [OK, OK]
        assert world.position(keys.BACKSTOP).size == left


def play_next_offer(world: JudgedWorld) -> None:
    """A position that comes into the place of one that is sold has not waited yet, however long that one had. (What is
    left of the accounts is set by hand.)"""
    world.begin(money=10**6, maintenance_margin=50_000, taker_fee=0, maker_fee=0)
    assert world.run(world.backstop_deposit(3, 500_000)) == [OK]

    def take_over(lots: int, price: int) -> None:
        world.machine.state.account(2).collateral = 10**6
        world.machine.state.commit()
        world.trade(1, 2, price, lots, order_slot=price)
        world.machine.state.account(2).collateral = -world.position(2).size * (price - 1)
        world.machine.state.commit()
        assert world.run(world.price(price - 1)) == [OK]
        assert world.position(2).size == 0 and world.position(keys.BACKSTOP).size == lots

    take_over(500, 100)
    position = world.machine.state.account(keys.BACKSTOP).positions[0]
    position.size, position.waited = 1, 8
    world.machine.state.commit()
    world.wait(60)
    assert world.run(world.order(4, BUY, 99, 1), records.encode_crank(1)) == [OK, OK]
    assert world.position(keys.BACKSTOP).size == 0
    take_over(300, 99)
    world.wait(60)
    assert world.run(records.encode_crank(1)) == [OK]
    assert world.position(keys.BACKSTOP).waited == 1


def play_worthless_shares(world: JudgedWorld) -> None:
    """Shares that are worth nothing are void once somebody deposits again. (What they were worth is taken by hand.)"""
    world.begin()
    assert world.run(world.backstop_deposit(1, 1_000)) == [OK]
    world.machine.state.account(keys.BACKSTOP).collateral = 0
    world.machine.state.commit()
    assert world.run(world.backstop_withdraw(1, 24 << 10)) == [OK]
    assert world.run(world.backstop_deposit(2, 1_000), world.backstop_withdraw(1, 1)) == [OK, "insufficient_margin"]
    assert world.run(world.backstop_deposit(1, 500), world.backstop_withdraw(1, 500 << 10)) == [OK, OK]
    assert (world.account(1).generation, world.account(keys.BACKSTOP).generation) == (1, 1)
    # A debt is the next depositor's to fill; a share may be too dear for what is offered.
    for worth, amount, is_taken in ((-700, 700, False), (-700, 701, True), (2**40, 1, False)):
        world.machine.state.account(keys.BACKSTOP).collateral = worth
        world.machine.state.commit()
        before = world.account(2).collateral
        assert world.run(world.backstop_deposit(2, amount)) == [OK]
        assert world.account(2).collateral == before - amount * is_taken


def play_dear_shares(world: JudgedWorld) -> None:
    """Shares that are dear are void only for whoever brings a 2^10th part more than what is left. (All by hand.)"""
    world.begin(money=10**6)
    for left, amount, is_void in ((10, 10_239, False), (10, 10_240, True), (0, 1, True), (11, 11_263, False)):
        backstop = world.machine.state.account(keys.BACKSTOP)
        backstop.collateral, backstop.shares = left, left * phases.VOID_PRICE + 1
        generation = backstop.generation
        world.machine.state.commit()
        assert world.run(world.backstop_deposit(2, amount)) == [OK]
        assert world.account(keys.BACKSTOP).generation == generation + is_void
    backstop = world.machine.state.account(keys.BACKSTOP)
    backstop.collateral, backstop.shares = 10, 10 * phases.VOID_PRICE
    world.machine.state.commit()
    assert world.run(world.backstop_deposit(2, 10**5)) == [OK]
    assert world.account(keys.BACKSTOP).generation == generation


def play_price_of_shares(world: JudgedWorld) -> None:
    """Whoever comes pays the higher, who goes gets the lower of what mark and index say. (The mark is set by hand.)"""
    world.begin(money=10**5, maintenance_margin=50_000)
    world.trade(1, 2, 100, 9_000)
    assert world.run(world.backstop_deposit(3, 50_000)) + world.press(93) == [OK] * 3
    assert world.position(keys.BACKSTOP).size > 0
    found = []
    for mark in (93, 92, 94):
        world.machine.state.market(1).mark = mark
        world.machine.state.commit()
        copy = world.machine.copy()
        for record in (world.backstop_withdraw(3, 100 << 10), world.backstop_deposit(4, 1_000)):
            copy.begin(copy.regs.batch + 1, world.time)
            assert copy.take(record, False) == 0
        found.append((copy.state.account(3).collateral - world.account(3).collateral, copy.state.account(4).shares))
    (paid, shares), (less, _), (same_paid, fewer) = found
    assert less < paid == same_paid and fewer < shares
    for mark in (92, 94, 93):
        world.machine.state.market(1).mark = mark
        world.machine.state.commit()
        assert world.run(world.backstop_withdraw(3, 100 << 10), world.backstop_deposit(4, 1_000)) == [OK, OK]


def play_price_of_two(world: JudgedWorld) -> None:
    """What mark and index say is asked of every position. (The backstop's are written by hand.)"""
    world.begin(money=10**5, markets=2)
    assert world.run(world.backstop_deposit(3, 50_000)) == [OK]
    for market in (1, 2):
        world.trade(1, 2, 100, 100, order_slot=market, market=market)
    state = world.machine.state
    backstop, other = state.account(keys.BACKSTOP), state.account(1)
    for place in (0, 1):
        backstop.positions[place] = replace(other.positions[place])
        other.positions[place].size = other.positions[place].cost = 0
    for market in (1, 2):
        state.market(market).open_interest = 100
    other.collateral, backstop.collateral = 10**5, 50_000 + 2 * 100 * 100
    enter_holders(state)
    for first, second in ((110, 90), (90, 110), (105, 103), (97, 90), (90, 100), (100, 108)):
        inputs = [world.backstop_withdraw(3, 100 << 10), world.backstop_deposit(4, 1_000)]
        for index in (0, 1):
            vary(world, inputs, {"market 1.mark": first, "market 2.mark": second}, index)
        assert world.run(*inputs) == [OK, OK]


def play_caps(world: JudgedWorld) -> None:
    """As much as cap and margin allow, the rest to the other side; what would be dust in a new place is not taken."""
    world.begin(money=10**5, maintenance_margin=50_000, markets=3, backstop_cap=400_000)
    world.trade(1, 2, 100, 9_000)
    world.trade(1, 3, 100, 3, order_slot=2, market=2)
    assert world.run(world.backstop_deposit(4, 10**5), world.withdraw(3, 99_960), world.price(87, 2)) == [OK] * 3
    assert world.position(3, 2).size == world.position(keys.BACKSTOP, 2).size == 0
    assert world.press(92) == [OK] * 2
    held = world.position(keys.BACKSTOP).size
    assert 0 < held * 92 <= 45_000 and world.took("deleverage") > 1
    # Nearer to its margin it takes a part by that.
    uncapped = records.encode(
        SetMarketBody(1, MarketParameters(1, 100_000, 50_000, 500, -100, PPM, max_age=10**9, step_band=PPM))
    )
    state = world.machine.state
    state.account(4).collateral += world.account(keys.BACKSTOP).collateral + held * 92 - held * 11
    state.account(keys.BACKSTOP).collateral = -held * 92 + held * 11
    state.commit()
    assert world.batch([uncapped], [world.price(91)]) == [OK, OK]
    assert held <= world.position(keys.BACKSTOP).size


def play_poor_backstop(world: JudgedWorld) -> None:
    """A backstop too poor to take over: the winner with the highest score closes, in part, then the next one."""
    world.begin(money=10**5, maintenance_margin=50_000, markets=2)
    world.trade(1, 2, 100, 4_000)
    world.trade(3, 2, 100, 4_000, order_slot=1)
    assert world.run(world.backstop_deposit(4, 1), world.price(89)) == [OK, OK]
    assert world.took("deleverage") > 1 and world.position(keys.BACKSTOP).size == 0


def play_full_backstop(world: JudgedWorld) -> None:
    """A backstop with positions in eight markets has no place for a ninth. (Its places are taken by hand.)"""
    world.begin(money=1_100, markets=9)
    world.trade(1, 2, 100, 100, market=9)
    for number, position in enumerate(world.machine.state.account(keys.BACKSTOP).positions):
        position.market = number + 1
        position.bids = 1
    world.machine.state.commit()
    assert world.run(world.price(80, 9)) == [OK]
    assert world.took("takeover") == world.took("deleverage") == 1
    world.wait(60)
    assert world.run(records.encode_crank(9)) == [OK]

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if machine.regs.phase == phases.UNWIND:
            machine.regs.unwind = 0  # as if it had offered what it has not

    world.bench.meddle = meddle
    world.wait(60)
    assert world.run(records.encode_crank(9)) == [OK]
    world.bench.meddle = leave_alone


def play_stale_backstop(world: JudgedWorld) -> None:
    """With an old price nobody knows what the backstop is worth."""
    world.begin(money=10**5, maintenance_margin=50_000, max_age=60)
    world.trade(1, 2, 100, 9_000)
    assert world.run(world.backstop_deposit(3, 50_000)) + world.press(93) == [OK] * 3
    world.wait(100)
    assert world.run(world.backstop_withdraw(3, 1), records.encode_crank(0)) == [OK, "stale_price"]
    assert world.run(world.price(93)) == [OK] and world.request(3).amount == 0


def play_shares(world: JudgedWorld) -> None:
    """Too many shares to be counted, and all of them at once."""
    world.begin(money=2**95)
    assert (
        world.run(
            world.backstop_deposit(1, 1000), world.backstop_withdraw(1, 1000 << 10), world.backstop_deposit(2, 2**94)
        )
        == [OK] * 3
    )
    for account in (keys.BACKSTOP, 2):
        world.machine.state.account(account).shares = phases.MAX_SHARES - 1
    world.machine.state.commit()
    before = world.account(3).collateral
    inputs = [world.backstop_deposit(3, 3)]
    worth = {f"account {keys.BACKSTOP}.collateral": 2}
    for more in (-1, 0, 1):  # as many shares again as there are, real and virtual: up to all that there may be, or not
        issued = (phases.MAX_SHARES - phases.VIRTUAL_SHARES) // 2 + more
        vary(world, inputs, {**worth, f"account {keys.BACKSTOP}.shares": issued})
    assert world.run(*inputs) == [OK] and world.account(3).collateral == before
    # Of less than nothing there is nothing to pay.
    inputs = [world.backstop_withdraw(2, 10**6)]
    for left in (-2, -1, 0, 1):
        vary(world, inputs, {f"account {keys.BACKSTOP}.collateral": left})
    assert world.run(*inputs) == [OK]


def play_requests(world: JudgedWorld) -> None:
    """What is asked of the backstop waits its time, one request of an account, and is settled in turn.

    (The delay is set by hand, as a deployment sets it.)
    """
    world.begin(money=10**5, maintenance_margin=50_000, backstop_cap=400_000)
    world.machine.regs.backstop_delay = 100
    crank = records.encode_crank(0)
    asked = [world.backstop_deposit(1, 1_000), world.backstop_deposit(1, 5), world.backstop_deposit(2, 49_000), crank]
    assert world.run(*asked) == [OK, "request_pending", OK, "not_due"]
    world.wait(99)
    assert world.run(crank) == ["not_due"]
    assert world.run(world.price(101)) == [OK]
    assert world.account(1).shares == 1_000 << 10 and world.account(2).shares == 49_000 << 10
    assert world.run(crank) == ["not_due"]
    # A takeover while two wait: one is paid in part, as the margin leaves it free; a third was for too much.
    world.trade(3, 4, 101, 9_000)
    asked = [world.backstop_withdraw(2, 49_000 << 10), world.backstop_withdraw(1, (1_000 << 10) + 1)]
    assert world.run(*asked, world.backstop_withdraw(1, 500 << 10)) == [OK, "insufficient_margin", OK]
    world.wait(19)
    assert world.press(108) == [OK] * 2 and world.position(keys.BACKSTOP).size != 0
    before = [world.account(account).collateral for account in (1, 2)]
    world.wait(100)
    inputs = [world.price(108)]
    vary(world, inputs, {"market 1.scale": 200})  # margins that have risen bind nobody who goes
    assert world.run(*inputs) == [OK]
    paid = [world.account(account).collateral - money for account, money in zip((1, 2), before, strict=True)]
    assert 0 <= paid[0] <= 1 < 45_000 < paid[1]
    assert 0 < world.account(2).shares < 49_000 << 10 and world.account(1).shares >= 999 << 10
    # A crank at which one is due: first the backstop offers what it holds.
    assert world.run(world.backstop_deposit(1, 10), world.backstop_withdraw(1, 1)) == [OK, "request_pending"]
    world.wait(100)
    offers = world.took("unwind")
    assert world.run(records.encode_crank(1)) == [OK]
    kinds = [taken.kind for taken in world.steps[-20:]]
    assert world.took("unwind") > offers and kinds.index("unwind") < kinds.index("shares")


def play_requests_and_the_end(world: JudgedWorld) -> None:
    """Shares that are void when their request is due; and a wind-down, in which all requests are. (What the shares were
    worth is taken by hand.)"""
    world.begin(money=10**5)
    assert world.run(world.backstop_deposit(1, 1_000)) == [OK]
    world.machine.regs.backstop_delay = 100
    asked = [world.backstop_deposit(2, 1_000), world.backstop_withdraw(1, 400 << 10)]
    assert world.run(*asked) == [OK, OK]
    world.machine.state.account(keys.BACKSTOP).collateral = 0
    world.machine.state.commit()
    world.wait(100)
    assert world.run(records.encode_crank(0)) == [OK]
    assert (world.account(1).collateral, world.account(1).shares) == (99_000, 600 << 10)
    assert world.account(keys.BACKSTOP).generation == world.account(2).generation == 1
    assert world.run(world.backstop_deposit(1, 100)) == [OK]
    world.wait(100)
    assert world.run(records.encode_crank(0)) == [OK]
    assert (world.account(1).generation, world.account(1).shares) == (1, 100 << 10)
    assert world.run(world.backstop_deposit(3, 700), world.backstop_withdraw(2, 1_000 << 10)) == [OK, OK]
    assert world.batch([records.encode(records.WindDownBody())], []) == [OK]
    assert world.run(world.backstop_deposit(4, 1), world.backstop_withdraw(1, 100 << 10)) == ["winding_down", OK]
    assert world.account(3).collateral == 10**5 and world.account(2).collateral > 99_990
    assert world.account(keys.BACKSTOP).shares == 0


def play_large_takeover(world: JudgedWorld) -> None:
    """So many lots that it could bear more than it may take at once: all but one of 2**40 at most. (A position of a
    thousand orders is one of a single order made larger by hand.)"""
    world.begin(money=10**14, mark=100, maintenance_margin=50_000, close_out=49_000, taker_fee=0, maker_fee=0)
    world.trade(1, 2, 100, 2**30)
    state = world.machine.state
    for account in (1, 2):
        held = state.account(account)
        held.collateral += held.positions[0].size * 100
        held.positions[0].size *= 2**12
        held.positions[0].cost *= 2**12
        held.collateral -= held.positions[0].size * 100
    state.market(1).open_interest *= 2**12
    state.account(2).collateral += 22 * 2**42 + 10**11 - 10**14
    state.account(3).collateral -= 22 * 2**42 + 10**11 - 10**14
    state.commit()
    assert world.run(world.backstop_deposit(3, 15 * 10**12)) == [OK]
    assert world.run(world.price(78)) == [OK]
    assert world.position(keys.BACKSTOP).size == 2**40 - 1


SCENES = (
    play_takeover,
    play_large_takeover,
    play_debts,
    play_waiting,
    play_last_offer,
    play_next_offer,
    play_worthless_shares,
    play_dear_shares,
    play_price_of_shares,
    play_price_of_two,
    play_caps,
    play_poor_backstop,
    play_full_backstop,
    play_stale_backstop,
    play_shares,
    play_requests,
    play_requests_and_the_end,
)
