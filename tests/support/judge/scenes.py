"""Rare cases by hand: what random traces meet seldom or never, on a bench, input by input."""

from __future__ import annotations

from dataclasses import asdict, replace

from tests.support.judge.bench import Bench, Step
from tests.support.machines.generator import ADDRESSES, HANDS, TRADERS, Generator, at_edge, listing_edges, tiered
from tests.support.machines.state_invariants import check_conservation

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import Leg, ListMarketBody, MarketParameters, OrderBody, SetMarketBody
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.margin import compute_health
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Account, Market
from setoff.shared.state.store import State

BUY, SELL, GTC, IOC, FOK = records.BUY, records.SELL, records.GTC, records.IOC, records.FOK
OK = "accepted"


class Play:
    """A scene on a bench: inputs by name, one batch each call."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.generator = Generator(1, self.bench.machine)
        self.nonce = 0
        self.steps: list[Step] = []

    def wait(self, seconds: int) -> None:
        """Let time pass before the next batch, and before what is signed from now on."""
        self.generator.time += seconds

    def batch(self, messages: list[bytes] = [], inputs: list[bytes] = []) -> list[str]:  # noqa: B006
        """Run a batch; returns the outcomes of its inputs."""
        steps = self.bench.run(self.generator.time, messages, inputs)
        for taken in steps:
            check_conservation(taken)
        self.steps += steps
        ends = [taken for taken in steps if taken.after.phase == phases.IDLE and taken.kind[:3] not in ("idl", "unu")]
        return [errors.OUTCOMES[taken.after.outcome] for taken in ends]

    def run(self, *inputs: bytes) -> list[str]:
        """Run a batch of these records."""
        return self.batch([], list(inputs))

    def begin(
        self, *, markets: int = 1, money: int = 10_000, mark: int = 100, margin_ppm: int = 100_000, **fields: int
    ) -> None:
        """Four traders with the same money, and markets whose mark is set by one signer's reports alone."""
        given = {"max_age": 10**9, "step_band": PPM, "impact": 2**40, **fields}
        listings = [self.listing(market, margin_ppm, **given) for market in range(1, markets + 1)]
        deposits = [self.generator.deposit_of(account, money) for account in (1, 2, 3, 4)]
        reports = [self.price(mark, market) for market in range(1, markets + 1)]
        outcomes = self.batch([*deposits, *listings, self.generator.signer(0, 1, 60)], reports)
        assert set(outcomes) == {OK}

    def listing(self, market: int, margin_ppm: int, **fields: int) -> bytes:
        parameters = MarketParameters(1, margin_ppm, 1, 500, -100, PPM)
        return records.encode(ListMarketBody(market, replace(parameters, **fields)))

    def price(self, price: int, market: int = 1, *, age: int = 0) -> bytes:
        """A report, of a second later than the one before."""
        self.generator.time += 1
        return self.generator.report_of(0, self.generator.time - age, market, price)

    def number(self) -> int:
        self.nonce += 1
        return self.nonce

    def sign(self, account: int, body: bytes, agent: int = 0) -> bytes:
        master = keys.get_master(account)
        return self.generator.sign(HANDS[master, agent] if agent else TRADERS[master], body)

    def order(
        self, account: int, side: int, price: int, size: int, *, order_slot: int = 0, market: int = 1, flags: int = GTC,
        **more: int,
    ) -> bytes:  # fmt: skip
        body = OrderBody(account, self.number(), market, side, flags, order_slot, price, size, **more)
        return self.sign(account, records.encode(body))

    def cancel(self, account: int, order_slot: int, client: int = 0) -> bytes:
        return self.sign(account, records.encode(records.CancelBody(account, self.number(), order_slot, client)))

    def cancel_all(self, account: int) -> bytes:
        return self.sign(account, records.encode(records.CancelAllBody(account, self.number())))

    def amend(self, account: int, order_slot: int, price: int, size: int) -> bytes:
        body = records.AmendBody(account, self.number(), order_slot, price, size)
        return self.sign(account, records.encode(body))

    def schedule(self, account: int, deadline: int) -> bytes:
        body = records.ScheduleCancelBody(account, self.number(), deadline)
        return self.sign(account, records.encode(body))

    def transfer(self, account: int, peer: int, amount: int) -> bytes:
        body = records.TransferBody(account, self.number(), peer, amount)
        return self.sign(account, records.encode(body))

    def withdraw(self, account: int, amount: int) -> bytes:
        return self.sign(account, records.encode(records.WithdrawBody(account, self.number(), amount)))

    def backstop_deposit(self, account: int, amount: int) -> bytes:
        return self.sign(account, records.encode(records.BackstopDepositBody(account, self.number(), amount)))

    def backstop_withdraw(self, account: int, shares: int) -> bytes:
        return self.sign(account, records.encode(records.BackstopWithdrawBody(account, self.number(), shares)))

    def bulk(self, account: int, legs: list[Leg]) -> list[bytes]:
        leg_page = records.encode_leg_page(legs)
        body = records.BulkBody(account, self.number(), keccak(leg_page))
        return [self.sign(account, records.encode(body)), leg_page]

    def trade(self, seller: int, buyer: int, price: int, size: int, *, order_slot: int = 0, market: int = 1) -> None:
        """One sells to the other."""
        sides = [
            self.order(seller, SELL, price, size, order_slot=order_slot, market=market),
            self.order(buyer, BUY, price, size, order_slot=order_slot, market=market),
        ]
        assert self.run(*sides) == [OK, OK]

    # --- what the state says -----------------------------------------------------------------------------------------

    def account(self, account: int) -> Account:
        return leaves.decode_account(self.bench.machine.state.tree.get(keys.account_key(account)))

    def position(self, account: int, market: int = 1) -> int:
        return next((p.size for p in self.account(account).positions if p.market == market), 0)

    def market(self, market: int = 1) -> Market:
        return leaves.decode_market(self.bench.machine.state.tree.get(keys.market_key(market)))

    def took(self, kind: str) -> int:
        """How many steps of this kind there were so far."""
        return sum(taken.kind == kind for taken in self.steps)


# --- trading ---------------------------------------------------------------------------------------------------------


def play_position_limit(play: Play) -> None:
    """The largest orders fill a position up to its limit; one more lot is refused, on either side."""
    most = phases.MAX_ORDER_SIZE
    play.begin(money=10**13, margin_ppm=1, mark=1, max_position=2 * most)
    full = [play.order(1, BUY, 1, most, order_slot=order_slot) for order_slot in range(2)]
    short = [play.order(2, SELL, 2, most, order_slot=order_slot) for order_slot in range(2)]
    over = [play.order(1, BUY, 1, 1, order_slot=9), play.order(2, SELL, 2, 1, order_slot=9)]
    assert play.run(*full, *short, *over) == [OK] * 4 + ["position_limit"] * 2


def play_too_many_positions(play: Play) -> None:
    """The ninth market finds no free place, until an order is cancelled."""
    play.begin(markets=9)
    eight = [play.order(1, BUY, 90, 1, order_slot=market, market=market) for market in range(1, 9)]
    ninth = play.order(1, BUY, 90, 1, order_slot=9, market=9)
    again = play.order(1, BUY, 90, 1, order_slot=9, market=9)
    outcomes = play.run(*eight, ninth, play.cancel(1, 3), again)
    assert outcomes == [OK] * 8 + ["too_many_positions", OK, OK]


def play_under_water(play: Play) -> None:
    """A long loses its equity: its orders are pruned, it may close at a price good enough, and nothing else."""
    play.begin(money=2_000)
    open_both = [play.order(1, SELL, 100, 100), play.order(2, BUY, 100, 100), play.order(2, BUY, 60, 10, order_slot=1)]
    open_both.append(play.order(2, SELL, 95, 10, order_slot=2))
    assert set(play.run(*open_both)) == {OK}
    # At 85 account 2 is worth 500 less what it needs (850): the close at 95 is taken as a maker, the bid pruned.
    assert play.run(play.price(85), play.order(3, BUY, 95, 5)) == [OK] * 2
    assert play.run(play.order(3, SELL, 60, 5, flags=IOC)) == [OK]
    # A close as a taker at the mark keeps the ratio but for the fee; to open more is refused.
    assert play.run(play.order(4, BUY, 90, 50), play.order(2, SELL, 90, 20, order_slot=3)) == [OK] * 2
    assert play.run(play.order(2, BUY, 85, 1, order_slot=4)) == ["insufficient_margin"]
    # Below zero even a close at the mark makes things no better. (An old price: nobody is liquidated on it.)
    aged = records.encode(SetMarketBody(1, MarketParameters(1, 100_000, 1, 500, -100, PPM, max_age=1, step_band=PPM)))
    shut = play.order(2, SELL, 70, 1, order_slot=5)
    play.wait(10)
    outcomes = play.batch([aged], [play.price(70, age=5), shut, play.withdraw(2, 1)])
    assert outcomes == [OK, OK, "insufficient_margin", "stale_price"]
    assert play.took("takeover") == 0


def play_flip(play: Play) -> None:
    """A taker and then a maker go from long to short in one fill."""
    play.begin(money=10**6)
    trades = [
        play.order(1, SELL, 100, 7),
        play.order(2, BUY, 100, 7),
        play.order(3, BUY, 101, 20),
        play.order(2, SELL, 101, 13),  # long 7, short 6 after it
        play.order(1, BUY, 99, 30, order_slot=1),  # short 7, long 23 after it
        play.order(4, SELL, 99, 37, flags=IOC),
    ]
    assert set(play.run(*trades)) == {OK}


def play_own_orders(play: Play) -> None:
    """A taker never trades with itself or a sub-account of its own: the maker goes, or the taker, or both."""
    play.begin(money=10**6)
    sub = keys.sub_account(1, 2)
    trades = [
        play.transfer(1, sub, 1000),
        play.order(1, SELL, 100, 5),
        play.order(2, SELL, 100, 5),
        play.order(sub, BUY, 100, 5, order_slot=1),
        play.order(1, SELL, 100, 5),
        play.order(1, BUY, 100, 5, order_slot=2, flags=records.CANCEL_TAKER),
        play.order(1, BUY, 100, 5, order_slot=2, flags=records.CANCEL_TAKER | FOK),
        play.order(1, BUY, 100, 5, order_slot=2, flags=records.CANCEL_BOTH),
        play.order(1, SELL, 100, 5),
        play.order(1, BUY, 100, 5, order_slot=2, flags=FOK),
    ]
    outcomes = play.run(*trades)
    assert outcomes == [OK] * 5 + ["self_trade", "self_trade", OK, OK, "unfillable"]


def play_fill_or_kill(play: Play) -> None:
    """What a scan counts, level by level, and where it stops: the book ends, the limit, the makers it may visit."""
    play.begin(money=10**6)
    book = [
        play.order(1, SELL, price, 5, order_slot=order_slot) for order_slot, price in enumerate((100, 100, 101, 300))
    ]
    fok = [play.order(2, BUY, 100, 11, flags=FOK), play.order(2, BUY, 150, 16, flags=FOK)]
    fok += [play.order(2, BUY, 150, 15, flags=FOK), play.order(2, SELL, 1, 1, flags=FOK, order_slot=7)]
    assert play.run(*book, *fok) == [OK, OK, OK, "price_band", "unfillable", "unfillable", OK, "unfillable"]


def play_far_levels(play: Play) -> None:
    """Levels in other bitmap words, on either side; and a scan that has visited all the makers it may."""
    play.begin(money=10**8, mark=20_000)
    far = [
        play.order(3, SELL, price, 1, order_slot=order_slot)
        for order_slot, price in enumerate((20_000, 20_255, 20_480, 39_999))
    ]
    assert play.run(*far, play.order(4, BUY, 39_999, 4, flags=FOK)) == [OK] * 5
    far = [
        play.order(3, BUY, price, 1, order_slot=order_slot)
        for order_slot, price in enumerate((20_000, 19_712, 19_711, 2))
    ]
    assert play.run(*far, play.order(4, SELL, 1, 4, flags=FOK)) == [OK] * 5

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if machine.regs.phase == phases.PROBE:
            machine.regs.matches = phases.MAX_MATCHES - 1

    play.bench.meddle = meddle
    two = [play.order(3, BUY, 20_000, 1, order_slot=order_slot) for order_slot in (5, 6)]
    assert play.run(*two, play.order(4, SELL, 1, 2, flags=FOK)) == [OK, OK, "unfillable"]
    play.bench.meddle = lambda machine, input_index, micro: None


def play_far_counts(play: Play) -> None:
    """A fill-or-kill order counts over levels that have nothing in common but the side's first bitmap word."""
    play.begin(money=10**8, mark=66_000)
    asks = [
        play.order(1, SELL, 65_500, 5),
        play.order(2, SELL, 66_000, 5),
        play.order(2, SELL, 66_300, 5, order_slot=1),
    ]
    assert play.run(*asks, play.order(3, BUY, 66_300, 15, flags=FOK)) == [OK] * 4
    assert play.position(3) == 15


def play_reduce_only(play: Play) -> None:
    """Orders that only close: cut to the position, together more than it, and pruned when there is none left."""
    play.begin(money=10**6)
    play.trade(1, 2, 100, 10)
    only = records.REDUCE_ONLY
    closes = [
        play.order(2, SELL, 101, 8, order_slot=1, flags=only),
        play.order(2, SELL, 101, 800, order_slot=2, flags=only),
    ]
    assert play.run(*closes, play.order(2, BUY, 99, 1, order_slot=3, flags=only)) == [OK, OK, "not_reducing"]
    # The scan does not count two orders that close the same lots; without it the second is cut.
    assert play.run(play.order(3, BUY, 101, 5, flags=FOK)) == ["unfillable"]
    assert play.run(play.order(3, BUY, 101, 15, flags=IOC)) == [OK]
    assert play.position(2) == 0


def play_exact_funds(play: Play) -> None:
    """A maker who can just bear the fill is filled; another a unit poorer is not."""
    play.begin(money=1_089)
    orders = [play.order(2, BUY, 100, 100), play.order(4, BUY, 100, 100)]
    assert play.run(*orders, play.withdraw(4, 1), play.price(99)) == [OK] * 4
    # At 99 the fill costs 100, earns a rebate of 1, and asks for 990: 1089 - 100 + 1 is just that.
    deposit = play.generator.deposit_of(3, 10**6)
    assert play.batch([deposit], [play.order(3, SELL, 100, 200, flags=IOC)]) == [OK] * 2


def play_lifetimes(play: Play) -> None:
    """Orders die by expiry, by the dead-man's switch and by cancelling all, and give way where somebody meets them."""
    play.begin(money=10**6)
    time = play.generator.time
    orders = [
        play.order(1, SELL, 100, 5, expiry=time + 10),
        play.order(1, SELL, 100, 5, order_slot=1),
        play.order(2, SELL, 100, 5),
        play.order(2, SELL, 101, 5, order_slot=1),
        play.schedule(2, time + 10),
        play.schedule(1, time + 10),
        play.schedule(1, 0),
    ]
    assert set(play.run(*orders)) == {OK}
    play.wait(20)
    met = [
        play.order(3, BUY, 101, 20),
        play.order(2, SELL, 102, 5, order_slot=1),
        play.amend(2, 1, 102, 4),
        play.amend(2, 1, 103, 4),
        play.amend(2, 1, 104, 9),
        play.cancel_all(2),
        play.amend(2, 1, 104, 4),
        play.order(2, SELL, 105, 5, order_slot=1),
        play.cancel_all(2),
        play.cancel(2, 1, client=7),
        play.cancel(2, 1),
    ]
    outcomes = play.run(*met)
    assert outcomes == [OK] * 6 + ["unknown_order", OK, OK, "unknown_order", OK]


def play_armed(play: Play) -> None:
    """Stops enter when the mark comes to them; what they are refused then, nobody is told."""
    play.begin(money=10**6, expiry=play.generator.time + 100)
    above, below = records.ABOVE, records.BELOW
    play.trade(1, 2, 100, 10)
    armed = [
        play.order(2, SELL, 90, 10, order_slot=1, flags=below | records.REDUCE_ONLY | IOC, trigger=95),
        play.order(1, BUY, 120, 10, order_slot=1, flags=above | IOC, trigger=105),
        play.order(1, BUY, 120, 10, order_slot=2, flags=above, trigger=100),
        play.order(1, BUY, 120, 10, order_slot=2, flags=below, trigger=100),
        play.order(1, BUY, 120, 10, order_slot=1, flags=above, trigger=110),
        play.order(3, BUY, 94, 10, order_slot=1),
        play.order(4, BUY, 100, 10**9, order_slot=1, flags=below, trigger=95),
    ]
    outcomes = play.run(*armed)
    assert outcomes == [OK, OK, "would_trigger", "would_trigger", "order_slot_taken", OK, OK]
    changes = [
        play.amend(4, 1, 100, 10**8),
        play.amend(1, 1, 121, 10),
        play.order(4, BUY, 100, 1, flags=below, trigger=1),
    ]
    assert play.run(*changes, play.cancel_all(1)) == [OK] * 4
    assert play.run(play.price(94)) == [OK]
    assert play.position(2) == 0 and play.took("fire") == 2
    assert play.run(play.price(110)) == [OK]
    play.wait(200)
    late = play.order(3, BUY, 90, 1, order_slot=7, flags=above, trigger=10**6)
    assert play.run(late, play.order(3, BUY, 90, 1, order_slot=8)) == ["market_expired"] * 2


def play_no_price(play: Play) -> None:
    """Before the first report there is no price, for an order or a stop."""
    deposits = [play.generator.deposit_of(1, 1000), play.listing(1, 100_000)]
    stop = play.order(1, BUY, 100, 1, flags=records.ABOVE, trigger=5)
    assert play.batch(deposits, [play.order(1, BUY, 100, 1), stop]) == [OK, OK, "no_price", "no_price"]
    assert play.run(records.encode_crank(1)) == ["not_due"]


def play_lost_price(play: Play) -> None:
    """A price that is not there is not fresh, however old one may be. (No trace leads to a position without a price;
    it is taken away by hand.)"""
    play.begin()
    play.trade(1, 2, 100, 10)
    play.bench.machine.state.market(1).index = 0
    play.bench.machine.state.market(1).max_age = 2**32 - 1
    play.bench.machine.state.commit()
    assert play.run(play.withdraw(1, 1)) == ["stale_price"]


def play_guards(play: Play) -> None:
    """Orders that could open are refused on an old price, in a halt, and over the cap of open interest."""
    play.begin(money=10**6, max_age=30, step_band=100_000, max_open_interest=20)
    assert play.run(play.order(1, SELL, 100, 21), play.order(1, SELL, 100, 20)) == ["open_interest_cap", OK]
    assert play.run(play.order(2, BUY, 100, 20)) == [OK]
    assert play.run(play.order(2, BUY, 100, 1)) == ["open_interest_cap"]
    assert play.run(play.price(150), play.order(1, SELL, 100, 1)) == [OK, "halted"]
    assert play.market().mark == 110
    assert play.run(play.price(50), play.order(1, BUY, 99, 20, order_slot=5)) == [OK, OK]
    assert play.market().mark == 99
    play.wait(400)
    old = [play.order(1, SELL, 99, 1, order_slot=6), play.transfer(1, 2, 1), play.order(3, BUY, 90, 1, order_slot=6)]
    assert play.run(*old) == ["stale_price"] * 3


# --- the machine's own work ------------------------------------------------------------------------------------------


def play_limits(play: Play) -> None:
    """The most makers of an order and the most steps of a batch: set in the registers, as no test gets that far."""
    play.begin(money=10**6)

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if input_index == 1 and machine.regs.phase == phases.MATCH:
            machine.regs.matches = phases.MAX_MATCHES
        if input_index == 2 and micro == 0:
            machine.regs.steps = phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND - 1
        if input_index == 3 and micro == 0:
            machine.regs.steps = phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND

    play.bench.meddle = meddle
    trades = [play.order(1, SELL, 100, 5), play.order(2, BUY, 100, 5)]
    trades += [play.order(3, BUY, 90, 5), play.order(3, BUY, 90, 5, order_slot=1)]
    assert play.run(*trades) == [OK, OK, OK, "step_cap"]
    play.bench.meddle = lambda machine, input_index, micro: None
    assert play.batch([play.order(3, BUY, 90, 5, order_slot=2)], []) == [OK]


def play_forced_limits(play: Play) -> None:
    """A batch that has used up its steps parks forced records of both kinds and refuses cranks; deposits go on."""
    play.begin(money=10**6)

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if input_index == 1 and micro == 0:
            machine.regs.steps = phases.BATCH_STEP_CAP - phases.INPUT_STEP_BOUND

    play.bench.meddle = meddle
    owner, late = ADDRESSES[TRADERS[2]], play.withdraw(2, 1)
    as_sender = records.encode(records.ForcedBody(owner, late[: records.BODY_BYTES]))
    crank = records.encode_crank(1)
    messages = [play.generator.deposit_of(3, 1), late, as_sender, crank, play.generator.deposit_of(3, 1)]
    assert play.batch(messages, []) == [OK, "parked", "parked", "step_cap", OK]
    play.bench.meddle = lambda machine, input_index, micro: None
    other = play.withdraw(3, 2)
    assert play.batch([crank], [other, crank, other]) == [OK, "busy", "nonce_used", OK]


def play_parked(play: Play) -> None:
    """Records of the queue that find the machine at work: each in its turn, in an input, and nothing before them."""
    play.begin(money=1_100)
    play.trade(1, 2, 100, 100)

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if micro and machine.regs.phase == phases.WORK:
            machine.regs.steps = machine.regs.started + phases.WORK_LIMIT - 1

    play.bench.meddle = meddle
    assert play.run(play.price(80), records.encode_crank(1)) == [OK, OK]
    owner = ADDRESSES[TRADERS[3]]

    def named(record: bytes) -> bytes:
        return records.encode(records.ForcedBody(owner, record[: records.BODY_BYTES]))

    agent = records.encode(records.SetAgentBody(3, play.number(), 1, ADDRESSES[HANDS[3, 1]], 2**40))
    hand = records.encode(OrderBody(3, play.number(), 1, BUY, GTC, 7, 70, 1, agent=1))
    last = [play.price(79), named(play.cancel_all(4)), named(play.withdraw(3, 1)), *play.bulk(3, [Leg(0, 1, 5, 71, 1)])]
    late = [named(agent), play.sign(3, hand, 1), play.order(3, BUY, 71, 1), *last]
    assert play.batch(late[:2], [play.order(3, BUY, 60, 1)]) == ["parked", "parked", "busy"]
    play.bench.meddle = lambda machine, input_index, micro: None
    # The rest of the work; then each new one lets one go that has waited, and the last waits behind all of them.
    assert play.batch(late[2:3], []) == ["parked"]
    assert play.bench.machine.regs.has_work == 0
    assert play.batch(late[3:], []) == [OK, OK, OK, "malformed_record", "malformed_record"]
    assert play.bench.machine.regs.parked_end - play.bench.machine.regs.parked_first == 3
    crank, cancel = records.encode_crank(1), play.cancel(3, 7)
    assert play.batch([crank], [cancel, crank, crank, cancel]) == [OK, "busy", "bad_signature", OK, OK]


def play_queue_of_a_level(play: Play) -> None:
    """Orders leave a level from its middle, its head, its tail, and as the only one."""
    play.begin(money=10**6)
    assert play.run(*(play.order(account, BUY, 90, 5) for account in (1, 2, 3, 4))) == [OK] * 4
    assert play.run(*(play.cancel(account, 0) for account in (2, 1, 4, 3))) == [OK] * 4
    assert play.market().best_bid == 0


def play_return(play: Play) -> None:
    """After a long silence a market without an index for a week is not settled before reports could come."""
    play.begin(money=10**6, markets=2, max_age=2**32 - 1)
    crank, other = records.encode_crank(1), records.encode_crank(2)
    play.wait(phases.ORACLE_DEATH + 1)
    assert play.batch([crank], [play.price(101)]) == [OK, OK]
    resumed = play.bench.machine.regs.last_gap_end
    assert play.market().settled == 0
    play.generator.time = resumed + phases.RETURN_TIME
    assert play.run(other) == [OK]
    assert play.market(2).settled == 0
    play.generator.time += phases.SAMPLE_INTERVAL
    assert play.run(other, crank) == [OK, OK]
    assert play.market(2).settled == 1 and play.market().settled == 0
    play.wait(phases.LONG_GAP)
    assert play.run() == []
    assert play.bench.machine.regs.last_gap_end == resumed


def play_long_work(play: Play) -> None:
    """Work that an input has no steps left for goes on in the next ones; messages come in between, records do not."""
    play.begin(money=1_100)
    play.trade(1, 2, 100, 100)

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if micro and machine.regs.phase == phases.WORK and input_index < 3:
            machine.regs.steps = machine.regs.started + phases.WORK_LIMIT - 1

    play.bench.meddle = meddle
    more = [play.generator.deposit_of(5, 1), play.generator.deposit_of(1, 5)]
    busy = [play.price(80), records.encode_crank(1), play.order(3, BUY, 90, 5)]
    assert play.run(*busy) == [OK, OK, "busy"]
    play.bench.meddle = lambda machine, input_index, micro: None
    assert play.batch(more, [records.encode_crank(200), play.order(3, BUY, 80, 5)]) == [OK, OK, OK, OK]
    assert play.took("deleverage") == 1 and play.position(2) == 0


def play_time(play: Play) -> None:
    """Cranks sample the premium of a book with depth, pay funding by the hour, and are refused before they are due."""
    play.begin(money=10**6, mark=10_000, impact=5, max_age=2**32 - 1, funding_cap=100_000)
    crank = records.encode_crank(1)
    play.trade(1, 2, 10_000, 10)
    assert play.run(play.order(3, BUY, 10_400, 4), play.order(3, SELL, 10_600, 5, order_slot=1), crank, crank) == [
        OK, OK, OK, "not_due",
    ]  # fmt: skip
    assert play.market().premium == 0
    deep = play.order(4, BUY, 10_400, 1)
    play.wait(3601)
    assert play.run(deep, crank) == [OK, OK]
    play.wait(3601)
    assert play.run(crank) == [OK]
    assert play.market().funding > 0
    play.wait(phases.ORACLE_DEATH - 10**4)
    assert play.run(crank) == [OK]
    assert play.run(play.cancel_all(3), play.price(9_000), play.order(3, SELL, 8_000, 5)) == [OK] * 3
    play.wait(60)
    assert play.run(crank) == [OK]
    play.wait(100)
    old = records.encode(SetMarketBody(1, MarketParameters(1, 100_000, 1, 500, -100, PPM, max_age=1)))
    assert play.batch([old], [crank, records.encode_crank(0)]) == [OK, "stale_price", "unknown_market"]


def play_edges(play: Play) -> None:
    """The very second at which an agent and an order end, the very price of a stop, a premium over its cap, no page."""
    play.begin(money=10**6, mark=10_000, impact=5, max_age=2**32 - 1, funding_cap=1)
    crank, end = records.encode_crank(1), play.generator.time + 100
    agent = records.SetAgentBody(3, play.number(), 1, ADDRESSES[HANDS[3, 1]], end)
    play.trade(1, 2, 10_000, 10)
    late = play.order(4, SELL, 10_000, 5, expiry=end)
    stop = play.order(2, SELL, 9_000, 5, order_slot=1, flags=records.BELOW, trigger=9_900)
    book = [play.order(3, BUY, 10_400, 5), play.order(3, SELL, 10_600, 5, order_slot=1)]
    assert play.run(play.sign(3, records.encode(agent)), late) == [OK, OK]
    play.generator.time = end
    hand = play.sign(3, records.encode(records.CancelAllBody(3, play.number(), 1)), 1)
    assert play.run(hand, play.order(1, BUY, 10_000, 5, order_slot=1), stop, *book, crank) == [
        "agent_expired",
        *[OK] * 5,
    ]
    assert play.position(4) == 0
    play.wait(3601)
    assert play.run(crank) == [OK]
    cap = 10_000 * 2**16 // PPM  # one part in a million of the index
    assert play.market().premium > cap
    assert play.market().funding == cap * 2**16 // 8
    record, _ = play.bulk(1, [Leg(0, 1, 5, 9_000, 1)])
    _, other = play.bulk(1, [Leg(0, 1, 6, 9_000, 1)])
    cancels = [play.cancel(3, 0), play.cancel(3, 1)]
    assert play.run(record, other, *cancels, play.price(9_900)) == [OK, "wrong_leg_page", OK, OK, OK]
    assert play.took("fire") == 1


def play_settlement(play: Play) -> None:
    """Dated futures come to their end: at the mean of their last prices, or at the last price."""
    start = play.generator.time
    play.begin(money=10**6, markets=1, expiry=start + 2000)
    assert play.batch([play.listing(2, 100_000, expiry=start + 10_000, max_age=10**9, step_band=PPM)]) == [OK]
    assert play.run(play.price(50, 2)) == [OK]
    play.trade(1, 2, 100, 10)
    play.trade(1, 2, 50, 10, order_slot=1, market=2)
    resting = [play.order(3, BUY, 90, 5, order_slot=3), play.order(2, SELL, 140, 5, order_slot=3)]
    assert play.run(*resting) == [OK, OK]
    play.wait(1000)
    assert play.run(play.price(110), play.price(121), play.price(100)) == [OK] * 3
    play.wait(1500)
    crank = records.encode_crank(1)
    late = [play.price(100), crank, crank, play.order(1, BUY, 100, 1, order_slot=9)]
    outcomes = play.run(*late)
    assert outcomes == ["market_expired", OK, "not_due", "market_expired"]
    assert play.market().mark == 110 and play.market().settled == 0
    play.wait(60)
    assert play.run(crank) == [OK]
    assert play.market().settled == 1 and play.position(1) == play.position(2) == 0
    assert play.run(crank) == ["not_due"]
    assert play.run(play.cancel(3, 3), play.cancel(2, 3), play.withdraw(2, 1)) == [OK] * 3
    play.wait(10**5)
    assert play.run(records.encode_crank(2)) == [OK]
    assert play.market(2).mark == 50 and play.market(2).open_interest == 0


# --- liquidation -----------------------------------------------------------------------------------------------------


def play_slices(play: Play) -> None:
    """The book takes a liquidation in slices, until the account is healthy again; its orders are gone first."""
    play.begin(money=1_100, maintenance_margin=50_000, close_out=1)
    rich = play.generator.deposit_of(3, 10**6)
    play.trade(1, 2, 100, 100)
    orders = [
        play.order(3, BUY, 92, 30),
        play.order(3, BUY, 91, 400, order_slot=1),
        play.order(3, BUY, 50, 400, order_slot=2),
    ]
    assert play.batch([rich], [*orders, play.price(91)]) == [OK] * 5
    assert play.took("liquidated") > 1 and play.took("takeover") == 0
    assert 0 < play.position(2) < 100


def play_shorts(play: Play) -> None:
    """A short that the price runs away from: slices, the backstop's takeover, and how it buys its own way out."""
    play.begin(money=10**5, maintenance_margin=50_000, close_out=40_000)
    play.trade(1, 2, 100, 9_000)
    asks = [play.order(3, SELL, 108, 300), play.order(3, SELL, 110, 300, order_slot=1)]
    assert play.run(play.backstop_deposit(4, 90_000), *asks, play.price(106)) == [OK] * 4
    assert play.took("liquidated") > 1 and -9_000 < play.position(1) < 0
    assert play.run(play.price(108)) == [OK]
    assert play.took("takeover") > 0 and play.position(1) == 0
    held = play.position(keys.BACKSTOP)
    assert held < 0
    play.wait(60)
    asks = [play.order(3, SELL, 108, 300, order_slot=2), records.encode_crank(1)]
    assert play.run(*asks) == [OK] * 2
    assert held < play.position(keys.BACKSTOP) < 0
    # The price gone on, the backstop itself is closed against those who won.
    assert play.run(play.price(160)) == [OK]
    assert play.took("deleverage") > 0 and play.position(keys.BACKSTOP) == 0


def play_two_positions(play: Play) -> None:
    """Of two positions the one that needs more margin goes first, wherever it is kept."""
    play.begin(money=10**5, maintenance_margin=50_000, markets=2)
    play.trade(1, 2, 100, 6_000)
    play.trade(1, 2, 100, 3_000, order_slot=1, market=2)
    assert play.run(play.backstop_deposit(4, 90_000), play.price(88)) == [OK] * 2
    taken = [step.before.market for step in play.steps if step.kind == "takeover"]
    assert taken and taken[0] == 1


def play_small_winners(play: Play) -> None:
    """Whoever is ranked first closes all it has, which is less than is to be closed; then the next one."""
    play.begin(money=10**5, maintenance_margin=50_000)
    play.trade(1, 2, 100, 7_900)
    play.trade(3, 2, 100, 100, order_slot=1)
    assert play.run(play.withdraw(3, 98_000), play.price(91)) == [OK, OK]
    assert play.took("deleverage") > 1 and play.position(3) == 0


def play_insurance(play: Play) -> None:
    """What an account owes more than it has is first drawn from the insurance fund; then others close against it."""
    play.begin(money=1_100)
    play.trade(1, 2, 100, 100)
    funded = play.market().insurance
    assert play.run(play.price(60)) == [OK]
    assert play.market().insurance == 0 < funded
    assert play.took("deleverage") == 1 and play.position(2) == play.position(1) == 0


def play_takeover(play: Play) -> None:
    """The backstop takes a position over, withdrawals are limited, and it offers its own position crank by crank."""
    play.begin(money=10**5, maintenance_margin=50_000)
    play.trade(1, 2, 100, 9_000)
    assert play.run(play.backstop_deposit(3, 50_000), play.price(93)) == [OK, OK]
    assert play.took("takeover") > 0 and play.took("deleverage") == 0
    assert play.position(keys.BACKSTOP) > 0
    limited = [
        play.withdraw(4, 20_000),
        play.withdraw(4, 20_000),
        play.backstop_withdraw(3, 50_000),
        play.backstop_withdraw(3, 50_001),
    ]
    assert play.run(*limited) == [OK, "withdrawals_limited", "insufficient_margin", "insufficient_margin"]
    play.wait(3600)
    assert play.run(play.withdraw(4, 20_000)) == [OK]
    held = play.position(keys.BACKSTOP)
    play.wait(60)
    bids = play.order(4, BUY, 93, 2_000, order_slot=5)
    assert play.run(play.backstop_withdraw(3, 1_000), bids, records.encode_crank(1)) == [OK] * 3
    assert play.position(keys.BACKSTOP) < held
    # Its price broken, the backstop is liquidated as anybody.
    assert play.run(play.price(30)) == [OK]
    assert play.position(keys.BACKSTOP) == 0


def play_worthless_shares(play: Play) -> None:
    """Where the shares are worth nothing, nobody buys any. (What they were worth is taken by hand.)"""
    play.begin()
    assert play.run(play.backstop_deposit(1, 1_000)) == [OK]
    play.bench.machine.state.account(keys.BACKSTOP).collateral = 0
    play.bench.machine.state.commit()
    assert play.run(play.backstop_deposit(2, 1_000), play.backstop_withdraw(1, 1_000)) == ["insufficient_margin", OK]
    assert play.run(play.backstop_deposit(1, 1_000)) == [OK]
    play.bench.machine.state.account(keys.BACKSTOP).collateral = 10**6
    play.bench.machine.state.commit()
    assert play.run(play.backstop_deposit(2, 10)) == ["amount_out_of_range"]


def play_poor_backstop(play: Play) -> None:
    """A backstop too poor to take over: the winner with the highest score closes, in part, then the next one."""
    play.begin(money=10**5, maintenance_margin=50_000, markets=2)
    play.trade(1, 2, 100, 4_000)
    play.trade(3, 2, 100, 4_000, order_slot=1)
    assert play.run(play.backstop_deposit(4, 10), play.price(91)) == [OK, OK]
    assert play.took("deleverage") > 1 and play.position(keys.BACKSTOP) == 0


def play_full_backstop(play: Play) -> None:
    """A backstop with positions in eight markets has no place for a ninth. (Its places are taken by hand.)"""
    play.begin(money=1_100, markets=9)
    play.trade(1, 2, 100, 100, market=9)
    for number, position in enumerate(play.bench.machine.state.account(keys.BACKSTOP).positions):
        position.market = number + 1
        position.bids = 1
    play.bench.machine.state.commit()
    assert play.run(play.price(80, 9)) == [OK]
    assert play.took("takeover") == play.took("deleverage") == 1
    play.wait(60)
    assert play.run(records.encode_crank(9)) == [OK]


def play_losers(play: Play) -> None:
    """Where nobody on the other side has gained anything, those close who have lost least; and where nobody is left on
    it (which no trace leads to) the account stays as it is."""
    play.begin(money=10**5, maintenance_margin=50_000)
    play.trade(2, 1, 100, 1_000)
    assert play.run(play.price(120)) == [OK]
    # 1 sells what it bought at 100 to 3, at 120: at 110 both 2 (short from 100) and 3 have lost.
    out = play.withdraw(3, 86_000)
    assert play.run(out, play.order(3, BUY, 120, 1_000), play.order(1, SELL, 120, 1_000, order_slot=1)) == [OK] * 3
    assert play.run(play.price(110)) == [OK]
    scores = [taken.after.best_score for taken in play.steps if taken.kind == "deleverage"]
    assert scores and max(scores) <= phases.SCORE_ONE
    play.trade(2, 4, 110, 7_000, order_slot=3)

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if machine.regs.phase == phases.RANK:
            machine.regs.rank = machine.regs.accounts
            machine.regs.best_score = machine.regs.best_account = 0

    play.bench.meddle = meddle
    last = play.generator.deposit_of(9, 1)
    assert play.batch([last], [play.price(100)]) == [OK, OK]
    assert any(taken.after.skip_account for taken in play.steps)
    play.bench.meddle = lambda machine, input_index, micro: None


def play_owed(play: Play) -> None:
    """Nobody takes out more than is owed to all: with an old price a debt may stand, and a gain beside it."""
    play.begin(money=1_100, margin_ppm=10_000)
    assert play.run(play.withdraw(3, 1_100), play.withdraw(4, 1_000)) == [OK, OK]

    def meddle(machine: Machine, input_index: int, micro: int) -> None:
        if micro == 0:
            machine.regs.owed = 10

    play.bench.meddle = meddle
    assert play.run(play.withdraw(4, 11)) == ["withdrawals_limited"]
    play.bench.meddle = lambda machine, input_index, micro: None


def play_stale_backstop(play: Play) -> None:
    """With an old price nobody knows what the backstop is worth."""
    play.begin(money=10**5, maintenance_margin=50_000, max_age=60)
    play.trade(1, 2, 100, 9_000)
    assert play.run(play.backstop_deposit(3, 50_000), play.price(93)) == [OK, OK]
    play.wait(100)
    assert play.run(play.backstop_deposit(3, 1), play.backstop_withdraw(3, 1)) == ["stale_price"] * 2


# --- accounts and listings -------------------------------------------------------------------------------------------


def play_sub_accounts(play: Play) -> None:
    """Money goes between a master and its sub-accounts every way; nobody else sends to a sub-account."""
    play.begin()
    one, two = keys.sub_account(1, 1), keys.sub_account(1, 3)
    moves = [
        play.transfer(1, two, 100),
        play.transfer(two, one, 50),
        play.transfer(one, 1, 20),
        play.transfer(one, 2, 10),
        play.transfer(2, one, 10),
        play.withdraw(one, 1),
    ]
    assert play.run(*moves) == [OK] * 4 + ["sub_account"] * 2
    assert play.account(1).subs == 3


def play_ninth_leg_page(play: Play) -> None:
    """A bulk ends with its eighth page, whatever that names."""
    play.begin(money=10**6)
    leg_pages: list[bytes] = []
    for order_slot in reversed(range(phases.MAX_LEG_PAGES + 1)):
        leg_pages.insert(
            0, records.encode_leg_page([Leg(0, 1, order_slot, 90, 1)], keccak(leg_pages[0]) if leg_pages else bytes(32))
        )
    body = records.encode(records.BulkBody(1, play.number(), keccak(leg_pages[0])))
    assert play.run(play.sign(1, body), *leg_pages) == [OK] * (1 + phases.MAX_LEG_PAGES) + ["wrong_leg_page"]
    assert play.took("admit") == phases.MAX_LEG_PAGES


def play_bulk(play: Play) -> None:
    """Legs of every kind, sound and not; a page that nobody named."""
    play.begin(money=10**6)
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
    record, leg_page = play.bulk(1, legs)
    assert play.run(record, leg_page, leg_page) == [OK, OK, "wrong_leg_page"]
    record, leg_page = play.bulk(1, [Leg(0, 0, 0)] * 7 + [Leg(0, 1, 5, 98, 1)])
    assert play.run(record, leg_page) == [OK, OK]


def play_shares(play: Play) -> None:
    """Shares too few to be one, too many to be counted, and all of them at once."""
    play.begin(money=2**95)
    assert (
        play.run(play.backstop_deposit(1, 1000), play.backstop_withdraw(1, 1000), play.backstop_deposit(2, 2**94))
        == [OK] * 3
    )
    for account in (keys.BACKSTOP, 2):
        play.bench.machine.state.account(account).shares = phases.MAX_SHARES - 1
    play.bench.machine.state.commit()
    assert play.run(play.backstop_deposit(3, 1)) == ["amount_out_of_range"]


def play_listing_edges(play: Play) -> None:
    """Every parameter of a listing at its bounds and just over them, with and without tiers."""
    plain = tiered(MarketParameters(1, 100_000, 50_000, 500, -100, 500_000))
    for message, ahead in ((ListMarketBody, 1), (SetMarketBody, 0)):
        for number in range(len(listing_edges(ListMarketBody(1, plain)))):
            m = ListMarketBody(play.bench.machine.regs.markets + ahead, plain)
            play.batch([records.encode(message(*at_edge(m, *listing_edges(m)[number])))])
        for tier in ({"tier1_size": 0}, {"tier2_size": 0}, {"tier1_size": 0, "tier2_size": 0}):
            m = ListMarketBody(play.bench.machine.regs.markets + ahead, replace(plain, **tier))
            play.batch([records.encode(message(*m))])

    play.bench.machine.regs.markets = keys.MAX_MARKET
    assert play.batch([records.encode(ListMarketBody(keys.MAX_MARKET + 1, plain))]) == ["bad_parameters"]


def play_agents(play: Play) -> None:
    """An agent is named and taken away again."""
    play.begin()
    change = records.SetAgentBody(1, play.number(), 3, bytes(range(20)), play.generator.time + 9)
    gone = records.SetAgentBody(1, play.number(), 3, bytes(20), 0)
    for body in (change, gone):
        assert play.run(play.sign(1, records.encode(body))) == [OK]
    assert play.bench.machine.state.tree.get(keys.agent_key(1, 3)) == b""


def play_signers(play: Play) -> None:
    """Signers within their bounds and just beyond."""
    play.begin()
    signer = play.generator.signer
    assert play.batch([signer(6, 7, 1), signer(0, 1, 60)]) == [OK, OK]
    bad = [signer(7, 1, 60), signer(0, 0, 60), signer(0, 8, 60), signer(0, 1, 0)]
    assert play.batch(bad) == ["bad_parameters"] * 4


def play_tiers(play: Play) -> None:
    """Margins rise with the size of a position: just under and at the sizes of either tier."""
    tiers = asdict(tiered(MarketParameters(1, 100_000, 50_000, 500, -100, PPM)))
    fields = {name: value for name, value in tiers.items() if name.startswith("tier")}
    play.begin(money=10**6, maintenance_margin=50_000, **fields)
    for order_slot, size in enumerate((999, 1, 3_999, 1)):
        play.trade(1, 2, 100, size, order_slot=order_slot)
        state = State(play.bench.machine.state.tree)
        equity, requirement = compute_health(state, state.account(1))
        assert play.run(play.price(100), play.withdraw(1, equity - requirement + 1)) == [OK, "insufficient_margin"]


# --- the end ---------------------------------------------------------------------------------------------------------


def play_forced(play: Play) -> None:
    """Records of their senders: of the owner, of an agent, of a stranger, of nobody, and what nobody can send."""
    play.begin(money=1_000)
    hand = ADDRESSES[HANDS[1, 1]]
    name = records.encode(records.SetAgentBody(1, play.number(), 1, hand, play.generator.time + 10))
    gone = records.encode(records.SetAgentBody(1, play.number(), 2, bytes(20), play.generator.time + 10))
    by_agent = records.encode(records.CancelAllBody(1, play.number(), 1))
    by_nobody = records.encode(records.CancelAllBody(1, play.number(), 2))
    order = play.order(1, BUY, 100, 5)[: records.BODY_BYTES]
    owner = ADDRESSES[TRADERS[1]]
    forced = [(owner, name), (owner, gone), (hand, by_agent), (owner, by_agent), (bytes(20), by_nobody)]
    forced += [(owner, order), (owner, order), (owner, play.withdraw(1, 10)), (ADDRESSES[TRADERS[2]], order)]
    forced += [(owner, records.encode_crank(1)), (owner, records.encode(records.DepositBody(1, owner, 1)))]
    forced += [(owner, records.encode_leg_page([])), (owner, order[:59] + b"\1"), (owner, play.price(7))]
    messages = [records.encode(records.ForcedBody(by, body[: records.BODY_BYTES])) for by, body in forced]
    refused = ["bad_signature"] * 2 + [OK, "nonce_used", OK, "bad_signature"] + ["malformed_record"] * 5
    assert play.batch([*messages, records.encode_crank(1)], messages[:1]) == [
        OK, OK, OK, *refused, OK, "malformed_record",
    ]  # fmt: skip
    # The time for which an agent acts; a bulk and its page do not come through the queue.
    play.wait(10)
    leg_page = records.encode_leg_page([Leg(GTC, 1, 7, 90, 1)])
    bulk = records.encode(records.BulkBody(1, play.number(), keccak(leg_page)))
    late = records.encode(records.CancelAllBody(1, play.number(), 1))
    messages = [records.encode(records.ForcedBody(by, body)) for by, body in ((hand, late), (owner, bulk))]
    assert play.batch([*messages, leg_page]) == ["agent_expired", *["malformed_record"] * 2]


def play_wind_down(play: Play) -> None:
    """Positions in two markets, one of them with a debt behind it, orders of all kinds: all settled, all withdrawn."""
    start = play.generator.time
    play.begin(money=10_000, markets=3, maintenance_margin=50_000)
    assert play.batch([play.listing(4, 100_000, expiry=start + 10**6, max_age=10**9, step_band=PPM)]) == [OK]
    assert play.run(play.price(100, 4), play.backstop_deposit(4, 3_000)) == [OK] * 2
    for market in (1, 2, 4):
        play.trade(1, 2, 100, 100, order_slot=market, market=market)
    armed = play.order(3, SELL, 100, 5, order_slot=1, flags=records.BELOW, trigger=95)
    resting = [play.order(3, BUY, 90, 5, order_slot=2), play.order(3, SELL, 130, 5, order_slot=3, market=2), armed]
    assert play.run(*resting) == [OK] * 3
    # The index leaves the mark of market 1 behind: at it account 2 is worth less than nothing.
    market = play.bench.machine.state.market(1)
    market.index = 10
    play.bench.machine.state.account(2).collateral -= 14_500
    play.bench.machine.state.account(3).collateral += 14_500
    play.bench.machine.state.commit()
    end = records.encode(records.WindDownBody())
    after = [
        play.order(1, BUY, 100, 1, order_slot=9),
        play.amend(3, 2, 90, 1),
        play.backstop_deposit(1, 1),
        play.price(100),
    ]
    refused = ["winding_down"] * 4
    assert play.batch([end, end], [*after, *play.bulk(1, [Leg(GTC, 1, 9, 100, 1)]), play.withdraw(3, 20_000)]) == [
        OK, "winding_down", *refused, OK, OK, OK,
    ]  # fmt: skip
    play.wait(60)
    assert play.run(*(records.encode_crank(number) for number in (1, 2, 3, 4))) == [OK] * 4
    assert (play.market(1).settled, play.market(2).settled, play.market(4).settled) == (0, 1, 1)
    assert play.position(2, 1) == 0 and play.took("takeover")
    play.wait(60)
    assert play.run(records.encode_crank(1), records.encode_crank(2)) == [OK, "not_due"]
    for account in (1, 2, 3, 4):
        assert all(not place.market for place in play.account(account).positions)
    play.wait(phases.DRAWN_TIME)
    shares = play.account(4).shares
    assert play.run(play.backstop_withdraw(4, shares)) == [OK]
    paid = [play.withdraw(number, play.account(number).collateral) for number in (1, 2, 3, 4)]
    paid = [body for number, body in enumerate(paid, 1) if play.account(number).collateral]
    assert set(play.run(*paid)) == {OK}
    dust = sum(play.market(number).insurance + play.market(number).pool for number in (1, 2, 3, 4))
    assert play.bench.machine.regs.owed == dust + play.account(keys.BACKSTOP).collateral


def play_wind_down_amid_work(play: Play) -> None:
    """The wind-down comes while a sweep, a stop and the backstop's offer wait: what was begun ends without the book."""
    play.begin(money=10_000, markets=2, maintenance_margin=50_000)
    assert play.run(play.backstop_deposit(4, 5_000)) == [OK]
    play.trade(1, 2, 100, 900)
    stop_loss = play.order(3, SELL, 90, 5, order_slot=1, flags=records.BELOW, trigger=95)
    assert play.run(play.order(3, BUY, 100, 5), stop_loss) == [OK, OK]
    backstop = play.bench.machine.state.account(keys.BACKSTOP)
    backstop.positions[0].market, backstop.positions[0].size, backstop.positions[0].cost = 1, 10, 1_000
    backstop.collateral -= 1_000
    play.bench.machine.state.account(1).collateral += 1_000
    play.bench.machine.state.account(1).positions[0].size -= 10
    play.bench.machine.state.market(1).open_interest += 10
    play.bench.machine.state.commit()

    def stop(machine: Machine, input_index: int, micro: int) -> None:
        """The input's steps are used up as soon as the work begins."""
        if micro and machine.regs.phase == phases.WORK and machine.regs.winding_since == 0:
            machine.regs.steps += phases.WORK_LIMIT

    play.bench.meddle = stop
    play.wait(60)
    assert play.run(play.price(94)) == [OK]
    regs = play.bench.machine.regs
    assert (regs.has_work, regs.sweeping, regs.trigger_market) == (1, 1, 1)
    regs.unwind = 1
    matched = play.took("match")
    assert play.batch([records.encode(records.WindDownBody())], [play.cancel_all(3)]) == [OK, "busy"]
    assert (regs.has_work, regs.sweeping, regs.trigger_market, regs.unwind) == (0, 0, 0, 0)
    assert play.took("match") == matched and play.took("fire") == 0
    play.wait(60)
    assert play.run(records.encode_crank(1)) == [OK]
    assert play.market(1).settled == 1


def play_late_wind_down(play: Play) -> None:
    """What an input has no steps left for is settled later, at a price that by then is old: of a market that ends."""
    play.begin(money=10_000, markets=2, maintenance_margin=50_000, max_age=60)
    play.trade(1, 2, 100, 100)
    play.bench.machine.state.account(2).collateral -= 14_500
    play.bench.machine.state.account(3).collateral += 14_500
    play.bench.machine.state.market(1).index = 10
    play.bench.machine.state.commit()
    assert play.batch([records.encode(records.WindDownBody())], []) == [OK]

    def stop(machine: Machine, input_index: int, micro: int) -> None:
        if micro and machine.regs.phase == phases.WORK:
            machine.regs.steps += phases.WORK_LIMIT

    play.bench.meddle = stop
    play.wait(60)
    assert play.run(records.encode_crank(1)) == [OK]
    assert play.bench.machine.regs.has_work == 1
    play.bench.meddle = lambda machine, input_index, micro: None
    play.wait(120)
    assert play.run(records.encode_crank(1)) == [OK]
    assert play.position(2) == 0 and play.took("takeover")


def play_bad_fields(play: Play) -> None:
    """Numbers that nothing has: an agent, a market and a price of 0."""
    play.begin()
    nobody = records.encode(records.SetAgentBody(1, play.number(), 0, bytes(20), 0))
    reports = [play.generator.report_of(0, play.generator.time, market, price) for market, price in ((0, 100), (1, 0))]
    assert play.run(play.sign(1, nobody), *reports) == ["malformed_record", "unknown_market", "price_out_of_range"]


def play_dead_oracle(play: Play) -> None:
    """A market without an index for a week is settled at its last one; until then its cranks are refused."""
    play.begin(money=10_000, markets=2, max_age=60)
    play.trade(1, 2, 100, 10)
    assert play.run(play.order(3, BUY, 90, 5, order_slot=1)) == [OK]
    # In between the batches go on.
    play.wait(phases.LONG_GAP)
    assert play.run() == []
    play.wait(phases.ORACLE_DEATH - phases.LONG_GAP - 1)
    crank = records.encode_crank(1)
    assert play.run(crank, play.order(4, BUY, 100, 1, order_slot=5)) == ["stale_price"] * 2
    play.wait(1)
    assert play.run(crank, play.price(100), play.order(4, BUY, 100, 1, order_slot=5)) == [OK] + ["market_expired"] * 2
    assert (play.market(1).settled, play.market(2).settled, play.market(1).expiry > 0) == (1, 0, True)
    assert play.run(play.price(100, 2), play.order(4, BUY, 100, 1, order_slot=6, market=2)) == [OK, OK]
    assert play.run(play.withdraw(1, 100)) == [OK]


def play_empty_batches(play: Play) -> None:
    """A batch without inputs still begins: its time and number are set."""
    play.begin()
    play.generator.time += 9
    before = play.bench.machine.regs.batch
    assert play.batch() == []
    regs = play.bench.machine.regs
    assert (regs.time, regs.batch, regs.steps) == (play.generator.time, before + 1, 0)


SCENES = (
    play_empty_batches,
    play_bad_fields,
    play_late_wind_down,
    play_listing_edges,
    play_agents,
    play_signers,
    play_tiers,
    play_exact_funds,
    play_position_limit,
    play_too_many_positions,
    play_under_water,
    play_flip,
    play_own_orders,
    play_fill_or_kill,
    play_far_levels,
    play_far_counts,
    play_reduce_only,
    play_lifetimes,
    play_armed,
    play_no_price,
    play_lost_price,
    play_guards,
    play_limits,
    play_forced_limits,
    play_parked,
    play_queue_of_a_level,
    play_return,
    play_long_work,
    play_time,
    play_edges,
    play_settlement,
    play_slices,
    play_shorts,
    play_two_positions,
    play_small_winners,
    play_insurance,
    play_takeover,
    play_worthless_shares,
    play_poor_backstop,
    play_full_backstop,
    play_losers,
    play_owed,
    play_stale_backstop,
    play_sub_accounts,
    play_bulk,
    play_ninth_leg_page,
    play_shares,
    play_forced,
    play_wind_down,
    play_wind_down_amid_work,
    play_dead_oracle,
)
