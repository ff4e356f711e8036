"""Accounts under water: slices, takeovers, and who closes against them."""

from tests.support.judge.bench import leave_alone
from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.world import BUY, SELL

from setoff.shared.codec import records
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.deleveraging import get_first_ranked, set_ranked
from setoff.shared.state import keys


def play_slices(world: JudgedWorld) -> None:
    """The book takes a liquidation in slices, until the account is healthy again; its orders are gone first."""
    world.begin(money=1_100, maintenance_margin=50_000, close_out=1)
    rich = world.deposit(3, 10**6)
    world.trade(1, 2, 100, 100)
    orders = [
        world.order(3, BUY, 92, 30),
        world.order(3, BUY, 91, 400, order_slot=1),
        world.order(3, BUY, 50, 400, order_slot=2),
    ]
    assert world.batch([rich], [*orders, world.price(90)]) == [OK] * 5
    assert world.took("liquidated") > 1 and world.took("takeover") == 0
    assert 0 < world.position(2).size < 100


def play_gently(world: JudgedWorld) -> None:
    """A first slice for the book alone, a pause, the rest for all; none in ten minutes after it, nor deep down."""
    world.begin(money=10**6, mark=10_000, maintenance_margin=50_000, close_out=10_000, taker_fee=0, maker_fee=0)
    world.trade(1, 2, 10_000, 900)
    assert world.run(world.withdraw(2, 10_000), world.order(3, BUY, 9_600, 100)) == [OK] * 2
    # At 9,430 it has 477,000 of 424,350, at 9,360 414,000 of 421,200, at least prices 78 below the mark.
    assert world.run(world.price(9_430)) == [OK]
    assert world.position(2).size == 900 and world.account(2).paused_until == 0
    assert (
        world.run(world.cancel(3, 0), world.order(3, BUY, 9_283, 1), world.order(3, BUY, 9_282, 2, order_slot=1))
        == [OK] * 3
    )
    assert world.run(world.price(9_360)) == [OK]
    assert world.position(2).size == 897 and world.took("liquidated") == 0
    assert world.account(2).paused_until == world.time + phases.LIQUIDATION_PAUSE
    assert world.account(keys.BACKSTOP).collateral == 0  # 78 a lot is less than 78 ticks and a fee of 77.35
    stop = world.order(2, SELL, 9_500, 10, order_slot=7, flags=records.REDUCE_ONLY)
    world.wait(phases.LIQUIDATION_PAUSE - 3)
    assert world.run(stop, world.price(9_360)) == [OK] * 2
    assert world.position(2).size == 897 and world.account(2).orders
    world.wait(1)
    assert world.run(world.order(3, BUY, 9_360, 3, order_slot=5), world.price(9_360)) == [OK] * 2
    assert world.account(2).orders == 0 and world.took("deleverage") > 0
    assert world.account(keys.BACKSTOP).collateral > 0
    held, first = world.position(2).size, world.account(2).paused_until
    # It is short again within the ten minutes: no pause; after them another; and deep below none.
    for seconds, price, is_paused in ((500, 9_225, False), (200, 9_090, True)):
        world.wait(seconds)
        assert world.run(world.price(price)) == [OK]
        assert (world.position(2).size == held) == is_paused
        assert (world.account(2).paused_until > first) == is_paused
        held = world.position(2).size
    assert world.run(world.price(8_900)) == [OK]
    assert world.position(2).size < held


def play_premium(world: JudgedWorld) -> None:
    """What the mark is better than the index comes off the least price as well. (The index is set by hand.)"""
    world.begin(money=10**5, maintenance_margin=50_000)
    world.trade(1, 2, 100, 9_000)

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if machine.regs.phase == phases.SWEEP:
            machine.state.market(1).index = 91
            machine.state.commit()

    world.bench.meddle = meddle
    assert world.run(world.order(4, BUY, 91, 100), world.price(93)) == [OK, OK]
    world.bench.meddle = leave_alone
    assert world.position(4).size == 100


def play_shorts(world: JudgedWorld) -> None:
    """A short that the price runs away from: slices, the backstop's takeover, and how it buys its own way out."""
    world.begin(money=95_000, maintenance_margin=50_000, close_out=40_000)
    world.trade(1, 2, 100, 9_000)
    asks = [world.order(3, SELL, 107, 300), world.order(3, SELL, 109, 300, order_slot=1)]
    assert world.run(world.backstop_deposit(4, 90_000), *asks, world.price(106)) == [OK] * 4
    assert world.took("liquidated") > 1 and -9_000 < world.position(1).size < 0
    assert world.run(world.price(108)) == [OK]
    assert world.took("takeover") > 0 and world.position(1).size == 0
    held = world.position(keys.BACKSTOP).size
    assert held < 0
    world.wait(60)
    asks = [world.order(3, SELL, 108, 300, order_slot=2), records.encode_crank(1)]
    assert world.run(*asks) == [OK] * 2
    assert held < world.position(keys.BACKSTOP).size < 0
    # The price gone on, the backstop itself is closed against those who won.
    assert world.run(world.price(160)) == [OK]
    assert world.took("deleverage") > 0 and world.position(keys.BACKSTOP).size == 0


def play_two_positions(world: JudgedWorld) -> None:
    """Of two positions the one that needs more margin goes first, wherever it is kept."""
    world.begin(money=10**5, maintenance_margin=50_000, markets=2)
    world.trade(1, 2, 100, 6_000)
    world.trade(1, 2, 100, 3_000, order_slot=1, market=2)
    assert world.run(world.backstop_deposit(4, 90_000)) + world.press(88) == [OK] * 3
    taken = [step.before.market for step in world.steps if step.kind == "takeover"]
    assert taken and taken[0] == 1


def play_old_price(world: JudgedWorld) -> None:
    """A position whose market has no fresh price stays, though it needs the most margin: another goes."""
    world.begin(money=10**5, maintenance_margin=50_000, markets=2, max_age=60)
    world.trade(1, 2, 100, 6_000)
    world.trade(1, 2, 100, 3_000, order_slot=1, market=2)
    world.wait(100)
    assert world.run(world.backstop_deposit(4, 90_000)) + world.press(80, 2) == [OK] * 3
    taken = {step.before.market for step in world.steps if step.kind == "takeover"}
    assert taken == {2} and world.position(2).size == 6_000


def play_other_side(world: JudgedWorld) -> None:
    """A ranking that is left from closing the other side of a market is not used."""
    world.begin(money=10**5, maintenance_margin=50_000)
    world.trade(1, 2, 100, 7_900)

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        regs = machine.regs
        if regs.phase == phases.TAKEOVER:
            regs.rank_market, regs.rank_side, regs.ranked0 = regs.market, 1 - regs.side, 1

    world.bench.meddle = meddle
    assert world.press(91) == [OK] * 2
    assert world.took("rank") > 0 and world.took("deleverage") > 0
    world.bench.meddle = leave_alone


def play_small_winners(world: JudgedWorld) -> None:
    """Whoever is ranked first closes all it has, which is less than is to be closed; then the next one."""
    world.begin(money=10**5, maintenance_margin=50_000)
    world.trade(1, 2, 100, 7_900)
    world.trade(3, 2, 100, 100, order_slot=1)
    assert world.run(world.withdraw(3, 99_000)) + world.press(91) == [OK] * 3
    assert world.took("deleverage") > 1 and world.position(3).size == 0


def play_insurance(world: JudgedWorld) -> None:
    """What an account owes more than it has is first drawn from the insurance fund; then others close against it."""
    world.begin(money=1_100)
    world.trade(1, 2, 100, 100)
    funded = world.market().insurance
    assert world.run(world.price(60)) == [OK]
    assert world.market().insurance == 0 < funded
    assert world.took("deleverage") == 1 and world.position(2).size == world.position(1).size == 0


def play_return(world: JudgedWorld) -> None:
    """Insurance pays for no change by an index that comes back after long, the last of which is not cut."""
    world.begin(money=1_100, max_age=600, step_band=200_000)
    world.trade(1, 2, 100, 100)
    funded = world.market().insurance
    world.wait(600 + phases.HALT_TIME - 1)
    assert world.run(world.price(100)) == [OK] and world.market().index_flags == 0
    back, cut = phases.INDEX_RETURNING, phases.INDEX_CUT
    late = 600 + phases.HALT_TIME
    for price, seconds, flags in (
        (60, late, back | cut),
        (60, 60, back | cut),
        (60, 60, back),
        (60, 60, 0),
        (10, 60, cut),
    ):
        world.wait(seconds)
        assert world.run(world.price(price)) == [OK]
        assert world.market().index_flags == flags
    assert world.market().insurance >= funded > 0
    assert world.took("deleverage") == 1 and world.position(2).size == world.position(1).size == 0


def play_debts(world: JudgedWorld) -> None:
    """A debt closes between the mark before and the mark: what insurance leaves of it, by those who can bear it.

    (What the accounts are worth is set by hand.)
    """
    world.begin(money=10**5, maintenance_margin=1_000, markets=2, unit=10)
    assert world.batch([world.deposit(5, 10**5)], []) == [OK]
    for buyer, seller, market, size in ((1, 2, 1, 400), (1, 3, 2, 400), (4, 2, 2, 400), (1, 5, 2, 100)):
        world.trade(seller, buyer, 100, size, market=market, order_slot=market)
    assert world.run(world.price(98)) == [OK]
    state = world.machine.state

    def set_equity(account: int, equity: int, marks: tuple[int, int]) -> None:
        worth = sum(world.position(account, market).size * mark * 10 for market, mark in enumerate(marks, 1))
        change = equity - worth - world.account(account).collateral
        state.account(account).collateral += change
        state.account(2).collateral -= change
        state.commit()

    set_equity(1, -14_100, (98, 97))
    set_equity(3, 5_000, (98, 97))
    set_equity(5, -2_000, (98, 97))
    world.machine.regs.owed += 5_000 - world.market(2).insurance
    state.market(2).insurance = 5_000
    state.commit()
    # It lost 15,000, of which insurance pays 5,000: two ticks a lot are left. Account 5, below zero already, gives them
    # back; account 3 can bear one.
    assert world.run(world.price(97, 2)) == [OK]
    assert world.position(1, 1).size == world.position(1, 2).size == world.market(2).insurance == 0
    assert [world.account(account).collateral for account in (1, 3, 5)] == [-3_100, 1_000, -4_000]
    set_equity(4, -10_000, (98, 99))
    # What has gained waits for the next price, which need not be another one.
    assert world.run(world.price(99, 2)) == [OK]
    assert world.position(4, 2).size == 400
    assert world.run(world.price(99, 2)) == [OK]
    assert world.position(4, 2).size == 0 and world.account(4).collateral == -10_000


def play_late_sweep(world: JudgedWorld) -> None:
    """What was fresh when a sweep began is so until it ends, however many batches that takes."""
    world.begin(money=10_000, maintenance_margin=50_000, max_age=60)
    world.trade(1, 2, 100, 900)

    def stop(machine: Machine, input_index: int, micro: int) -> None:
        if micro and machine.regs.phase == phases.WORK:
            machine.regs.steps += phases.WORK_LIMIT

    world.bench.meddle = stop
    assert world.run(world.price(91)) == [OK]
    assert world.machine.regs.has_work == 1
    world.bench.meddle = leave_alone
    world.wait(120)
    assert world.run(records.encode_crank(1)) == [OK]
    assert world.position(2).size < 900


def play_crowd(world: JudgedWorld) -> None:
    """More on the other side than a ranking keeps; who is left serves the next, or is gone when its turn comes."""
    world.begin(money=10**6, maintenance_margin=50_000, close_out=49_999)
    crowd = range(5, 17)
    deposits = [world.deposit(account, 10**5 + account) for account in crowd]
    assert set(world.batch(deposits, [])) == {OK}
    for account in crowd:
        world.trade(account, 1 if account % 2 else 2, 100, 100 * ((5 * account + 4) % 12 + 1))
    world.trade(5, 3, 100, 100, order_slot=1)
    spare = {account: world.account(account).collateral + world.position(account).size * 95 - 100 for account in (1, 2)}
    state = world.machine.state
    for account, money in spare.items():
        state.account(account).collateral -= money
        state.account(3).collateral += money
    state.commit()
    meddled = []

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        regs = machine.regs
        if regs.phase == phases.DELEVERAGE and regs.account == 2 and len(meddled) < 2:
            # As if the next had flipped: it is on the same side by now, or the account itself.
            meddled.append((3, 2)[len(meddled)])
            regs.ranked0 += get_first_ranked(regs) - meddled[-1]

    world.bench.meddle = meddle
    assert world.run(world.price(95)) == [OK]
    assert world.took("deleverage") > 12 and world.position(1).size == world.position(2).size == 0
    world.bench.meddle = leave_alone


def play_losers(world: JudgedWorld) -> None:
    """Where nobody on the other side has gained anything, those close who have lost least; and where nobody is left on
    it (which no trace leads to) the account stays as it is."""
    world.begin(money=10**5, maintenance_margin=50_000)
    world.trade(2, 1, 100, 1_000)
    assert world.run(world.price(120)) == [OK]
    # 1 sells what it bought at 100 to 3, at 120: at 110 both 2 (short from 100) and 3 have lost.
    out = world.withdraw(3, 86_000)
    assert world.run(out, world.order(3, BUY, 120, 1_000), world.order(1, SELL, 120, 1_000, order_slot=1)) == [OK] * 3
    assert world.press(110) == [OK] * 2
    entries = [taken.before.ranked0 for taken in world.steps if taken.kind == "deleverage"]
    assert entries and max(entries) // phases.RANK_ACCOUNTS <= phases.SCORE_ONE
    world.trade(2, 4, 110, 7_000, order_slot=3)

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if machine.regs.phase == phases.GATHER and machine.regs.ranking:
            set_ranked(machine.regs, [0] * phases.RANKED)

    world.bench.meddle = meddle
    last = world.deposit(9, 1)
    assert world.batch([last], [world.price(100)]) == [OK, OK]
    assert any(taken.after.skip_account for taken in world.steps)
    world.bench.meddle = leave_alone


def play_owed(world: JudgedWorld) -> None:
    """Nobody takes out more than is owed to all: with an old price a debt may stand, and a gain beside it."""
    world.begin(money=1_100, margin_ppm=10_000)
    assert world.run(world.withdraw(3, 1_100), world.withdraw(4, 1_000)) == [OK, OK]

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if micro == 0:
            machine.regs.owed = 10

    world.bench.meddle = meddle
    assert world.run(world.withdraw(4, 11), world.withdraw(4, 10)) == ["withdrawals_limited", OK]
    world.bench.meddle = leave_alone


SCENES = (
    play_slices,
    play_gently,
    play_premium,
    play_shorts,
    play_two_positions,
    play_old_price,
    play_other_side,
    play_small_winners,
    play_insurance,
    play_return,
    play_debts,
    play_late_sweep,
    play_crowd,
    play_losers,
    play_owed,
)
