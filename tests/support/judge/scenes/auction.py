"""Calls and their auctions: who rests, who waits, one price, and everybody who cannot trade at it."""

from tests.support.judge.bench import leave_alone
from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.machines.world import BELOW, BUY, FOK, IOC, POST_ONLY, REDUCE_ONLY, SELL, sub

from setoff.shared.codec import records
from setoff.shared.codec.records import Leg
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases

CRANK = records.encode_crank(1)


def begin(world: JudgedWorld, **fields: int) -> None:
    """A market at 1,000 that has just got its first index, and so collects orders for a minute."""
    world.begin(**{"money": 10**7, "mark": 1_000, "call_minutes": 1, "taker_fee": 0, "maker_fee": 0, **fields})
    assert world.market().halted_until > world.time


def rest(world: JudgedWorld, *orders: tuple[int, int, int, int]) -> None:
    """Orders (account, side, price, size) in slots 0, 1, …"""
    inputs = [world.order(*order, order_slot=slot) for slot, order in enumerate(orders)]
    assert set(world.run(*inputs)) == {OK}


def hold(world: JudgedWorld) -> None:
    """The call ends, and a crank holds the auction."""
    world.wait(60)
    assert world.run(CRANK) == [OK]
    market = world.market()
    assert not market.best_bid or not market.best_ask or market.best_bid < market.best_ask
    assert not world.machine.regs.clearing


def play_call(world: JudgedWorld) -> None:
    """Orders rest where they cross, or are refused where they cannot rest; no stop, no sample, no offer."""
    begin(world, order_margin=1)
    rest(world, (1, BUY, 1_020, 5), (2, SELL, 980, 3), (3, SELL, 1_000, 4))
    hasty = [world.order(4, BUY, 1_020, 1, flags=flags) for flags in (IOC, FOK)]
    assert world.run(*hasty) == ["halted", "halted"]
    patient = [world.order(4, SELL, 990, 1, flags=POST_ONLY, order_slot=7), world.amend(3, 2, 990, 4)]
    assert world.run(*patient) == [OK, OK]
    assert world.run(CRANK, CRANK) == [OK, "not_due"]
    assert world.market().basis0 == 0
    hold(world)
    assert world.position(1).size == 5
    assert world.run(CRANK) == [OK]
    # Outside of a call all is as ever.
    assert world.run(world.order(4, BUY, 990, 1, flags=IOC, order_slot=8)) == [OK]


def play_plain_halt(world: JudgedWorld) -> None:
    """A market without calls goes on closing while it is halted."""
    world.begin(money=10**7, mark=1_000, step_band=10_000)
    world.trade(2, 1, 1_000, 5)
    assert world.run(world.price(1_100)) == [OK]
    closing = [world.order(1, SELL, 1_000, 5, flags=REDUCE_ONLY), world.order(2, BUY, 1_000, 5, flags=REDUCE_ONLY)]
    assert world.run(*closing) == [OK, OK]
    assert world.position(1).size == 0


def play_prices(world: JudgedWorld) -> None:
    """The surplus on either side, or on none; bids that end before the asks, and asks before the bids; all of it on one
    side of the index."""
    begin(world)
    books = (
        [(1, BUY, 1_020, 9), (2, SELL, 980, 3)],
        [(1, BUY, 1_020, 3), (2, SELL, 980, 9), (2, SELL, 990, 1)],
        [(1, BUY, 1_020, 3), (2, SELL, 980, 3), (3, BUY, 1_010, 1), (4, SELL, 1_015, 1)],
        [(1, BUY, 1_020, 3), (2, SELL, 1_010, 3)],
        [(1, BUY, 990, 3), (2, SELL, 980, 3), (3, SELL, 985, 1), (3, SELL, 995, 1)],
        [(1, BUY, 1_020, 2), (3, BUY, 1_020, 2), (4, BUY, 1_001, 3), (2, SELL, 990, 4), (2, SELL, 1_002, 4)],
        [(1, BUY, 990, 9), (2, SELL, 980, 3)],
        [(1, BUY, 1_020, 3), (2, SELL, 1_010, 9)],
    )
    prices = (1_020, 980, 1_011, 1_010, 984, 1_001, 990, 1_010)
    for number, (book, price) in enumerate(zip(books, prices, strict=True)):
        before = world.machine.state.account(1).collateral
        rest(world, *book)
        hold(world)
        size = sum(order[3] for order in book if order[0] == 1)
        left = sum(world.resting(1, slot).size for slot in range(8))
        spent = before - world.machine.state.account(1).collateral
        assert spent == price * (size - left), number
        world.time += 1
        reports = [world.price(1_200 if number % 2 == 0 else 1_000)]
        cancels = [world.cancel_all(account) for account in (1, 2, 3, 4)]
        assert set(world.run(*cancels, *reports)) == {OK}
        halt(world)


def halt(world: JudgedWorld) -> None:
    """A call by hand, at an index of 1,000."""
    market = world.machine.state.market(1)
    market.halted_until = world.time + 60
    market.index = market.mark = market.anchor = market.mark_anchor = 1_000
    world.machine.state.commit()


def play_waiting(world: JudgedWorld) -> None:
    """An order after the end waits for the auction, alone, in a bulk and as an amend; on a stale index it does not."""
    begin(world, max_age=100)
    rest(world, (1, BUY, 1_020, 5), (2, SELL, 980, 5))
    world.wait(60)
    # One that is only armed does not enter the book.
    assert world.run(world.order(4, SELL, 800, 1, flags=BELOW, trigger=850, order_slot=9)) == [OK]
    assert world.position(1).size == 0
    assert world.run(world.order(3, BUY, 1_000, 5, flags=IOC)) == [OK]
    assert world.position(3).size == 0 and world.position(1).size == 5
    halt(world)
    rest(world, (1, BUY, 1_020, 5), (2, SELL, 980, 5), (4, BUY, 900, 1))
    world.wait(60)
    assert world.run(world.amend(4, 2, 901, 2)) == ["stale_price"]
    assert world.run(world.order(4, BUY, 901, 2, order_slot=3)) == ["stale_price"]
    assert world.run(CRANK) == ["stale_price"]
    assert world.run(world.order(1, SELL, 1_030, 2, order_slot=3)) == [OK]
    assert world.run(world.order(1, SELL, 970, 2, flags=IOC, order_slot=4)) == ["halted"]
    world.time += 1
    assert world.run(world.price(1_000)) == [OK]
    legs = [Leg(records.SELL_LEG, 1, 9, 1_030, 1), Leg(records.CANCEL_LEG, 1, 9, 0, 0)]
    assert set(world.run(*world.bulk(3, legs))) == {OK}
    assert world.position(1).size == 10
    # An oracle that comes back after long opens with a call.
    world.wait(100 + phases.HALT_TIME + 1)
    assert world.run(world.price(1_000)) == [OK]
    end = world.time + 60
    rest(world, (1, BUY, 1_020, 5), (2, SELL, 980, 5))
    world.wait(30)
    assert world.run(world.price(1_000)) == [OK]
    assert world.market().halted_until == end
    world.wait(30)
    assert world.run(world.amend(2, 1, 975, 4)) == [OK]
    assert world.position(1).size == 14


def play_halt(world: JudgedWorld) -> None:
    """A jump of the index begins a call: who is below maintenance waits, who is at close-out does not; stops wait."""
    begin(world, step_band=100_000, maintenance_margin=60_000, close_out=30_000, markets=2, impact=1)
    world.wait(60)
    assert world.run(world.backstop_deposit(4, 5 * 10**6)) == [OK]
    world.trade(2, 3, 1_000, 100)
    world.trade(1, 4, 1_000, 100)
    stop = world.order(2, BUY, 950, 5, flags=REDUCE_ONLY | BELOW, trigger=950, order_slot=5)
    assert world.run(stop) == [OK]
    # At 900 this is 5 % and 1 % of the position.
    move(world, 3, world.machine.state.account(3).collateral + 900 * 100 - 4_500)
    move(world, 4, world.machine.state.account(4).collateral + 900 * 100 - 900)
    assert world.run(world.price(880)) == [OK]
    assert world.market().index == 900 and world.market().halted_until == world.time + 60
    assert (world.position(3).size, world.position(4).size) == (100, 100)  # the index has been cut
    assert world.run(world.price(900)) == [OK]
    assert (world.position(3).size, world.position(4).size) == (100, 0)
    assert world.run(CRANK) == [OK]
    assert world.position(0).size == 100 and world.account(2).orders == 1 << 5
    rest(world, (1, BUY, 920, 50), (2, SELL, 890, 20))
    world.wait(60)
    # Still nobody trades, also the backstop, which is asked by a crank.
    assert world.run(CRANK) == [OK]
    assert world.took("cross") and world.position(0).size == 100
    assert world.run(CRANK) == [OK]
    assert world.position(0).size < 100 and world.position(3).size < 100
    assert world.account(2).orders == 0


def move(world: JudgedWorld, account: int, amount: int) -> None:
    """Money from an account to account 1, by hand."""
    world.machine.state.account(account).collateral -= amount
    world.machine.state.account(1).collateral += amount
    world.machine.state.commit()


def play_pruned(world: JudgedWorld) -> None:
    """Orders that are dead, cannot be paid for, only close, or cannot all be paid for; on both sides."""
    begin(world)
    rest(world, (1, BUY, 1_010, 5), (2, SELL, 990, 5))
    dead = [
        world.order(3, BUY, 1_030, 2, order_slot=1, expiry=world.time + 30),
        world.order(3, BUY, 1_030, 2, order_slot=2),
        world.order(3, SELL, 970, 2, order_slot=3, expiry=world.time + 30),
    ]
    assert set(world.run(*dead)) == {OK}
    poor = [world.order(4, BUY, 1_025, 10, order_slot=slot) for slot in range(3)]
    assert set(world.run(*poor)) == {OK}
    move(world, 4, world.machine.state.account(4).collateral - 1_000)
    hold(world)
    assert world.account(3).orders == 0 and world.account(4).orders == 0
    assert world.position(1).size == 3 and world.position(3).size == 2
    # Each of the orders of one account could be paid for, all of them not: they move no price, and trade in their turn.
    halt(world)
    assert set(world.run(*(world.cancel_all(account) for account in (1, 2, 3)))) == {OK}
    move(world, 4, -1_500)
    many = [world.order(4, BUY, 1_040, 10, order_slot=slot) for slot in range(2)]
    move(world, 4, -10_000)
    assert set(world.run(*many)) == {OK}
    move(world, 4, 10_000)
    rest(world, (1, BUY, 1_010, 5), (2, SELL, 990, 4), (2, SELL, 991, 10))
    before = world.position(2).size
    hold(world)
    assert world.position(4).size == 14 and world.position(2).size == before - 14
    # Only such orders cross.
    halt(world)
    assert set(world.run(*(world.cancel_all(account) for account in (1, 2, 3, 4)))) == {OK}
    move(world, 4, -20_000)
    many = [world.order(4, SELL, 960, 10, order_slot=slot) for slot in range(4)]
    assert set(world.run(*many, world.order(1, BUY, 970, 3))) == {OK}
    move(world, 4, 20_000)
    hold(world)


def play_unsure(world: JudgedWorld) -> None:
    """Accounts that can pay for one of their orders, not for all: none is counted, and what trades is judged again."""
    begin(world)
    both = [world.order(4, BUY, 1_000, 10, order_slot=slot) for slot in range(2)]
    assert set(world.run(*both, world.order(2, SELL, 1_000, 20))) == {OK}
    move(world, 4, world.machine.state.account(4).collateral - 1_500)
    hold(world)
    assert world.position(4).size == 10 and world.account(4).orders == 0
    # The first price lies at an ask that was dead: below the one that is left.
    halt(world)
    assert world.run(world.cancel_all(2)) == [OK]
    move(world, 4, -5_000)
    end = world.time + 30
    dead = [world.order(1, SELL, 1_010, 1, expiry=end), world.order(1, BUY, 1_040, 1, expiry=end, order_slot=1)]
    bids = [world.order(3, BUY, 1_015, 10), world.order(3, BUY, 900, 10, order_slot=1)]
    asks = [world.order(2, SELL, 1_012, 10, order_slot=3), world.order(2, SELL, 1_100, 10, order_slot=4)]
    assert set(world.run(*dead, *bids, *asks)) == {OK}
    move(world, 3, world.machine.state.account(3).collateral - 1_400)
    move(world, 2, world.machine.state.account(2).collateral - 12_400)
    hold(world)
    assert world.position(3).size == 10


def play_closing(world: JudgedWorld) -> None:
    """Reduce-only orders trade no more than they close, whatever they were: the younger or the older of two."""
    begin(world)
    hold(world)
    world.trade(2, 1, 1_000, 5, order_slot=9)
    halt(world)
    closing = [
        world.order(1, SELL, 980, 5, flags=REDUCE_ONLY),
        world.order(3, BUY, 1_010, 8),
        world.order(2, BUY, 1_020, 5, flags=REDUCE_ONLY),
        world.order(4, SELL, 1_000, 8),
    ]
    assert set(world.run(*closing)) == {OK}
    hold(world)
    assert [world.position(account).size for account in (1, 2, 3, 4)] == [0, 0, 8, -8]
    # Two that close one position twice: what is left of the second leaves.
    halt(world)
    twice = [world.order(3, SELL, 980, 8, flags=REDUCE_ONLY, order_slot=slot) for slot in (1, 2)]
    assert set(world.run(*twice, world.order(1, BUY, 1_000, 20), world.order(2, BUY, 1_001, 3))) == {OK}
    hold(world)
    assert world.position(3).size == 0 and world.account(3).orders == 0
    # Half closed by hand: an older order is cut after the younger has been judged.
    halt(world)
    assert world.run(world.cancel_all(1)) == [OK]
    assert world.run(world.order(4, BUY, 1_010, 8, flags=REDUCE_ONLY), world.order(2, SELL, 990, 8)) == [OK, OK]
    for account, lots in ((4, 6), (1, -6)):
        position = next(each for each in world.machine.state.account(account).positions if each.market == 1)
        position.size += lots
    world.machine.state.market(1).open_interest = sum(max(0, world.position(each).size) for each in (1, 2, 3, 4))
    world.machine.state.commit()
    hold(world)


def play_owners(world: JudgedWorld) -> None:
    """Orders of one owner, of one account and of two, lose what they have in common; a fresh account is entered; no
    taker's fee pays for a rebate."""
    begin(world, taker_fee=500, maker_fee=-500)
    own = sub(1)
    assert world.run(world.transfer(1, own, 10**6)) == [OK]
    rest(world, (1, BUY, 1_020, 5), (1, SELL, 980, 3), (own, SELL, 981, 4), (2, SELL, 985, 4), (3, BUY, 1_000, 2))
    hold(world)
    assert [world.position(account).size for account in (1, own, 2, 3)] == [0, -2, 0, 2]
    assert world.account(1).orders == 0


def play_caps(world: JudgedWorld) -> None:
    """The younger of two that would open beyond the cap of open interest leaves."""
    begin(world, max_open_interest=10)
    rest(world, (1, BUY, 1_010, 8), (2, SELL, 990, 8), (3, BUY, 1_005, 5), (4, SELL, 995, 5))
    hold(world)
    assert world.market().open_interest == 8
    halt(world)
    assert set(world.run(*(world.cancel_all(account) for account in (1, 2, 3, 4)))) == {OK}
    rest(world, (2, BUY, 1_010, 8), (1, SELL, 990, 8))
    hold(world)
    assert world.market().open_interest == 0


def play_pauses(world: JudgedWorld) -> None:
    """An input without steps leaves the auction to the next, wherever it is; time may have passed by then."""
    begin(world, max_age=90)
    books = [(1, BUY, 1_010, 8), (2, SELL, 990, 8), (3, BUY, 1_005, 5), (4, SELL, 995, 5)]
    bench = world.bench

    def starve(phase: int) -> None:
        def meddle(machine: Machine, input_index: int, micro: int) -> None:
            if micro and machine.regs.phase == phase and machine.regs.peer == 0:
                machine.regs.steps = machine.regs.started + phases.WORK_LIMIT
                bench.meddle = leave_alone

        bench.meddle = meddle

    rest(world, *books)
    world.wait(60)
    for phase in (phases.TALLY, phases.PAIR):
        starve(phase)
        assert world.run(CRANK) == [OK]
        assert world.machine.regs.has_work
    assert world.run(CRANK) == [OK]
    assert world.market().open_interest == 13
    # An order that waits behind it has no outcome any more; and on a stale index nothing goes on.
    halt(world)
    rest(world, *books)
    world.time += 1
    assert world.run(world.price(1_000)) == [OK]
    world.wait(60)
    starve(phases.PAIR)
    assert world.run(world.order(1, BUY, 900, 1, order_slot=7)) == [OK]
    assert world.run(world.order(1, BUY, 900, 1, order_slot=8)) == ["busy"]
    assert world.account(1).orders >> 7 == 1
    world.time += 1
    assert world.run(world.price(1_000)) == [OK]
    halt(world)
    rest(world, *((account, side, price, size) for account, side, price, size in books[2:]))
    world.wait(60)
    starve(phases.PAIR)
    assert world.run(CRANK) == [OK]
    world.wait(90)
    assert world.run(CRANK) == [OK]
    assert not world.machine.regs.has_work and world.market().best_bid >= world.market().best_ask


def play_ends(world: JudgedWorld) -> None:
    """A dated future that expires in its call, and a wind-down: nobody trades any more."""
    end = world.time + 50
    begin(world, expiry=end)
    rest(world, (1, BUY, 1_010, 8), (2, SELL, 990, 8))
    world.wait(60)
    assert world.run(world.order(3, BUY, 900, 1)) == ["market_expired"]
    assert world.run(CRANK) == [OK]
    assert world.market().settled == 1 and world.position(1).size == 0


def play_winding(world: JudgedWorld) -> None:
    """The exchange ends while an auction is due."""
    begin(world)
    rest(world, (1, BUY, 1_010, 8), (2, SELL, 990, 8))
    world.wait(60)
    assert world.batch([records.encode(records.WindDownBody())], [CRANK]) == [OK, OK]
    assert world.market().settled == 1 and world.position(1).size == 0


SCENES = (
    play_call,
    play_plain_halt,
    play_prices,
    play_waiting,
    play_halt,
    play_pruned,
    play_unsure,
    play_closing,
    play_owners,
    play_caps,
    play_pauses,
    play_ends,
    play_winding,
)
