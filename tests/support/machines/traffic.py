"""Random traffic that a market might see: it reads the marks it plays around, so that orders meet and accounts fail."""

from collections.abc import Callable
from random import Random

from tests.support.machines.world import World, sub

from setoff.deploy.simulation.sample_traffic import START_TIME
from setoff.shared.codec import records
from setoff.shared.codec.records import Leg

OWNERS = 7
EXPIRY = START_TIME + 20_000
MARKETS: dict[int, dict[str, int]] = {
    1: {"unit": 10, "impact": 5, "tier1_size": 60, "tier1_initial": 150_000, "tier1_maintenance": 70_000},
    2: {"unit": 40, "taker_fee": 700, "maker_fee": 100, "close_out": 15_000, "impact": 1, "funding_cap": 40_000},
    3: {
        "unit": 3,
        "maker_fee": -500,
        "max_position": 5_000,
        "max_open_interest": 30_000,
        "expiry": START_TIME + 20_000,
    },
}
COMMON = {"initial_margin": 60_000, "maintenance_margin": 30_000, "band": 300_000, "step_band": 120_000, "max_age": 200}
FIRST = {1: 5_000, 2: 260, 3: 1_000}


class Traffic:
    """Inputs one after the other, from a seed; `deposited` is the sum of the deposits it has made so far."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.world = World()
        self.prices = dict(FIRST)
        self.deposited = 0
        # In some seeds everybody is poor, so that most positions fail; in others the backstop is rich.
        self.wealth = self.random.choice([60_000, 400_000, 3_000_000])
        self.kinds: list[tuple[int, Callable[[], list[bytes]]]] = [
            (46, self.order),
            (6, self.cancel),
            (6, self.amend),
            (2, self.cancel_all),
            (3, self.transfer),
            (2, self.withdraw),
            (3, self.backstop_deposit),
            (2, self.deposit),
            (5, self.bulk),
            (5, self.crank),
            (9, self.report),
            (3, self.jump),
            (1, self.terms),
        ]

    def opening(self) -> list[bytes]:
        """Deposits, listings and the first prices."""
        scene = self.world.scene
        inputs = [body for owner in range(1, OWNERS + 1) for body in self.deposit(owner)]
        inputs += [scene.list_market(market, **COMMON, **terms) for market, terms in MARKETS.items()]
        inputs += [scene.set_signer(max_age=120)]
        inputs += [scene.report(0, price, market=market) for market, price in self.prices.items()]
        inputs += [scene.transfer(owner, sub(owner, owner % 3 + 1), self.wealth // 3) for owner in (1, 2, 3)]
        if self.random.random() < 0.5:
            inputs.append(scene.backstop_deposit(OWNERS, self.wealth // self.random.choice([2, 10])))
        # Everybody starts with positions that take most of the margin.
        for market, price in self.prices.items():
            owners = self.random.sample(range(1, OWNERS + 1), 4)
            for buyer, seller in (owners[:2], owners[2:]):
                size = self.size(market) // 2 + 1
                inputs.append(scene.order(buyer, records.BUY, price, size, market=market, order_slot=20 + market))
                inputs.append(scene.order(seller, records.SELL, price, size, market=market, order_slot=20 + market))
        return inputs

    def next(self) -> list[bytes]:
        """The inputs of the next action; some begin a new batch."""
        weights, kinds = zip(*self.kinds, strict=True)
        chosen: Callable[[], list[bytes]] = self.random.choices(kinds, weights)[0]
        return chosen()

    # --- what it draws -----------------------------------------------------------------------------------------------

    def account(self) -> int:
        owner = self.random.randint(1, OWNERS)
        return sub(owner, owner % 3 + 1) if owner <= 3 and self.random.random() < 0.3 else owner

    def market(self) -> int:
        return self.random.randint(1, 3)

    def price(self, market: int) -> int:
        mark = self.world.machine.state.market(market).mark or 100
        spread = self.random.choice([0.001, 0.004, 0.02])
        return max(1, round(mark * (1 + self.random.uniform(-spread, spread))))

    def size(self, market: int) -> int:
        full = self.wealth / (0.06 * FIRST[market] * MARKETS[market]["unit"])  # all that the margin carries
        return max(1, int(full * self.random.choice([0.05, 0.3, 0.9])))

    # --- inputs ------------------------------------------------------------------------------------------------------

    def deposit(self, owner: int | None = None) -> list[bytes]:
        amount = int(self.wealth * self.random.choice([1, 1, 0.3])) if owner else self.random.randint(1, 5_000)
        self.deposited += amount
        return [self.world.scene.deposit(owner or self.random.randint(1, OWNERS), amount)]

    def order(self) -> list[bytes]:
        draw, market = self.random, self.market()
        flags = draw.choice([0, 0, 0, 0, records.IOC, records.IOC, records.POST_ONLY, records.FOK])
        flags |= draw.choice([0, 0, 0, 0, records.REDUCE_ONLY])
        flags |= draw.choice([0, 0, 0, records.CANCEL_TAKER, records.CANCEL_BOTH])
        trigger = 0
        if draw.random() < 0.12:
            mark = self.world.machine.state.market(market).mark
            above = draw.random() < 0.5
            flags |= records.ABOVE if above else records.BELOW
            trigger = max(1, round(mark * (1 + draw.uniform(0.001, 0.05) * (1 if above else -1))))
        return [
            self.world.scene.order(
                self.account(),
                draw.randint(0, 1),
                self.price(market),
                self.size(market),
                market=market,
                flags=flags,
                order_slot=draw.randint(0, 11),
                expiry=draw.choice([0, 0, 0, self.world.scene.time + 60]),
                trigger=trigger,
            )
        ]

    def cancel(self) -> list[bytes]:
        return [self.world.scene.cancel(self.account(), self.random.randint(0, 11))]

    def amend(self) -> list[bytes]:
        market = self.market()
        order_slot = self.random.randint(0, 11)
        return [self.world.scene.amend(self.account(), order_slot, self.price(market), self.size(market))]

    def cancel_all(self) -> list[bytes]:
        if self.random.random() < 0.5:
            return [self.world.scene.cancel_all(self.account())]
        deadline = self.random.choice([0, self.world.scene.time + 90])
        return [self.world.scene.schedule_cancel(self.account(), deadline)]

    def transfer(self) -> list[bytes]:
        return [self.world.scene.transfer(self.account(), self.account(), self.random.randint(1, self.wealth // 4))]

    def withdraw(self) -> list[bytes]:
        return [self.world.scene.withdraw(self.account(), self.random.randint(1, self.wealth // 3))]

    def backstop_deposit(self) -> list[bytes]:
        act = self.random.choice([self.world.scene.backstop_deposit, self.world.scene.backstop_withdraw])
        return [act(self.account(), self.random.randint(1, self.wealth // 3))]

    def bulk(self) -> list[bytes]:
        draw, market = self.random, self.market()
        legs = []
        for _ in range(draw.randint(1, 20)):
            if draw.random() < 0.3:
                legs.append(Leg(records.CANCEL_LEG, market, draw.randint(0, 11)))
            else:
                flags = draw.choice([0, 1, 2, 3]) | draw.choice([0, records.SELL_LEG])
                legs.append(Leg(flags, market, draw.randint(0, 11), self.price(market), self.size(market)))
        bodies = self.world.scene.bulk(self.account(), legs)
        if draw.random() < 0.1:
            bodies.insert(1, self.world.scene.crank(1))
        return bodies

    def crank(self) -> list[bytes]:
        return [self.world.scene.crank(self.random.randint(0, 3))]

    def report(self) -> list[bytes]:
        market = self.market()
        step = self.random.choice([0.001, 0.01, 0.03, 0.08])
        self.prices[market] = max(5, round(self.prices[market] * (1 + self.random.gauss(0, step))))
        self.world.wait(self.random.randint(1, 40))
        return [self.world.scene.report(0, self.prices[market], market=market)]

    def jump(self) -> list[bytes]:
        """Time passes, and the oracle may have been silent meanwhile."""
        self.world.wait(self.random.choice([60, 300, 3_600]))
        scene, inputs = self.world.scene, []
        if self.random.random() < 0.8:
            inputs += [scene.report(0, price, market=market) for market, price in self.prices.items()]
        return inputs + [scene.crank(market) for market in self.prices]

    def terms(self) -> list[bytes]:
        market = self.market()
        fields = COMMON | MARKETS[market] | {"maintenance_margin": self.random.choice([25_000, 30_000, 40_000])}
        return [self.world.scene.set_market(market, **fields)]
