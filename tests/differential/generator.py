"""Random inputs of a machine: realistic trading, every edge of every field, forgeries and noise.

A `Generator` reads the machine it plays on, so that its cancels meet orders, its withdrawals hit the last unit of free
collateral, and its prices drive accounts under water.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.integers import MAX_UINT64, PPM
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.margin import compute_health
from setoff.shared.state import keys, leaves
from setoff.shared.state.leaves import Account, Market, Order
from setoff.shared.state.store import State

ACCOUNTS = 8
SIGNERS = 5
PLACES = 6
LONER = ACCOUNTS + 1  # the account that spends its nonces

TRADERS = {account: keccak(b"trader %d" % account) for account in range(1, LONER + 1)}
ORACLES = {index: keccak(b"oracle %d" % index) for index in range(SIGNERS)}
ADDRESSES = {key: signatures.address_of(key) for key in (*TRADERS.values(), *ORACLES.values())}

#: How often each input is drawn.
RECORDS: dict[str, int] = {
    "order": 40,
    "cancel": 14,
    "transfer": 11,
    "withdraw": 11,
    "report": 14,
    "forgery": 4,
    "noise": 8,
    "replay": 2,
}
MESSAGES: dict[str, int] = {
    "deposit": 10,
    "list_market": 10,
    "set_signer": 8,
    "noise": 6,
    "forced": 5,
    "strange deposit": 4,
}

NO_FAVOUR: Mapping[str, int] = {}

PRICE_EDGES = (0, 1, keys.MAX_TICK, keys.MAX_TICK + 1, 2**32 - 1)
SIZE_EDGES = (0, 1, phases.MAX_ORDER_SIZE, phases.MAX_ORDER_SIZE + 1, MAX_UINT64)
AMOUNT_EDGES = (0, 1, phases.MAX_AMOUNT - 1, phases.MAX_AMOUNT, 2**128 - 1)
PLACE_EDGES = (0, keys.MAX_SLOT, keys.MAX_SLOT + 1, 2**16 - 1)


def listing_edges(m: records.ListMarketBody) -> list[tuple[str, int]]:
    """(field, value) at and just over every bound of a sound listing, one at a time."""
    return [
        *(("market", edge) for edge in (0, m.market - 1, m.market + 1, 2**16 - 1)),
        *(("unit", edge) for edge in (0, 2**32 - 1, 2**32, MAX_UINT64)),
        *(("initial_margin", edge) for edge in (m.maintenance_margin - 1, PPM, PPM + 1, 2**32 - 1)),
        *(("maintenance_margin", edge) for edge in (0, 1, m.initial_margin, m.initial_margin + 1)),
        *(("taker_fee", edge) for edge in (abs(m.maker_fee), phases.MAX_FEE, phases.MAX_FEE + 1, 2**32 - 1)),
        *(("maker_fee", edge) for edge in (-m.taker_fee, -m.taker_fee - 1, phases.MAX_FEE, phases.MAX_FEE + 1)),
        *(("maker_fee", edge) for edge in (-(2**31), 2**31 - 1)),
        *(("band", edge) for edge in (0, 1, PPM, PPM + 1)),
    ]


class Generator:
    """Draws batches for `machine`; the same seed on the same machine gives the same batches."""

    def __init__(self, seed: int, machine: Machine, *, is_large: bool = False) -> None:
        self.rng = Random(seed)
        self.machine = machine
        self.is_large = is_large  # sizes, prices and money near their bounds
        self.time = 1_700_000_000
        self.nonces: dict[int, int] = {}
        self.sent: list[bytes] = []
        self.drift: dict[int, int] = {}

    # --- batches -----------------------------------------------------------------------------------------------------

    def opening(self) -> tuple[int, list[bytes], list[bytes]]:
        """The first batch: funded accounts, markets, signers, prices."""
        messages = [self.deposit_of(account, self.funds()) for account in TRADERS]
        messages += [self.listing(market) for market in range(1, 4)]
        messages += [self.signer(index, 1, 60) for index in range(SIGNERS)]
        reports = [self.report_of(0, self.time, market, self.first_price(market)) for market in range(1, 4)]
        return self.time, messages, reports

    def batch(self, inputs: int = 40, favour: Mapping[str, int] = NO_FAVOUR) -> tuple[int, list[bytes], list[bytes]]:
        """(timestamp, messages, records) of the next batch; `favour` adds to the weights of messages and records."""
        rng = self.rng
        self.time += rng.choice((0, 1, 5, 30, 61))
        self.state = State(self.machine.state.tree)
        weights = {kind: weight + favour.get(kind, 0) for kind, weight in MESSAGES.items()}
        wanted = sum(weights.values()) > sum(MESSAGES.values())
        messages = [self.draw(weights, "message") for _ in range(inputs if wanted else rng.randint(0, 6))]
        weights = {kind: weight + favour.get(kind, 0) for kind, weight in RECORDS.items()}
        return self.time, messages, [self.draw(weights, "record") for _ in range(inputs)]

    def draw(self, weights: dict[str, int], where: str) -> bytes:
        """One input of a kind drawn by `weights`."""
        kind = self.rng.choices(list(weights), list(weights.values()))[0]
        if kind == "noise":
            return self.noise(is_message=where == "message")
        if kind == "forced":
            return self.draw(RECORDS, "record")
        makers: dict[str, Callable[[], bytes]] = {
            "order": self.order,
            "cancel": self.cancel,
            "transfer": self.transfer,
            "withdraw": self.withdraw,
            "report": self.report,
            "forgery": self.forgery,
            "replay": self.replay,
            "deposit": self.deposit,
            "strange deposit": self.strange_deposit,
            "list_market": self.list_market,
            "set_signer": self.set_signer,
        }
        body = makers[kind]()
        if where == "record":
            self.sent.append(body)
        return body

    # --- messages ----------------------------------------------------------------------------------------------------

    def funds(self) -> int:
        return self.rng.choice((2**95, 2**96 - 1)) if self.is_large else self.rng.choice((10**5, 10**6, 3 * 10**6))

    def deposit_of(self, account: int, amount: int, owner: bytes | None = None) -> bytes:
        owner = ADDRESSES[TRADERS[account]] if owner is None else owner
        return records.encode_deposit(records.DepositBody(account, owner, amount))

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

    def listing(self, market: int) -> bytes:
        rng = self.rng
        if self.is_large:
            # The last kind asks so little margin that only the position limit stops an account.
            unit, margin = rng.choice(((2**32 - 1, PPM), (2**31, PPM // 3), (1, 1)))
            maintenance = 1
        else:
            unit, margin, maintenance = rng.choice((1, 1, 3)), rng.choice((50_000, 100_000, 333_333)), 25_000
        taker = rng.choice((0, 1, 500, 777, phases.MAX_FEE if self.is_large else 999))
        maker = rng.choice((-taker, -taker // 2, 0, 100, phases.MAX_FEE if self.is_large else 7))
        band = rng.choice((PPM, 500_000, 200_000))
        return records.encode_list_market(records.ListMarketBody(market, unit, margin, maintenance, taker, maker, band))

    def list_market(self) -> bytes:
        """The next market once in a while (an account has eight places), otherwise a parameter at or over its edge."""
        rng = self.rng
        next_market = self.machine.regs.markets + 1
        sound = self.listing(next_market)
        if next_market <= 10 or (rng.random() < 0.3 and next_market <= keys.MAX_MARKET):
            return sound
        m = records.decode_list_market(sound)
        field, edge = rng.choice(listing_edges(m))
        return records.encode_list_market(m._replace(**{field: edge}))

    def signer(self, index: int, quorum: int, max_age: int) -> bytes:
        owner = ADDRESSES[ORACLES[index]] if index in ORACLES else self.rng.randbytes(20)
        return records.encode_set_signer(records.SetSignerBody(index, owner, quorum, max_age))

    def set_signer(self) -> bytes:
        rng = self.rng
        if rng.random() < 0.6:
            return self.signer(rng.randrange(SIGNERS), rng.choice((1, 2, 3)), rng.choice((30, 60, 120)))
        index = rng.choice((leaves.MAX_SIGNERS - 1, leaves.MAX_SIGNERS, 2**16 - 1, 5))
        return self.signer(index, rng.choice((0, 1, 2, 8, 2**16 - 1)), rng.choice((0, 60, 60)))

    # --- records -----------------------------------------------------------------------------------------------------

    def sign(self, key: bytes, body: bytes) -> bytes:
        return body + signatures.sign(eip712.digest(self.machine.regs.domain, body), key)

    def next_nonce(self, account: int) -> int:
        rng = self.rng
        nonce = self.nonces.get(account, 0) + 1
        if account == LONER:
            nonce += rng.choice((0, 1, 254, 255, 256))
        elif rng.random() < 0.05:
            nonce += rng.choice((1, 30, 255))
        elif rng.random() < 0.08:
            return max(0, nonce - rng.choice((1, 2, 5, 255, 256, 257)))  # used, unused below the top, or too old
        if account == LONER and rng.random() < 0.003:
            return MAX_UINT64
        self.nonces[account] = nonce
        return nonce

    def some_account(self) -> int:
        rng = self.rng
        if rng.random() < 0.03:
            return rng.choice((0, LONER + 1, keys.MAX_ACCOUNT, 2**32 - 1))
        return LONER if rng.random() < 0.08 else rng.randint(1, ACCOUNTS)

    def some_market(self) -> int:
        markets = self.machine.regs.markets
        if self.rng.random() < 0.03:
            return self.rng.choice((0, markets + 1, 2**16 - 1))
        return self.rng.randint(1, max(1, min(markets, 12))) if self.rng.random() < 0.4 else self.rng.choice((1, 1, 2))

    def by(self, account: int, body: bytes) -> bytes:
        return self.sign(TRADERS.get(account, ORACLES[0]), body)

    def read_account(self, account: int) -> Account:
        return self.state.account(account)

    def read_market(self, market: int) -> Market:
        return self.state.market(market)

    def first_price(self, market: int) -> int:
        return keys.MAX_TICK - 5 * market if self.is_large else (100, 1000, 255)[market % 3]

    def order(self) -> bytes:
        rng = self.rng
        account, market = self.some_account(), self.some_market()
        leaf = self.read_market(market)
        mark = leaf.mark or self.first_price(market)
        side = rng.randint(0, 1)
        spread = max(2, mark // 50)
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
        size = rng.choice((1, 2, 3, 7, 20, 50, rng.randint(1, 500), rng.randint(1, 20_000)))
        if self.is_large:
            size = rng.choice((1, 2**20, 2**38, 2**39, phases.MAX_ORDER_SIZE, rng.randint(1, 2**40)))
        position = next((p for p in self.read_account(account).positions if p.market == market), None)
        if position is not None and position.size and rng.random() < 0.25:
            # Close, close in part, or flip.
            side = records.SELL if position.size > 0 else records.BUY
            size = rng.choice((abs(position.size), abs(position.size) + 1, max(1, abs(position.size) // 2)))
        if rng.random() < 0.02:
            size = rng.choice(SIZE_EDGES)
        flags = rng.choices((records.GTC, records.IOC, records.POST_ONLY, 3, 4, 255), (70, 14, 10, 1, 1, 1))[0]
        if rng.random() < 0.01:
            side = rng.choice((2, 255))
        body = records.OrderBody(
            account,
            self.next_nonce(account),
            market,
            side,
            flags,
            self.some_place(account),
            min(max(price, 0), 2**32 - 1),
            min(size, MAX_UINT64),
        )
        return self.by(account, records.encode_order(body))

    def some_place(self, account: int) -> int:
        """Mostly a free order slot."""
        rng = self.rng
        if rng.random() < 0.03:
            return rng.choice(PLACE_EDGES)
        free = [place for place in range(PLACES) if not self.order_at(account, place).market]
        return rng.choice(free) if free and rng.random() < 0.9 else rng.randrange(PLACES)

    def order_at(self, account: int, place: int) -> Order:
        return self.state.order(keys.order_handle(account, place))

    def cancel(self) -> bytes:
        rng = self.rng
        account = self.some_account()
        places = [place for place in range(PLACES) if self.order_at(account, place).market]
        place = rng.choice(places) if places and rng.random() < 0.85 else rng.choice((*range(PLACES), *PLACE_EDGES))
        return self.by(account, records.encode_cancel(records.CancelBody(account, self.next_nonce(account), place)))

    def some_amount(self, account: int) -> int:
        rng = self.rng
        if rng.random() < 0.06:
            return rng.choice(AMOUNT_EDGES)
        equity, requirement = compute_health(self.state, self.read_account(account))
        free = equity - requirement
        if free > 0 and rng.random() < 0.45:
            return min(max(1, rng.choice((free, free + 1, free - 1, free // 2))), 2**96)
        return rng.randint(1, 2**90 if self.is_large else 5000)

    def transfer(self) -> bytes:
        account, peer = self.some_account(), self.some_account()
        body = records.TransferBody(account, self.next_nonce(account), peer, self.some_amount(account))
        return self.by(account, records.encode_transfer(body))

    def withdraw(self) -> bytes:
        account = self.some_account()
        body = records.WithdrawBody(account, self.next_nonce(account), self.some_amount(account))
        return self.by(account, records.encode_withdraw(body))

    def report_of(self, index: int, time: int, market: int, price: int) -> bytes:
        body = records.encode_report(records.ReportBody(index, time, market, price))
        return self.sign(ORACLES.get(index, ORACLES[0]), body)

    def report(self) -> bytes:
        rng = self.rng
        market = self.some_market()
        mark = self.read_market(market).mark or self.first_price(market)
        # A walk with jumps: makers resting far away and levered accounts lose their margin.
        self.drift[market] = rng.choice((-1, 1)) if rng.random() < 0.1 else self.drift.get(market, 1)
        jump = rng.choices((0, mark // 200, mark // 20, mark // 4), (2, 6, 4, 1))[0]
        price = mark + self.drift[market] * rng.randint(0, max(1, jump))
        anchor = self.first_price(market)
        if price > 3 * anchor or price < anchor // 3 + 1:
            price = anchor
        if self.is_large:
            price = min(price, keys.MAX_TICK)
        if rng.random() < 0.05:
            price = rng.choice(PRICE_EDGES)
        age = rng.choices((0, 1, 10, 60, 61, 121, -1, -60, -61, -121), (8, 4, 2, 1, 1, 1, 4, 1, 1, 1))[0]
        index = rng.choice((*range(SIGNERS), *range(SIGNERS), SIGNERS, leaves.MAX_SIGNERS, 2**32 - 1))
        return self.report_of(index, max(0, self.time - age), market, price)

    # --- hostile -----------------------------------------------------------------------------------------------------

    def forgery(self) -> bytes:
        """A record whose signature, or whose body under a signature, was tampered with."""
        rng = self.rng
        record = rng.choice((self.order, self.cancel, self.transfer, self.withdraw, self.report))()
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

    def replay(self) -> bytes:
        return self.rng.choice(self.sent) if self.sent else self.order()

    def noise(self, *, is_message: bool) -> bytes:
        """Bytes of any type: random, zero, or well-formed but in the wrong place or with something in the padding."""
        rng = self.rng
        kind = rng.choice((0, 1, 2, 3, 4, 5, 6, 0x7F, 0x80, 0x81, 0x82, 0x83, 0x84, 0xFF))
        shape = rng.randrange(4)
        if shape == 0:
            return bytes([kind]) + rng.randbytes(123)
        if shape == 1:
            return bytes([kind]) + bytes(123)
        body = rng.choice((self.deposit, self.list_market, self.set_signer, self.order, self.cancel, self.report))()
        if shape == 2 and not is_message:
            return body
        at = rng.choice((59, 58, 40, 60, 122, 123) if body[0] >= records.FIRST_MESSAGE else (59, 58, 45, 34))
        return body[:at] + bytes([rng.randint(1, 255)]) + body[at + 1 :]
