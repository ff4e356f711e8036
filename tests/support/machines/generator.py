"""Random inputs of a machine: realistic trading, every edge of every field, forgeries and noise.

A `Generator` reads the machine it plays on, so that its cancels meet orders, its withdrawals hit the last unit of free
collateral, and its prices drive accounts under water.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random

from tests.support.machines.listing_edges import at_edge, listing_edges, tiered, with_tiers

from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.integers import PPM
from setoff.shared.codec.records import Leg
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.margin import compute_health
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Account, Market, Order
from setoff.shared.state.store import State

ACCOUNTS = 8
SUBS = 2
SIGNERS = 5
ORDER_SLOTS = 6
LONER = ACCOUNTS + 1
"""The account that spends its nonces."""

TRADERS = {account: keccak(b"trader %d" % account) for account in range(1, LONER + 1)}
HANDS = {(account, agent): keccak(b"agent %d of %d" % (agent, account)) for account in TRADERS for agent in (1, 2)}
ORACLES = {index: keccak(b"oracle %d" % index) for index in range(SIGNERS)}
ADDRESSES = {key: signatures.address_of(key) for key in (*TRADERS.values(), *HANDS.values(), *ORACLES.values())}

RECORDS: dict[str, int] = {
    "order": 44,
    "fok": 4,
    "armed": 5,
    "cancel": 9,
    "cancel_all": 1,
    "amend": 6,
    "schedule_cancel": 2,
    "set_agent": 3,
    "transfer": 8,
    "withdraw": 6,
    "backstop_deposit": 3,
    "backstop_withdraw": 3,
    "bulk": 3,
    "stray leg page": 1,
    "report": 6,
    "crash": 1,
    "crank": 6,
    "forgery": 4,
    "noise": 5,
    "replay": 2,
}
"""How often each input is drawn."""
MESSAGES: dict[str, int] = {
    "deposit": 10,
    "list_market": 10,
    "set_market": 6,
    "set_signer": 8,
    "noise": 6,
    "queued": 5,
    "forced": 5,
    "strange deposit": 4,
    "wind_down": 0,
}

NO_FAVOUR: Mapping[str, int] = {}

PRICE_EDGES = (0, 1, keys.MAX_TICK, keys.MAX_TICK + 1, 2**32 - 1)
MAX_UINT64 = 2**64 - 1
SIZE_EDGES = (0, 1, phases.MAX_ORDER_SIZE, phases.MAX_ORDER_SIZE + 1, MAX_UINT64)
AMOUNT_EDGES = (0, 1, phases.MAX_AMOUNT - 1, phases.MAX_AMOUNT, 2**128 - 1)
ORDER_SLOT_EDGES = (0, keys.MAX_ORDER_SLOT, keys.MAX_ORDER_SLOT + 1, 2**16 - 1)
ACCOUNT_EDGES = (
    0,
    LONER + 1,
    keys.MAX_ACCOUNT,
    keys.sub_account(0, 1),
    keys.sub_account(1, keys.MAX_SUB),
    keys.sub_account(1, keys.MAX_SUB + 1),
    keys.sub_account(LONER + 1, 1),
    2**32 - 1,
)
FLAG_EDGES = (24, 96, 127, 128, 255, 32, 64)


class Generator:
    """Draws batches for `machine`; the same seed on the same machine gives the same batches."""

    def __init__(self, seed: int, machine: Machine, *, is_large: bool = False) -> None:
        self.rng = Random(seed)
        self.machine = machine
        self.is_large = is_large  # sizes, prices and money near their bounds
        self.is_poor = not is_large  # a backstop that can take over little
        self.time = 1_700_000_000
        self.nonces: dict[int, int] = {}
        self.sent: list[bytes] = []
        self.drift: dict[int, int] = {}

    # --- batches -----------------------------------------------------------------------------------------------------

    def opening(self) -> tuple[int, list[bytes], list[bytes]]:
        """The first batch: funded accounts, markets, signers, prices."""
        messages = [self.deposit_of(account, self.funds()) for account in TRADERS]
        messages += [records.encode(self.listing(market)) for market in range(1, 4)]
        messages += [self.signer(index, 1, 60) for index in range(SIGNERS)]
        reports = [self.report_of(0, self.time, market, self.first_price(market)) for market in range(1, 4)]
        agents = [self.name_agent(account, 1, self.time + 10**6) for account in range(1, ACCOUNTS + 1)]
        return self.time, messages, reports + agents

    def batch(self, inputs: int = 40, favour: Mapping[str, int] = NO_FAVOUR) -> tuple[int, list[bytes], list[bytes]]:
        """(timestamp, messages, records) of the next batch; `favour` adds to the weights of messages and records."""
        rng = self.rng
        self.time += rng.choices((0, 1, 5, 30, 61, 600, 3601, 10**5), (8, 8, 8, 8, 6, 1, 0.5, 0.1))[0]
        self.state = State(self.machine.state.tree)
        refused = {kind: weight for kind, weight in favour.items() if kind.startswith("refuse ")}
        queued = {kind: refused.pop(kind) for kind in list(refused) if kind.removeprefix("refuse ") in MESSAGES}
        weights = {kind: weight + favour.get(kind, 0) for kind, weight in MESSAGES.items()} | queued
        wanted = sum(weights.values()) > sum(MESSAGES.values())
        messages = [
            body for _ in range(inputs if wanted else rng.randint(0, 6)) for body in self.draw(weights, "message")
        ]
        weights = {kind: weight + favour.get(kind, 0) for kind, weight in RECORDS.items()} | refused
        inputs_drawn = [body for _ in range(inputs) for body in self.draw(weights, "record")]
        regs = self.machine.regs
        if regs.parked_first != regs.parked_end and rng.random() < 0.8:
            # Nothing else is taken before what is parked, as an operator would know.
            inputs_drawn = [self.crank() for _ in range(regs.parked_end - regs.parked_first)] + inputs_drawn
        if rng.random() < 0.7:
            # Fresh prices first, as an operator would have it.
            markets = rng.sample((1, 2, 3), rng.randint(1, 3))
            signers = rng.sample(range(SIGNERS), rng.choice((1, 2)))
            fresh = [
                self.report_of(index, self.time, market, self.next_price(market))
                for market in markets
                for index in signers
            ]
            inputs_drawn = fresh + inputs_drawn
        return self.time, messages, inputs_drawn

    def crisis(self) -> tuple[int, list[bytes], list[bytes]]:
        """A batch in which everybody takes as much as he may of one market, and its price then breaks away."""
        rng = self.rng
        self.time += rng.choice((1, 61))
        self.state = State(self.machine.state.tree)
        market = rng.choice((1, 2))
        leaf = self.read_market(market)
        mark = leaf.mark or self.first_price(market)
        lot = max(1, mark * leaf.unit * leaf.initial_margin // PPM)
        money = {account: lot * rng.choice((20, 200, 2000)) for account in range(1, ACCOUNTS + 1)}
        messages = [self.deposit_of(account, min(money[account], 2**95)) for account in money]
        inputs = [self.report_of(index, self.time, market, mark) for index in range(3)]
        if rng.random() < 0.5:
            inputs.append(self.backstop_deposit())
        accounts = rng.sample(list(money), len(money))
        for seller, buyer in zip(accounts[::2], accounts[1::2], strict=True):
            amount = min(money[seller], money[buyer])
            size = min(max(1, amount * 9 // (10 * lot)), leaf.max_position, phases.MAX_ORDER_SIZE)
            sides = [keys.sub_account(master, rng.choice((0, 1, SUBS, SUBS))) for master in (seller, buyer)]
            inputs += [self.transfer_of(keys.get_master(to), to, amount) for to in sides if to > keys.MAX_ACCOUNT]
            inputs.append(self.order_of(sides[0], records.SELL, mark, size, market=market))
            inputs.append(self.order_of(sides[1], records.BUY, mark, size, market=market))
        price = mark + mark * rng.choice((-40, -20, -8, -5, -3, 3, 5, 8, 20, 40)) // 100
        price = min(max(1, price), keys.MAX_TICK)
        for _ in range(rng.choice((0, 3))):
            account = keys.sub_account(rng.choice(accounts), rng.choice((0, 1)))
            inputs.append(self.order_of(account, rng.randint(0, 1), price, rng.randint(1, 300), market=market))
        inputs += [self.report_of(index, self.time + 1, market, price) for index in range(rng.choice((1, 3)))]
        return self.time, messages, inputs

    def batches(self, count: int, inputs: int) -> Iterator[tuple[int, list[bytes], list[bytes]]]:
        """The opening, then by turns a batch of so many inputs and a crisis: each after the one before was run."""
        yield self.opening()
        for number in range(1, count):
            yield self.batch(inputs) if number % 2 else self.crisis()

    def draw(self, weights: dict[str, int], where: str) -> list[bytes]:
        """One input of a kind drawn by `weights`; a bulk record comes with its pages."""
        kind = self.rng.choices(list(weights), list(weights.values()))[0]
        if kind == "noise":
            return [self.noise(is_message=where == "message")]
        if kind == "queued":
            return self.draw(RECORDS, "record")
        if kind == "bulk":
            return self.bulk()
        if kind.startswith("refuse "):
            return [self.refused(kind.removeprefix("refuse "))]
        body = self.maker(kind)()
        if where == "record":
            self.sent.append(body)
        return [body]

    def maker(self, kind: str) -> Callable[[], bytes]:
        """What draws inputs of a kind."""
        makers: dict[str, Callable[[], bytes]] = {
            "order": self.order,
            "fok": self.fok,
            "armed": self.armed,
            "cancel": self.cancel,
            "cancel_all": self.cancel_all,
            "amend": self.amend,
            "schedule_cancel": self.schedule_cancel,
            "set_agent": self.set_agent,
            "transfer": self.transfer,
            "withdraw": self.withdraw,
            "backstop_deposit": self.backstop_deposit,
            "backstop_withdraw": self.backstop_withdraw,
            "stray leg page": self.stray_leg_page,
            "report": self.report,
            "crash": self.crash,
            "crank": self.crank,
            "forgery": self.forgery,
            "replay": self.replay,
            "deposit": self.deposit,
            "strange deposit": self.strange_deposit,
            "list_market": self.list_market,
            "set_market": self.set_market,
            "set_signer": self.set_signer,
            "forced": self.forced,
            "wind_down": lambda: records.encode(records.WindDownBody()),
        }
        return makers[kind]

    # --- messages ----------------------------------------------------------------------------------------------------

    def funds(self) -> int:
        return self.rng.choice((2**95, 2**96 - 1)) if self.is_large else self.rng.choice((10**5, 10**6, 3 * 10**6))

    def deposit_of(self, account: int, amount: int, owner: bytes | None = None) -> bytes:
        owner = ADDRESSES[TRADERS[account]] if owner is None else owner
        return records.encode(records.DepositBody(account, owner, amount))

    def deposit(self) -> bytes:
        return self.deposit_of(
            self.rng.randint(1, ACCOUNTS), self.funds() if self.is_large else self.rng.randint(1, 10**5)
        )

    def strange_deposit(self) -> bytes:
        rng = self.rng
        account = rng.choice((0, 1, 3, LONER, keys.MAX_ACCOUNT + 1, 2**32 - 1))
        owner = rng.choice((bytes(20), b"\xff" * 20, rng.randbytes(20)))
        return self.deposit_of(
            account, rng.choice((*AMOUNT_EDGES[: 5 if self.is_large else 2], 2**96, 2**128 - 1)), owner
        )

    def listing(self, market: int) -> records.ListMarketBody:
        rng = self.rng
        if self.is_large:
            # The last kind asks so little margin that only the position limit stops an account.
            unit, margin = rng.choice(((2**32 - 1, PPM), (2**31, PPM // 3), (1, 1)))
            maintenance = rng.choice((1, max(1, margin // 2)))
        else:
            unit, margin, maintenance = rng.choice((1, 1, 3)), rng.choice((50_000, 100_000, 333_333)), 25_000
        taker = rng.choice((0, 1, 500, 777, records.MAX_FEE if self.is_large else 999))
        m = records.MarketParameters(
            unit,
            margin,
            maintenance,
            taker,
            rng.choice((-taker, -taker // 2, 0, 100, records.MAX_FEE if self.is_large else 7)),
            rng.choice((PPM, 500_000, 200_000)),
            max_age=rng.choice((60, 400, 3000, 2**32 - 1)),
            step_band=rng.choice((PPM, PPM, PPM, 250_000)),
            funding_cap=rng.choice((0, 5_000, records.MAX_FEE)),
            close_out=rng.choice((0, 0, 0, maintenance // 3, maintenance // 3, maintenance)),
            max_open_interest=rng.choice((2**44, 2**44, 2**44, 40_000)),
            max_position=rng.choice((records.MAX_POSITION, records.MAX_POSITION, 30_000)),
            impact=rng.choice((0, 1, 5)),
            expiry=self.time + rng.choice((1, 300, 2500)) if market > 2 and rng.random() < 0.5 else 0,
            order_margin=rng.choice((0, 0, 0, 1, 2**40 if self.is_large else 30)),
        )
        has_tiers = rng.random() < 0.4 and margin + 20 <= PPM
        return records.ListMarketBody(market, tiered(m) if has_tiers else m)

    def list_market(self) -> bytes:
        """The next market once in a while (an account has eight places), otherwise a parameter at or over its edge."""
        rng = self.rng
        next_market = self.machine.regs.markets + 1
        sound = self.listing(next_market)
        if next_market <= 10 or (rng.random() < 0.3 and next_market <= keys.MAX_MARKET):
            return records.encode(sound)
        m = with_tiers(sound)
        return records.encode(at_edge(m, *rng.choice(listing_edges(m))))

    def set_market(self) -> bytes:
        """Other parameters of a market, or one of them at or over its edge."""
        rng = self.rng
        m = self.listing(rng.randint(0, self.machine.regs.markets + 1) if rng.random() < 0.2 else rng.randint(1, 3))
        if rng.random() < 0.4:
            m = with_tiers(m)
            m = at_edge(m, *rng.choice(listing_edges(m)))
        return records.encode(records.SetMarketBody(*m))

    def signer(self, index: int, quorum: int, max_age: int) -> bytes:
        owner = ADDRESSES[ORACLES[index]] if index in ORACLES else self.rng.randbytes(20)
        return records.encode(records.SetSignerBody(index, owner, quorum, max_age))

    def set_signer(self) -> bytes:
        rng = self.rng
        if rng.random() < 0.6:
            return self.signer(rng.randrange(SIGNERS), rng.choice((1, 1, 2, 3)), rng.choice((30, 60, 120)))
        index = rng.choice((leaves.MAX_SIGNERS - 1, leaves.MAX_SIGNERS, 2**16 - 1, 5))
        return self.signer(index, rng.choice((0, 1, 2, 8, 2**16 - 1)), rng.choice((0, 60, 60)))

    def forced(self) -> bytes:
        """A record of any type in the name of whoever signed it, and once in a while of another or of nobody."""
        rng = self.rng
        record = self.bulk()[0] if rng.random() < 0.05 else self.maker(rng.choice(list(RECORDS)[:12]))()
        signer = signatures.recover(eip712.digest(self.machine.regs.domain, record), record[records.BODY_BYTES :])
        sender = rng.choices((signer, bytes(20), ADDRESSES[TRADERS[1]]), (20, 1, 1))[0]
        body = rng.choice((self.crank, self.report))() if rng.random() < 0.05 else record
        return records.encode(records.ForcedBody(sender or bytes(20), body[: records.BODY_BYTES]))

    # --- records -----------------------------------------------------------------------------------------------------

    def sign(self, key: bytes, body: bytes) -> bytes:
        return body + signatures.sign(eip712.digest(self.machine.regs.domain, body), key)

    def next_nonce(self, account: int) -> int:
        rng = self.rng
        account = keys.get_master(account)
        nonce = self.nonces.get(account, 0) + 1
        if account == LONER:
            nonce += rng.choice((0, 1, 254, 255, 256))
        elif rng.random() < 0.05:
            nonce += rng.choice((1, 30, 255))
        elif rng.random() < 0.06:
            return max(0, nonce - rng.choice((1, 2, 5, 255, 256, 257)))  # used, unused below the top, or too old
        if account == LONER and rng.random() < 0.003:
            return MAX_UINT64
        self.nonces[account] = nonce
        return nonce

    def some_account(self) -> int:
        rng = self.rng
        if rng.random() < 0.03:
            return rng.choice(ACCOUNT_EDGES)
        if rng.random() < 0.06:
            return LONER
        return keys.sub_account(rng.randint(1, ACCOUNTS), rng.choice((0, 0, 0, 0, 1, SUBS)))

    def some_market(self) -> int:
        markets = self.machine.regs.markets
        if self.rng.random() < 0.03:
            return self.rng.choice((0, markets + 1, 2**16 - 1))
        return self.rng.randint(1, max(1, min(markets, 12))) if self.rng.random() < 0.2 else self.rng.choice((1, 1, 2))

    def some_agent(self) -> int:
        """Number of the agent who signs, mostly the owner himself."""
        rng = self.rng
        return rng.choice((1, 1, 1, 2, keys.MAX_AGENT, keys.MAX_AGENT + 1, 255)) if rng.random() < 0.15 else 0

    def by(self, account: int, body: bytes, agent: int = 0) -> bytes:
        master = keys.get_master(account)
        key = HANDS.get((master, agent)) if agent and self.rng.random() < 0.95 else TRADERS.get(master)
        return self.sign(key or ORACLES[0], body)

    def read_account(self, account: int) -> Account:
        return self.state.account(account)

    def read_market(self, market: int) -> Market:
        return self.state.market(market)

    def first_price(self, market: int) -> int:
        return keys.MAX_TICK - 5 * market if self.is_large else (100, 1000, 255)[market % 3]

    def order(self) -> bytes:
        rng = self.rng
        flags = rng.choices((records.GTC, records.IOC, records.POST_ONLY, records.FOK), (70, 14, 10, 3))[0]
        flags |= rng.choice((0, 0, 0, 0, records.REDUCE_ONLY))
        return self.order_with(flags)

    def fok(self) -> bytes:
        """A fill-or-kill order that reaches through some levels of the book."""
        rng = self.rng
        account, market, side = self.some_account(), rng.choice((1, 2)), rng.randint(0, 1)
        mark = self.read_market(market).mark or self.first_price(market)
        reach = rng.randint(1, max(2, mark // 20))
        price = min(max(1, mark + reach if side == records.BUY else mark - reach), keys.MAX_TICK)
        return self.order_of(account, side, price, rng.randint(1, 4000), records.FOK, market=market)

    def order_of(
        self, account: int, side: int, price: int, size: int, flags: int = records.GTC, *, market: int
    ) -> bytes:
        """A sound order."""
        nonce = self.next_nonce(account)
        body = records.OrderBody(account, nonce, market, side, flags, self.some_order_slot(account), price, size)
        return self.by(account, records.encode(body))

    def armed(self) -> bytes:
        rng = self.rng
        flags = rng.choice((records.ABOVE, records.BELOW)) | rng.choice((records.GTC, records.IOC, records.FOK))
        return self.order_with(flags | rng.choice((0, 0, records.REDUCE_ONLY)))

    def order_with(self, flags: int) -> bytes:
        """A signed order with these flags, now and then with wrong ones."""
        rng = self.rng
        account, market = self.some_account(), self.some_market()
        mark = self.read_market(market).mark or self.first_price(market)
        side = rng.randint(0, 1)
        price = self.some_price(market, side)
        size = rng.choice((1, 2, 3, 7, 20, 50, rng.randint(1, 500), rng.randint(1, 20_000)))
        if self.is_large:
            size = rng.choice((1, 2**20, 2**30, phases.MAX_ORDER_SIZE, rng.randint(1, 2**31)))
        elif rng.random() < 0.25:
            size = self.all_in(account, market)
        position = next((p for p in self.read_account(account).positions if p.market == market), None)
        if position is not None and position.size and rng.random() < (0.9 if flags & records.REDUCE_ONLY else 0.2):
            # Close, close in part, or flip.
            side = records.SELL if position.size > 0 else records.BUY
            size = rng.choice((abs(position.size), abs(position.size) + 1, max(1, abs(position.size) // 2)))
        if rng.random() < 0.02:
            size = rng.choice(SIZE_EDGES)
        flags |= rng.choice((0, 0, 0, records.CANCEL_TAKER, records.CANCEL_BOTH))
        trigger = 0
        if flags & records.ARMED:
            away = rng.randint(0 if rng.random() < 0.1 else 1, max(2, mark // 30))
            trigger = mark + away if flags & records.ABOVE else max(1, mark - away)
        if rng.random() < 0.01:
            flags |= rng.choice(FLAG_EDGES)
        if rng.random() < 0.01:
            trigger = rng.choice(PRICE_EDGES)
        if rng.random() < 0.01:
            side = rng.choice((2, 255))
        agent = self.some_agent()
        body = records.OrderBody(
            account,
            self.next_nonce(account),
            market,
            side,
            flags,
            self.some_order_slot(account),
            price,
            min(size, MAX_UINT64),
            rng.choice((*([0] * 20), self.time, self.time + 1, self.time + 40, 2**32 - 1)),
            min(trigger, 2**32 - 1),
            rng.choice((0, 0, 1, 2, MAX_UINT64)),
            agent,
        )
        return self.by(account, records.encode(body), agent)

    def all_in(self, account: int, market: int) -> int:
        """Lots that take most of the account's equity as margin."""
        leaf = self.read_market(market)
        equity, requirement = compute_health(self.machine.regs, self.state, self.read_account(account))
        lot = max(1, leaf.mark * leaf.unit * leaf.initial_margin // PPM)
        return min(max(1, (equity - requirement) * self.rng.randint(5, 10) // (10 * lot)), phases.MAX_ORDER_SIZE)

    def some_price(self, market: int, side: int) -> int:
        """A price near the mark, at the best of the other side, at the edge of the band, or of the field."""
        rng = self.rng
        leaf = self.read_market(market)
        mark = leaf.mark or self.first_price(market)
        spread = max(2, mark // 100)
        price = mark + rng.randint(-spread, spread)
        roll = rng.random()
        if roll < 0.35:
            best = leaf.best_ask if side == records.BUY else leaf.best_bid
            price = best + rng.randint(-1, 1) if best else price
        elif roll < 0.40:
            reach = leaf.band * mark // PPM
            price = rng.choice((mark - reach, mark - reach - 1, mark + reach, mark + reach + 1))
        elif roll < 0.42:
            price = rng.choice(PRICE_EDGES)
        return min(max(price, 0), 2**32 - 1)

    def some_order_slot(self, account: int) -> int:
        """Mostly a free order slot."""
        rng = self.rng
        if rng.random() < 0.03:
            return rng.choice(ORDER_SLOT_EDGES)
        free = [order_slot for order_slot in range(ORDER_SLOTS) if not self.order_at(account, order_slot).market]
        return rng.choice(free) if free and rng.random() < 0.9 else rng.randrange(ORDER_SLOTS)

    def used_order_slot(self, account: int) -> int:
        """Mostly a slot with an order in it."""
        rng = self.rng
        order_slots = [order_slot for order_slot in range(ORDER_SLOTS) if self.order_at(account, order_slot).market]
        return (
            rng.choice(order_slots)
            if order_slots and rng.random() < 0.85
            else rng.choice((*range(ORDER_SLOTS), *ORDER_SLOT_EDGES))
        )

    def order_at(self, account: int, order_slot: int) -> Order:
        return self.state.order(keys.order_handle(account, order_slot))

    def cancel(self) -> bytes:
        account, agent = self.some_account(), self.some_agent()
        client = self.rng.choice((0, 0, 0, 1, 2))
        body = records.CancelBody(account, self.next_nonce(account), self.used_order_slot(account), client, agent)
        return self.by(account, records.encode(body), agent)

    def cancel_all(self) -> bytes:
        account, agent = self.some_account(), self.some_agent()
        body = records.CancelAllBody(account, self.next_nonce(account), agent)
        return self.by(account, records.encode(body), agent)

    def amend(self) -> bytes:
        rng = self.rng
        account, agent = self.some_account(), self.some_agent()
        order_slot = self.used_order_slot(account)
        order = self.order_at(account, min(order_slot, keys.MAX_ORDER_SLOT))
        price, size = order.price, rng.choice((order.size, max(1, order.size - 1), order.size // 2, order.size + 1))
        if rng.random() < 0.5 and order.market:
            price = self.some_price(order.market, order.side)
        if rng.random() < 0.03:
            size = rng.choice(SIZE_EDGES)
        body = records.AmendBody(account, self.next_nonce(account), order_slot, price, size, agent)
        return self.by(account, records.encode(body), agent)

    def schedule_cancel(self) -> bytes:
        account, agent = self.some_account(), self.some_agent()
        deadline = self.rng.choice((0, self.time - 1, self.time, self.time + 1, self.time + 30, MAX_UINT64))
        body = records.ScheduleCancelBody(account, self.next_nonce(account), deadline, agent)
        return self.by(account, records.encode(body), agent)

    def name_agent(self, account: int, agent: int, expiry: int) -> bytes:
        key = HANDS.get((account, agent))
        address = ADDRESSES[key] if key and self.rng.random() < 0.95 else bytes(20)
        body = records.SetAgentBody(account, self.next_nonce(account), agent, address, expiry)
        return self.by(account, records.encode(body))

    def set_agent(self) -> bytes:
        rng = self.rng
        agent = rng.choice((1, 1, 2, 2, keys.MAX_AGENT)) if rng.random() < 0.9 else rng.choice((0, 9, 255))
        expiry = self.time + rng.choice((0, 1, 100, 10**6)) if rng.random() < 0.95 else MAX_UINT64
        return self.name_agent(self.some_account(), agent, expiry)

    def legs(self) -> list[Leg]:
        rng = self.rng
        legs = []
        for _ in range(rng.choice((0, 1, 3, 8, 9, 17))):
            market = rng.choice((1, 1, 2, 3, rng.randrange(256)))
            if rng.random() < 0.3:
                legs.append(Leg(records.CANCEL_LEG, market, rng.randrange(ORDER_SLOTS)))
                continue
            side = rng.randint(0, 1)
            flags = rng.choice((0, 0, 1, 2, 3)) | rng.choice((0, 0, 0, 4)) | rng.choice((0, 0, 8, 16))
            flags |= records.SELL_LEG if side else 0
            price = min(self.some_price(market, side), keys.MAX_TICK)
            size = rng.choice((1, 5, 60, rng.randint(1, 3000), 2**31 if self.is_large else 0))
            if rng.random() < 0.03:
                flags, size = rng.choice((24, 64, 127, 128, 255)), rng.choice((0, 2**31, 2**31 + 1, 2**40 - 1))
            legs.append(Leg(flags, market, rng.choice((rng.randrange(ORDER_SLOTS), rng.randrange(256))), price, size))
            if rng.random() < 0.05:
                legs.append(Leg(0, 0, 0))
        return legs

    def bulk(self) -> list[bytes]:
        """A bulk record and its pages, now and then with something between them, or not the pages it names."""
        rng = self.rng
        account, agent = self.some_account(), self.some_agent()
        legs = self.legs()
        leg_pages: list[bytes] = []
        following = bytes(32)
        for start in reversed(range(0, max(1, len(legs)), records.LEGS_PER_PAGE)):
            leg_pages.insert(0, records.encode_leg_page(legs[start : start + records.LEGS_PER_PAGE], following))
            following = keccak(leg_pages[0])
        body = records.BulkBody(account, self.next_nonce(account), following, agent)
        inputs = [self.by(account, records.encode(body), agent), *leg_pages]
        if rng.random() < 0.2:
            inputs.insert(rng.randint(1, len(inputs)), rng.choice((self.crank, self.cancel, self.stray_leg_page))())
        return inputs

    def stray_leg_page(self) -> bytes:
        return records.encode_leg_page(self.legs()[: records.LEGS_PER_PAGE], self.rng.choice((bytes(32), b"\x11" * 32)))

    def crank(self) -> bytes:
        return records.encode_crank(self.some_market())

    def some_amount(self, account: int) -> int:
        rng = self.rng
        if rng.random() < 0.06:
            return rng.choice(AMOUNT_EDGES)
        equity, requirement = compute_health(self.machine.regs, self.state, self.read_account(account))
        free = equity - requirement
        if free > 0 and rng.random() < 0.45:
            return min(max(1, rng.choice((free, free + 1, free - 1, free // 2))), 2**96)
        return rng.randint(1, 2**90 if self.is_large else 5000)

    def transfer(self) -> bytes:
        rng = self.rng
        account, peer = self.some_account(), self.some_account()
        if rng.random() < 0.6:
            peer = keys.sub_account(keys.get_master(account), rng.choice((0, 1, SUBS)))
        return self.transfer_of(account, peer & 0xFFFFFFFF, self.some_amount(account))

    def transfer_of(self, account: int, peer: int, amount: int) -> bytes:
        body = records.TransferBody(account, self.next_nonce(account), peer, amount)
        return self.by(account, records.encode(body))

    def withdraw(self) -> bytes:
        account = self.some_account()
        body = records.WithdrawBody(account, self.next_nonce(account), self.some_amount(account))
        return self.by(account, records.encode(body))

    def backstop_deposit(self) -> bytes:
        account = self.some_account()
        amount = self.rng.choice((1, 1000, self.some_amount(account)))
        amount = amount // 8 + 1 if self.is_poor else amount
        body = records.BackstopDepositBody(account, self.next_nonce(account), amount)
        return self.by(account, records.encode(body))

    def backstop_withdraw(self) -> bytes:
        account = self.some_account()
        held = self.read_account(account).shares
        shares = self.rng.choice((held, held + 1, held // 2, 1, self.rng.choice(AMOUNT_EDGES)))
        body = records.BackstopWithdrawBody(account, self.next_nonce(account), shares)
        return self.by(account, records.encode(body))

    def report_of(self, index: int, time: int, market: int, price: int) -> bytes:
        body = records.encode(records.ReportBody(index, time, market, price))
        return self.sign(ORACLES.get(index, ORACLES[0]), body)

    def next_price(self, market: int) -> int:
        """A walk with jumps: makers resting far away and levered accounts lose their margin."""
        rng = self.rng
        mark = self.read_market(market).mark or self.first_price(market)
        self.drift[market] = rng.choice((-1, 1)) if rng.random() < 0.1 else self.drift.get(market, 1)
        jump = rng.choices((0, mark // 200, mark // 20, mark // 4), (2, 6, 4, 1))[0]
        price = mark + self.drift[market] * rng.randint(0, max(1, jump))
        anchor = self.first_price(market)
        if price > 3 * anchor or price < anchor // 3 + 1:
            price = anchor
        return min(price, keys.MAX_TICK) if self.is_large else price

    def crash(self) -> bytes:
        """A jump so large that some accounts are worth nothing after it."""
        market = self.rng.randint(1, 3)
        mark = self.read_market(market).mark or self.first_price(market)
        price = self.rng.choice((mark // 2, mark * 3 // 4, mark * 5 // 4, mark * 3 // 2))
        return self.report_of(self.rng.randrange(SIGNERS), self.time, market, min(max(1, price), keys.MAX_TICK))

    def report(self) -> bytes:
        rng = self.rng
        market = self.some_market()
        price = self.next_price(market)
        if rng.random() < 0.05:
            price = rng.choice(PRICE_EDGES)
        age = rng.choices((0, 1, 10, 60, 61, 121, -1, -60, -61, -121), (8, 4, 2, 1, 1, 1, 4, 1, 1, 1))[0]
        index = rng.choice((*range(SIGNERS), *range(SIGNERS), SIGNERS, leaves.MAX_SIGNERS, 2**32 - 1))
        return self.report_of(index, max(0, self.time - age), market, price)

    # --- hostile -----------------------------------------------------------------------------------------------------

    def forgery(self) -> bytes:
        """A record whose signature, or whose body under a signature, was tampered with."""
        rng = self.rng
        makers = (
            self.order,
            self.order,
            self.cancel,
            self.cancel_all,
            self.amend,
            self.schedule_cancel,
            self.set_agent,
            self.transfer,
            self.withdraw,
            self.backstop_deposit,
            self.backstop_withdraw,
            self.report,
            lambda: self.bulk()[0],
        )
        record = rng.choice(makers)()
        body, r, s = record[:60], record[60:92], int.from_bytes(record[92:], "big")
        order = signatures.CURVE_ORDER
        low = s & (2**255 - 1)
        forged = {
            "bit": lambda: self.flip(record),
            "parity": lambda: body + r + (s ^ 2**255).to_bytes(32, "big"),
            "high s": lambda: body + r + (((order - low) & (2**255 - 1)) | (s & 2**255)).to_bytes(32, "big"),
            "no s": lambda: body + r + bytes(32),
            "half": lambda: body + r + signatures.HALF_ORDER.to_bytes(32, "big"),
            "over half": lambda: body + r + (signatures.HALF_ORDER + 1).to_bytes(32, "big"),
            "no r": lambda: body + bytes(32) + record[92:],
            "r is n": lambda: body + order.to_bytes(32, "big") + record[92:],
            "r over n": lambda: body + b"\xff" * 32 + record[92:],
            "small r": lambda: body + rng.randint(1, 9).to_bytes(32, "big") + record[92:],
            "random": lambda: body + rng.randbytes(64),
            "another's": lambda: self.sign(TRADERS[rng.randint(1, ACCOUNTS)], body),
        }
        return rng.choice(list(forged.values()))()

    def flip(self, record: bytes) -> bytes:
        bit = self.rng.randrange(len(record) * 8)
        return (int.from_bytes(record, "big") ^ 1 << bit).to_bytes(len(record), "big")

    def refused(self, name: str) -> bytes:
        """A well-formed input of this name that its fetch refuses."""
        rng = self.rng
        market = rng.choice((0, self.machine.regs.markets + 2, 2**16 - 1))
        plain: dict[str, Callable[[], bytes]] = {
            "crank": lambda: records.encode_crank(market),
            "report": lambda: self.report_of(0, self.time, market, 1),
            "leg_page": self.stray_leg_page,
            "deposit": lambda: self.deposit_of(1, 0),
            "list_market": lambda: records.encode(self.listing(market)),
            "set_market": lambda: records.encode(records.SetMarketBody(*self.listing(market))),
            "set_signer": lambda: self.signer(0, rng.choice((0, 8)), 60),
            "forced": lambda: records.encode(records.ForcedBody(bytes(20), self.cancel()[: records.BODY_BYTES])),
            "wind_down": lambda: records.encode(records.WindDownBody()),
        }
        if name in plain:
            return plain[name]()
        record = self.bulk()[0] if name == "bulk" else self.maker(name)()
        return self.sign(keccak(b"nobody"), record[: records.BODY_BYTES])

    def replay(self) -> bytes:
        return self.rng.choice(self.sent) if self.sent else self.order()

    def noise(self, *, is_message: bool) -> bytes:
        """Bytes of any type: random, zero, or well-formed but in the wrong place or with something in the padding."""
        rng = self.rng
        kind = rng.choice((*range(records.UNUSED + 2), 0x7F, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0xFF))
        shape = rng.randrange(4)
        if shape == 0:
            return bytes([kind]) + rng.randbytes(123)
        if shape == 1:
            return bytes([kind]) + bytes(123)
        makers = (
            self.deposit,
            self.list_market,
            self.set_market,
            self.set_signer,
            self.forced,
            lambda: records.encode(records.WindDownBody()),
            self.order,
            self.cancel,
            self.amend,
            self.crank,
            self.backstop_deposit,
            self.report,
        )
        body = rng.choice(makers)()
        if shape == 2 and not is_message:
            return body
        at = rng.choice((80, 81, 111, 112, 122, 123) if body[0] >= records.FIRST_MESSAGE else (59, 58, 50, 48))
        return body[:at] + bytes([rng.randint(1, 255)]) + body[at + 1 :]
