"""An index that was cut, or old, or comes back after long: what waits for the price that everybody knows."""

from tests.support.judge.bench import leave_alone
from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.world import BUY, REDUCE_ONLY, SELL

from setoff.shared.codec import records
from setoff.shared.codec.records import stamp_message
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state import keys

CRANK = records.encode_crank(1)
CUT, RETURNING = phases.INDEX_CUT, phases.INDEX_RETURNING


def play_cut(world: JudgedWorld) -> None:
    """At a mark that was cut nobody is liquidated, no stop fires, no money leaves a position; with the next all do."""
    world.begin(money=10**5, maintenance_margin=50_000, close_out=30_000, step_band=100_000)
    world.trade(1, 2, 100, 9_000)
    stop = world.order(3, SELL, 90, 5, flags=records.BELOW, trigger=95)
    assert world.run(world.backstop_deposit(4, 90_000), stop) == [OK, OK]
    world.wait(60)
    assert world.run(world.price(80), CRANK, world.withdraw(1, 1)) == [OK, "stale_price", "stale_price"]
    assert (world.market().mark, world.market().index_flags) == (90, CUT)
    assert world.position(2).size == 9_000 and world.took("fire") == 0
    world.wait(60)
    assert world.run(world.price(89), world.withdraw(1, 1)) == [OK, OK]
    assert world.market().index_flags == RETURNING and world.took("takeover") == world.took("fire") == 1


def play_debt_at_a_cut(world: JudgedWorld) -> None:
    """A debt at a mark that was cut is closed at once, with what insurance pays; the backstop takes no part in it."""
    world.begin(money=10**5, margin_ppm=50_000, close_out=30_000, step_band=100_000)
    world.trade(1, 2, 100, 15_000)
    assert world.run(world.backstop_deposit(4, 90_000)) == [OK]
    insure(world, 60_000)
    world.wait(60)
    assert world.run(world.price(80)) == [OK]
    assert world.took("takeover") == world.took("deleverage") == 1 and world.position(2).size == 0


def play_late_takeover(world: JudgedWorld) -> None:
    """What was fresh when a sweep began is so for the backstop, and for stops, however many batches it takes."""
    world.begin(money=10**5, maintenance_margin=50_000, close_out=30_000, max_age=60)
    world.trade(1, 2, 100, 9_000)
    stop = world.order(3, SELL, 90, 5, flags=records.BELOW, trigger=95)
    assert world.run(world.backstop_deposit(4, 90_000), stop) == [OK, OK]

    def pause(machine: Machine, input_index: int, micro: int) -> None:
        if micro and machine.regs.phase == phases.WORK:
            machine.regs.steps += phases.WORK_LIMIT

    world.bench.meddle = pause
    assert world.run(world.price(91)) == [OK]
    world.bench.meddle = leave_alone
    world.wait(120)
    assert world.run(CRANK) == [OK]
    assert world.took("takeover") == world.took("fire") == 1 and world.took("deleverage") == 0


def play_insured(world: JudgedWorld) -> None:
    """Insurance pays for who had its maintenance margin before the change, to the unit; not for who had less."""
    world.begin(money=10**5, margin_ppm=50_000, close_out=30_000)
    world.trade(1, 2, 100, 1_000)
    world.trade(1, 3, 100, 1_000, order_slot=1)
    insure(world, 60_000)
    state = world.machine.state
    for account, lacking in ((2, 0), (3, 1)):
        needed = 1_000 * 90 * 50_000 // 10**6
        spare = world.account(account).collateral + 100 * 1_000 - needed + lacking
        state.account(account).collateral -= spare
        state.account(4).collateral += spare
    state.commit()
    assert world.run(world.price(90)) == [OK]
    assert world.market().insurance == 60_000 - (10_000 - 4_500)


def play_settled_at_a_cut(world: JudgedWorld) -> None:
    """A dated future whose last index was cut: at its settlement nothing is behind, and insurance pays nothing."""
    end = world.time + 3_000
    world.begin(money=10**5, expiry=end, max_age=60, step_band=100_000)
    world.trade(1, 2, 100, 10)
    world.time = end - 500
    assert world.run(world.price(60)) == [OK]
    assert world.market().index_flags == CUT | RETURNING
    world.time = end
    assert world.run(CRANK) == [OK]
    assert world.market().index_flags == RETURNING and world.market().settled == 0
    world.wait(60)
    assert world.run(CRANK) == [OK] and world.market().settled == 1


def play_call_at_a_cut(world: JudgedWorld) -> None:
    """A call collects orders while its index is young, cut or not; once it is over they need a fresh one.

    Whoever holds something arms nothing meanwhile, and no depth is measured.
    """
    world.begin(money=10**6, mark=1_000, step_band=10_000, call_minutes=3, max_age=200)
    world.wait(180)
    world.trade(1, 2, 1_000, 10)
    assert world.run(world.price(1_100, age=50)) == [OK]
    assert world.market().index_flags == CUT
    world.wait(60)
    stop = world.order(2, BUY, 1_050, 1, flags=records.ABOVE, trigger=1_040, order_slot=5)
    rest = world.order(2, BUY, 1_000, 1, order_slot=1), world.order(4, SELL, 990, 1, order_slot=1)
    assert world.run(CRANK, stop, *rest) == ["stale_price", "stale_price", OK, OK]
    world.wait(90)
    assert world.run(world.order(3, BUY, 900, 1)) == [OK]
    world.wait(1)
    assert world.run(world.order(3, BUY, 900, 1, order_slot=1)) == ["stale_price"]
    assert world.run(world.price(1_100)) == [OK]
    world.wait(180)
    late = world.order(3, BUY, 900, 1, order_slot=1)
    assert world.run(late, world.order(4, SELL, 1_050, 1)) == ["stale_price"] * 2
    assert world.run(world.price(1_020), CRANK, world.order(3, BUY, 900, 1, order_slot=1)) == [OK, OK, OK]
    assert world.resting(2, 1).market == 0


def play_old_reports(world: JudgedWorld) -> None:
    """After an index that was older than max_age when it was taken the next one returns.

    What waited is judged by the price beside it, however old that is by now, but for one that is cut.
    """
    world.begin(money=10**6, max_age=60, step_band=100_000)
    world.trade(1, 2, 100, 10)

    def take(price: int, age: int, *others: bytes) -> list[str]:
        queued = world.time + 10
        world.time = queued + age
        report = stamp_message(world.report(0, price, time=queued), queued)
        return world.batch([report, *(stamp_message(world.force(1, body), queued) for body in others)])

    found = []
    for price, age in ((99, 60), (98, 61), (97, 61), (96, 60), (95, 60)):
        assert take(price, age) == [OK]
        found.append(world.market().index_flags)
    assert found == [0, 0, RETURNING, RETURNING, 0]
    assert take(94, 100, world.withdraw(1, 1)) == [OK, OK]
    assert take(50, 100, world.withdraw(1, 1)) == [OK, "stale_price"]


def play_lagging_signer(world: JudgedWorld) -> None:
    """A report that is old when it is taken makes no old index beside one that is not."""
    world.begin(money=10**6, max_age=30)
    assert world.batch([world.set_signer(1, 1, 60)]) == [OK]
    world.wait(100)
    assert world.run(world.price(100), world.report(1, 100, time=world.time - 40)) == [OK, OK]
    assert world.market().index_time == world.time
    world.wait(60)
    assert world.run(world.price(100)) == [OK]
    assert world.market().index_flags == 0


def play_uninsured(world: JudgedWorld) -> None:
    """The first price that is not cut any more, and the way to a settlement, are not insured for whoever was sound."""
    end = world.time + 1_000
    world.begin(money=10**5, markets=2, margin_ppm=50_000, step_band=100_000, expiry=end)
    world.trade(1, 2, 100, 1_000)
    world.trade(1, 3, 100, 1_000, order_slot=1, market=2)
    for market in (1, 2):
        insure(world, 60_000, market)

    def leave(account: int, equity: int) -> None:
        worth = sum(world.position(account, market).size * world.market(market).mark for market in (1, 2))
        spare = world.account(account).collateral + worth - equity
        state = world.machine.state
        state.account(account).collateral -= spare
        state.account(4).collateral += spare
        state.commit()

    world.wait(60)
    assert world.run(world.price(80)) == [OK]
    leave(2, 5_000)
    world.wait(60)
    assert world.run(world.price(81)) == [OK]
    assert world.position(2).size == 0
    assert world.market().index_flags == RETURNING and world.market().insurance >= 60_000
    world.time = end - 5
    assert world.run(world.price(100), world.price(92, 2)) == [OK, OK]
    leave(1, 6_000)
    world.time = end
    assert world.run(records.encode_crank(2)) == [OK]
    assert world.market(2).index_flags == RETURNING and world.market(2).mark > 98
    assert world.position(1, 2).size == 0 and world.market(2).insurance >= 60_000


def play_ahead(world: JudgedWorld) -> None:
    """How long an index was away goes by the later of the batch's time and the report's own."""
    world.begin(money=10**6, max_age=100)
    for ahead, flags in ((50, 0), (51, RETURNING)):
        world.time = world.market().index_time + 100 + phases.HALT_TIME - 50
        assert world.run(world.report(0, 100, time=world.time + ahead)) == [OK]
        assert world.market().index_flags == flags
        world.wait(100)
        assert world.run(world.price(100)) == [OK]
        assert world.market().index_flags == 0


def play_beside_an_old_price(world: JudgedWorld) -> None:
    """Who holds a position whose price is old opens none anywhere; it closes, and orders alone are no position."""
    world.begin(money=10**6, markets=3, max_age=60)
    world.trade(1, 2, 100, 10)
    world.trade(1, 2, 100, 10, market=2, order_slot=1)
    assert world.run(world.order(3, BUY, 90, 5, market=2, order_slot=2)) == [OK]
    stop = world.order(2, BUY, 110, 1, flags=records.ABOVE, trigger=101, order_slot=7, market=3)
    assert world.run(stop) == [OK]
    forced = stamp_message(world.force(2, world.order(2, BUY, 90, 1, order_slot=8, market=3)), world.time)
    world.wait(61)
    assert world.run(world.price(100), world.price(100, 3)) == [OK, OK]
    opening = [world.order(2, BUY, 90, 1, order_slot=3, market=market) for market in (1, 3)]
    closing = [
        world.order(2, SELL, 110, 8, order_slot=4),
        world.order(2, SELL, 110, 9, order_slot=5, flags=REDUCE_ONLY),
    ]
    more = world.order(2, SELL, 110, 3, order_slot=6)
    assert world.run(*opening, *closing, more, world.order(3, BUY, 90, 5, order_slot=3)) == [
        "stale_price",
        "stale_price",
        OK,
        OK,
        "stale_price",
        OK,
    ]
    assert world.batch([forced], [world.price(101, 3)]) == ["stale_price", OK]
    assert world.resting(2, 7).market == world.position(2, 3).size == 0
    assert world.run(world.price(100, 2), world.order(2, BUY, 90, 1, order_slot=3)) == [OK, OK]


def play_late_offer(world: JudgedWorld) -> None:
    """Work that waits until its price is old makes no offer of the backstop's."""
    world.begin(money=10**5, maintenance_margin=50_000, max_age=60)
    world.trade(1, 2, 100, 9_000)
    assert world.run(world.backstop_deposit(4, 90_000), world.price(91)) == [OK, OK]
    assert world.run(world.order(3, BUY, 91, 9_000)) == [OK]

    def pause(machine: Machine, input_index: int, micro: int) -> None:
        if micro and machine.regs.phase == phases.WORK and machine.regs.trigger_market == 0:
            machine.regs.steps += phases.WORK_LIMIT

    world.wait(59)
    world.bench.meddle = pause
    assert world.run(CRANK) == [OK]
    assert world.machine.regs.has_work == 1 and world.machine.regs.unwind == 1
    world.bench.meddle = leave_alone
    held = world.position(keys.BACKSTOP).size
    assert held > 0
    world.wait(2)
    assert world.run(CRANK) == [OK]
    assert world.position(keys.BACKSTOP).size == held


def insure(world: JudgedWorld, amount: int, market_id: int = 1) -> None:
    """Fill the insurance, by hand."""
    market = world.machine.state.market(market_id)
    world.machine.regs.owed += amount - market.insurance
    market.insurance = amount
    market.revenue = 0
    world.machine.state.commit()


SCENES = (
    play_cut,
    play_debt_at_a_cut,
    play_late_takeover,
    play_late_offer,
    play_insured,
    play_settled_at_a_cut,
    play_call_at_a_cut,
    play_old_reports,
    play_lagging_signer,
    play_uninsured,
    play_ahead,
    play_beside_an_old_price,
)
