"""What a sentence of the protocol might be taken for: each input tells one reading of it from another."""

from __future__ import annotations

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.judge.scenes.boundaries import CRANK, call, have, vary, vary_edges, worth
from tests.support.machines.world import ABOVE, BELOW, BUY, FOK, IOC, POST_ONLY, REDUCE_ONLY, SELL

from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import Leg, stamp_message
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.agents import SESSION_BITS
from setoff.shared.state import keys
from setoff.shared.wire.scopes import Scope


def play_room(world: JudgedWorld) -> None:
    """The last step at which a batch has room for a record, and the first at which it has none."""
    world.begin()
    full = phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND - 1
    inputs = [world.cancel(1, 0), world.cancel(1, 0), CRANK, records.encode_crank(0)]
    for index in (1, 2, 3):
        for more in (-1, 0, 1):
            vary(world, inputs, {"registers.steps": full + more}, index)
    assert world.run(*inputs)[:2] == ["unknown_order"] * 2
    messages = [stamp_message(body, world.time) for body in (world.set_signer(1), world.cancel(2, 0), CRANK)]
    for index in (1, 2):
        for more in (-1, 0, 1):
            vary(world, messages, {"registers.steps": full + more}, index)
    assert world.batch(messages) == [OK, "unknown_order", "not_due"]


def play_ends_of_bulks(world: JudgedWorld) -> None:
    """What ends a bulk: any record that is looked at, also one that is refused, and its eighth page."""
    world.begin(money=10**6)

    def bulk(account: int = 1, pages: int = 1) -> list[bytes]:
        return world.bulk(account, [Leg(0, 1, slot, 90, 1) for slot in range(8 * pages)])

    long = bulk(1, 9)
    assert world.run(*long) == [OK] * 9 + ["wrong_leg_page"]
    # Three bytes of a page have no meaning, but are part of what its hash is of.
    page = records.encode_leg_page([Leg(0, 1, 200, 90, 1)])[:-3] + b"\1\2\3"
    named = records.encode(records.BulkBody(1, world.next_nonce(1), keccak(page)))
    assert world.run(world.sign_for(1, 0, named), page, page) == [OK, OK, "wrong_leg_page"]
    wrong = [world.cancel(2, 9), world.withdraw(2, 2**90), bytes(124), world.report(7, 100), CRANK]
    for record in wrong:
        first, page = bulk()
        assert world.run(first, record, page)[2] == (OK if record == bytes(124) else "wrong_leg_page")
    first, page = bulk()
    assert world.batch([records.encode(records.WindDownBody())], [first, world.order(2, BUY, 90, 1), page])[3] != OK
    first, page = bulk()
    assert world.run(first, page) == [OK, OK]


def play_agents(world: JudgedWorld) -> None:
    """An agent whose time is 0 has ended; and what an agent may is known before its nonce is."""
    world.begin(money=10**6)
    scope = Scope((0, 1), (), (1, 2), closes_only=False, max_size=4)
    named = [world.set_agent(1, 1, 0), world.set_agent(1, 2, 2**40, scope=scope)]
    assert world.run(*named) == [OK, OK]
    assert world.run(world.order(1, BUY, 90, 1, agent=1), world.cancel(1, 0, agent=1)) == ["agent_expired"] * 2
    order = world.order(1, BUY, 90, 1, flags=records.CANCEL_TAKER, agent=2)
    assert world.run(order, order) == [OK, "nonce_used"]
    far = world.machine.state.agent(1, 2).nonce_top + (1 << SESSION_BITS)
    assert world.run(world.cancel(1, 0, far, agent=2)) == ["nonce_too_far"]


def play_open_interest(world: JudgedWorld) -> None:
    """The cap of open interest counts all of an order that opens some, also the lots of it that close."""
    world.begin(money=10**6)
    world.trade(1, 2, 100, 7)
    assert world.run(world.order(3, SELL, 100, 9, order_slot=4)) == [OK]
    inputs = [world.order(1, BUY, 100, 10, order_slot=4)]
    for cap in range(7, 19):
        vary(world, inputs, {"market 1.max_open_interest": cap})
    assert world.run(*inputs) == [OK]


def play_tiers(world: JudgedWorld) -> None:
    """Sizes beyond both tiers, each margin to the unit; the close-out margin has none."""
    tiers = {"tier1_size": 7, "tier1_initial": 150_001, "tier1_maintenance": 60_001}
    tiers |= {"tier2_size": 11, "tier2_initial": 333_333, "tier2_maintenance": 77_777}
    given = {"maintenance_margin": 50_001, "close_out": 30_003, "unit": 7, "taker_fee": 0, "maker_fee": 0}
    world.begin(money=10**6, mark=97, margin_ppm=100_003, **given, **tiers)
    world.trade(1, 2, 97, 40)
    zero = worth(world, 2, 0)
    inputs = [world.withdraw(2, 1)]
    vary_edges(world, inputs, {"account 2.collateral": (zero, zero + 30_000)})
    assert world.run(*inputs) == [OK]
    inputs = [world.price(96)]
    for premium in (0, 5):
        fixed = {f"market 1.basis{number}": premium for number in range(3)}
        vary_edges(world, inputs, {"account 2.collateral": (zero, zero + 6_000)}, fixed)
    assert world.run(*inputs) == [OK]


def play_legal_fills(world: JudgedWorld) -> None:
    """A fill that leaves the requirement as it was, by rounding or on the other side, is legal only if it is funded."""
    world.begin(money=10**6, mark=3, taker_fee=0, maker_fee=0, maintenance_margin=100_000)
    world.trade(1, 2, 3, 5)
    assert world.run(world.order(4, BUY, 3, 30, order_slot=3), world.order(4, SELL, 4, 30, order_slot=4)) == [OK, OK]
    zero = {account: worth(world, account, 0) for account in (1, 2)}
    for account, side in ((2, SELL), (1, BUY)):
        for size in (1, 2, 3, 4, 5, 6, 9, 10, 11):
            inputs = [world.order(account, side, 4 if side == BUY else 3, size, flags=IOC, order_slot=5)]
            for equity in (-1, 0, 1, 2, 3):
                vary(world, inputs, {f"account {account}.collateral": zero[account] + equity})
                vary(world, inputs, {f"account {account}.collateral": zero[account] + equity, "market 1.mark": 4})
            world.run(*inputs)
            world.run(world.cancel_all(account))
    # One that rests costs its leaf, which who is worth nothing cannot pay.
    for account, side in ((2, SELL), (1, BUY)):
        inputs = [world.order(account, side, 3, 1, order_slot=6)]
        for equity in (-1, 0, 1, 2):
            owed = {f"account {account}.collateral": zero[account] + equity}
            vary(world, inputs, {**owed, "market 1.order_margin": 1})
        world.run(*inputs)
        world.run(world.cancel_all(account))


def play_own_makers(world: JudgedWorld) -> None:
    """Who has nothing but the order in flight keeps its place while it meets an own order, on either side."""
    world.begin(money=10**6)
    for maker, taker in ((BUY, SELL), (SELL, BUY)):
        orders = [world.order(1, maker, 100, 5, order_slot=1), world.order(1, taker, 100, 3, order_slot=2)]
        assert world.run(*orders) == [OK, OK]
        assert (world.position(1).bids, world.position(1).asks) == ((0, 3) if taker == SELL else (3, 0))
        assert world.run(world.cancel_all(1)) == [OK]


def play_fees_at_the_limit(world: JudgedWorld) -> None:
    """The fee that an order has to be able to pay is of its limit."""
    world.begin(money=10**6, mark=100, taker_fee=90_000, maintenance_margin=100_000, unit=3)
    for side, price in ((BUY, 90), (BUY, 109), (SELL, 110), (SELL, 92)):
        for flags in (0, IOC):
            inputs = [world.order(3, side, price, 70, flags=flags)]
            vary_edges(world, inputs, {"account 3.collateral": (0, 20_000)})
            assert world.run(*inputs, world.cancel_all(3)) == [OK, OK]


def play_probes(world: JudgedWorld) -> None:
    """A dead maker is pruned before a post-only order may be dropped; who counts its own order among makers."""
    world.begin(money=10**6)
    dead = world.order(1, SELL, 100, 5, expiry=world.time + 10)
    assert world.run(dead) == [OK]
    world.wait(10)
    assert world.run(world.order(2, BUY, 100, 3, flags=POST_ONLY)) == [OK]
    assert world.resting(2, 0).size == 3 and world.account(1).orders == 0
    assert world.run(world.cancel_all(2)) == [OK]
    assert world.run(world.order(1, SELL, 101, 5), world.order(3, SELL, 102, 9)) == [OK, OK]
    taker = [world.order(1, BUY, 102, 3, order_slot=7, flags=FOK | rule) for rule in (16, 8, 0)]
    assert world.run(*taker) == ["self_trade", "self_trade", OK]
    # Filled by the last maker that is counted, and by one more than that.
    for before in (phases.MAX_MATCHES - 1, phases.MAX_MATCHES - 2):
        inputs = [world.order(2, BUY, 102, 2, order_slot=7, flags=FOK)]

        def meddle(machine: Machine, input_index: int, micro: int, before: int = before) -> None:
            regs = machine.regs
            if micro and regs.phase == phases.PROBE and regs.scanning and regs.matches < 9:
                regs.matches = before

        world.bench.meddle = meddle
        assert world.run(*inputs) == [OK]


def play_waiting_requests(world: JudgedWorld) -> None:
    """A request of the backstop that came through the queue waits from when it is taken."""
    world.begin(money=10**6)
    world.machine.regs.backstop_delay = 500
    queued = world.time
    world.wait(200)
    body = world.backstop_deposit(1, 1_000)
    assert world.batch([stamp_message(world.force(1, body), queued)]) == [OK]
    assert world.machine.state.request(1).due == world.time + 500
    world.wait(300)
    assert world.run(records.encode_crank(0)) == ["not_due"]
    world.wait(200)
    inputs = [records.encode_crank(0)]
    for equity in (1, 2, 7):
        for shares in (-1, 0, 1):
            lost = {"account 0.collateral": equity, "account 0.shares": equity * phases.VOID_PRICE + shares}
            vary(world, inputs, lost)
    assert world.run(*inputs) == [OK]


def play_small_bands(world: JudgedWorld) -> None:
    """A band of less than a tick is one; an interval's first mark is its anchor, before it is cut."""
    world.begin(money=10**6, mark=3, step_band=100_000, margin_ppm=900_000, maintenance_margin=900_000)
    for price in (4, 5, 2, 1):
        inputs = [world.price(price)]
        for premium in (-2, 2, 9):
            basis = {f"market 1.basis{number}": premium for number in range(3)}
            basis |= {"market 1.premium": premium * phases.PREMIUM_ONE}
            vary(world, inputs, basis)
            vary(world, inputs, {**basis, "market 1.mark_anchor": 0})
        assert world.run(*inputs) == [OK]
        world.wait(60)
    assert world.run(world.price(3)) == [OK]
    inputs = [CRANK]
    vary(world, inputs, {"market 1.sampled": 0, "market 1.excess": 1, "market 1.basis0": 2})
    assert world.run(*inputs) == [OK]
    # Work begins without a request: nothing is to be settled, whatever there was.
    inputs = [world.price(2)]
    vary(world, inputs, {"registers.settling": 1})
    assert world.run(*inputs) == [OK]


def play_equals(world: JudgedWorld) -> None:
    """An account just at its margins; of two positions that need the same the first is closed."""
    world.begin(money=10**6, mark=1_000, markets=3, maintenance_margin=50_000, close_out=20_000, maker_fee=0)
    world.trade(1, 2, 1_000, 20)
    world.trade(1, 2, 1_000, 20, market=2, order_slot=1)
    world.trade(2, 1, 1_000, 20, market=3, order_slot=2)
    zero = worth(world, 2, 0)
    for market in (1, 2, 3):
        inputs = [world.price(990 if market < 3 else 1_010, market)]
        lost = 20 * 10
        for equity in (0, 1_190, 1_192, 1_196, 1_198, 1_200, 2_090, 2_094, 2_096, 2_100, 2_980, 2_990, 3_000, 3_010):
            for more in (-1, 0, 1):
                vary(world, inputs, {"account 2.collateral": zero + lost + equity + more})
        vary_edges(world, inputs, {"account 2.collateral": (zero, zero + 4_000)})
        assert world.run(*inputs) == [OK]
        assert world.run(world.price(1_000, market)) == [OK]
    # What is asked first is twice the equity against both margins together.
    for twice in (-2, -1, 0, 1, 2):
        inputs = [world.price(1_000)]
        vary(world, inputs, {"account 2.collateral": zero + (3_000 + 1_200) // 2 + twice})
        assert world.run(*inputs) == [OK]


def play_settled_positions(world: JudgedWorld) -> None:
    """A position in a settled market pays its funding before it is closed."""
    end = world.time + 500
    world.begin(money=10**6, expiry=end, max_age=10**9, markets=2)
    world.trade(1, 2, 100, 10)
    world.trade(1, 2, 100, 10, market=2, order_slot=1)
    world.time = end
    for _ in range(3):
        inputs = [CRANK]
        for funding in (-(2**34), 2**33 + 1, 2**35):
            vary(world, inputs, {"market 1.funding": funding})
            vary(world, inputs, {"market 1.funding": funding, "account 2.collateral": 5})
        world.run(*inputs)
        world.wait(60)
    assert world.market().settled


def play_dust(world: JudgedWorld) -> None:
    """The backstop takes no new position that is worth next to nothing to it; what it has closed leaves no trace."""
    world.begin(money=10**6, mark=1_000, maintenance_margin=50_000, close_out=50_000, maker_fee=0)
    assert world.run(world.backstop_deposit(4, 10**6)) == [OK]
    world.trade(1, 2, 1_000, 3)
    zero = worth(world, 2, 0)
    have(world.machine, "account 2.collateral", zero + 120 + 50)
    have(world.machine, "account 0.collateral", 100_000)
    assert world.run(world.cancel(1, 9)) == ["unknown_order"]
    inputs = [world.price(960)]
    for backstop in (256 * 960 * 3 - 1, 256 * 960 * 3, 256 * 960 * 3 + 1, 256 * 960, 10**6, 5_000, 0, 1):
        for equity in (-200, 0, 50, 100):
            numbers = {"account 2.collateral": zero + 120 + equity, "account 0.collateral": backstop}
            vary(world, inputs, numbers)
            vary(world, inputs, {**numbers, "registers.draw_hour": 7, "registers.drawn": 9, "market 1.insurance": 150})
            for up in (-20, 20):
                basis = {f"market 1.basis{number}": up for number in range(3)}
                vary(world, inputs, {**numbers, **basis, "market 1.premium": up * phases.PREMIUM_ONE})
    assert world.run(*inputs) == [OK]
    assert world.position(keys.BACKSTOP).size == 3
    world.wait(60)
    assert world.run(world.order(3, BUY, 955, 9, order_slot=3)) == [OK]
    for waited in (1, 7, 50):
        vary(world, [CRANK], {"account 0.positions.0.waited": waited})
        vary(world, [CRANK], {"account 0.positions.0.waited": waited, "account 0.positions.0.size": 1})
    assert world.run(CRANK) == [OK]
    world.wait(60)
    assert world.run(world.order(3, BUY, 985, 9, order_slot=4)) == [OK]
    while world.position(keys.BACKSTOP).size:
        have(world.machine, "account 0.positions.0.waited", 50)
        assert world.run(CRANK) == [OK]
        world.wait(60)


def play_takeovers_for_nothing(world: JudgedWorld) -> None:
    """What the backstop takes over pays no fee: to the unit, where a part of a million of it would be some."""
    given = {"maintenance_margin": 50_000, "close_out": 50_000, "unit": 10_000, "maker_fee": 0}
    world.begin(money=10**10, mark=1_000, **given)
    assert world.run(world.backstop_deposit(4, 10**9)) == [OK]
    world.trade(1, 2, 1_000, 20)
    zero = worth(world, 2, 0)
    have(world.machine, "account 2.collateral", zero + 40 * 20 * 10_000 + 500_000)
    inputs = [world.price(960)]
    vary_edges(world, inputs, {"account 0.collateral": (0, 25_000_000)})
    assert world.run(*inputs) == [OK]
    assert world.position(keys.BACKSTOP).size == 20


def play_both_triggers(world: JudgedWorld) -> None:
    """Stops on both sides that are reached at once, after a call: those above fire first."""
    world.begin(money=10**6, mark=1_000, call_minutes=1, maintenance_margin=100_000)
    world.wait(60)
    book = [world.order(4, BUY, 900, 50, order_slot=1), world.order(4, SELL, 1_090, 50, order_slot=2)]
    assert world.run(*book) == [OK, OK]
    assert world.run(world.order(1, BUY, 1_010, 3, order_slot=3, flags=ABOVE, trigger=1_005)) == [OK]
    world.machine.state.market(1).halted_until = world.time + 100
    world.machine.state.commit()
    assert world.run(world.price(1_050)) == [OK]
    assert world.run(world.order(2, SELL, 1_000, 3, order_slot=3, flags=BELOW, trigger=1_020)) == [OK]
    assert world.run(world.price(1_010)) == [OK]
    world.wait(100)
    assert world.run(world.price(1_011)) == [OK]
    assert world.account(1).orders | world.account(2).orders == 0 or world.took("fire") == 2


def play_one_owner_in_an_auction(world: JudgedWorld) -> None:
    """Orders of one owner lose the lots that both have, whatever one of them can close."""
    world.begin(money=10**7, mark=1_000, call_minutes=1, taker_fee=0, maker_fee=0, max_age=10**9)
    world.wait(60)
    assert world.run(CRANK) == [OK]
    sub = keys.sub_account(1, 1)
    assert world.run(world.transfer(1, sub, 10**6)) == [OK]
    for index in (990, 1_000, 1_013):
        world.trade(1, 2, 1_000, 3)
        assert world.run(world.order(1, BUY, 990, 3, order_slot=6, flags=REDUCE_ONLY)) == [OK]
        world.trade(3, 1, 1_000, 2, order_slot=1)
        world.machine.state.market(1).halted_until = world.time + 60
        world.machine.state.market(1).index = index
        world.machine.state.commit()
        orders = [(3, BUY, 1_020, 1), (sub, SELL, 985, 5), (4, SELL, 980, 1)]
        assert set(world.run(*(world.order(*order, order_slot=7) for order in orders))) == {OK}
        world.wait(60)
        assert world.run(CRANK) == [OK]
        assert set(world.run(*(world.cancel_all(account) for account in (1, sub, 3, 4)))) == {OK}
        call(world, (1, BUY, 1_010, 4), (2, SELL, 1_010, 4), (3, BUY, 1_011, 2), index=index)


def play_exits(world: JudgedWorld) -> None:
    """Nobody withdraws more than all that is owed; to pay it to another, or to the backstop, asks no such thing."""
    world.begin(money=1_000)
    sub = keys.sub_account(1, 2)
    exits = [world.withdraw(1, 9), world.transfer(1, 2, 9), world.transfer(1, sub, 9), world.backstop_deposit(3, 9)]
    for record in exits:
        for owed in (0, 8, 9, 10):
            vary(world, [record], {"registers.owed": owed})
        assert world.run(record) == [OK]


SCENES = (
    play_room,
    play_ends_of_bulks,
    play_agents,
    play_open_interest,
    play_tiers,
    play_legal_fills,
    play_own_makers,
    play_fees_at_the_limit,
    play_probes,
    play_waiting_requests,
    play_small_bands,
    play_equals,
    play_settled_positions,
    play_dust,
    play_takeovers_for_nothing,
    play_both_triggers,
    play_one_owner_in_an_auction,
    play_exits,
)
