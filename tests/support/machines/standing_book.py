"""A machine with a standing book, and the records of those who trade on it, all of them accepted."""

import random
from itertools import count

from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.machine.batch import MAX_INPUTS, Batch
from setoff.shared.machine.machine import Machine

ACCOUNTS = 64


MARKETS = 4


SIGNERS = 3


PRICE = 50_000


TIME = 1_800_000_000


RECORDS = MAX_INPUTS


DOMAIN = keccak(b"benchmark")


KEYS = [keccak(b"account %d" % number) for number in range(ACCOUNTS)]


ORACLE_KEYS = [keccak(b"oracle %d" % number) for number in range(SIGNERS)]


def sign(body: bytes, key: bytes) -> bytes:
    """A 124-byte record."""
    return body + signatures.sign(eip712.digest(DOMAIN, body), key)


class Flow:
    """Makes records that a machine in step with it accepts."""

    def __init__(self, seed: int, markets: int = MARKETS, *, sides_apart: bool = False) -> None:
        """On so many markets; `sides_apart`: who buys is another than who sells, so that nobody meets himself."""
        self.rng = random.Random(seed)
        self._markets = markets
        self._sides_apart = sides_apart
        self.nonces = [count(1) for _ in KEYS]
        self.free = [list(range(256)) for _ in KEYS]
        self.resting: list[tuple[int, int]] = []

    def rest(self) -> bytes:
        """An order too far from the middle to trade."""
        side = self.rng.randrange(2)
        away = self.rng.randrange(10, 200)
        return self._order(side, PRICE - away if side == records.BUY else PRICE + away, records.GTC)

    def cross(self) -> bytes:
        """An order that takes the best level or two, and keeps nothing in the book."""
        side = self.rng.randrange(2)
        return self._order(side, PRICE + 30 if side == records.BUY else PRICE - 30, records.IOC)

    def cancel(self) -> bytes:
        """Takes an order back that rests (if no other record has traded with it)."""
        account, slot = self.resting.pop(self.rng.randrange(len(self.resting)))
        body = records.encode(records.CancelBody(account + 1, next(self.nonces[account]), slot))
        self.free[account].append(slot)
        return sign(body, KEYS[account])

    def pick(self) -> bytes:
        """A record of the mix."""
        dice = self.rng.random()
        return self.cross() if dice < 0.4 else self.rest() if dice < 0.7 else self.cancel()

    def _order(self, side: int, price: int, flags: int) -> bytes:
        account = self.rng.choice(
            [index for index, slots in enumerate(self.free) if slots and not (self._sides_apart and index % 2 != side)]
        )
        slot = self.free[account].pop(0)
        if flags == records.GTC:
            self.resting.append((account, slot))
        else:
            self.free[account].append(slot)
        market = self.rng.randrange(self._markets) + 1
        order = records.OrderBody(
            account + 1, next(self.nonces[account]), market, side, flags, slot, price, self.rng.randrange(1, 20)
        )
        return sign(records.encode(order), KEYS[account])


def make_market(flow: Flow, depth: int = 2_000, made: list[bytes] | None = None) -> Machine:
    """A machine with funded accounts, priced markets and `depth` resting orders, whose records `made` is given."""
    made = [] if made is None else made
    machine = Machine.genesis(DOMAIN)
    machine.begin(0, TIME)
    for number, key in enumerate(KEYS):
        deposit = records.DepositBody(number + 1, signatures.address_of(key), 10**15)
        machine.take(records.encode(deposit), is_message=True)
    for market in range(1, MARKETS + 1):
        listing = records.ListMarketBody(market, records.MarketParameters(100, 50_000, 30_000, 500, -100, 50_000))
        machine.take(records.encode(listing), is_message=True)
    for number, key in enumerate(ORACLE_KEYS):
        signer = records.SetSignerBody(number, signatures.address_of(key), 2, 60)
        machine.take(records.encode(signer), is_message=True)
    for market in range(1, MARKETS + 1):
        for number, key in enumerate(ORACLE_KEYS):
            machine.offer(sign(records.encode(records.ReportBody(number, TIME, market, PRICE)), key))
    for batch in range(1, depth // RECORDS + 2):
        machine.begin(batch, TIME)
        for _ in range(min(RECORDS, depth - RECORDS * (batch - 1))):
            made.append(flow.rest())
            assert machine.offer(made[-1]).was_taken
    return machine


def make_batch(flow: Flow, machine: Machine) -> Batch:
    """A full batch that `machine`, which is not changed, accepts record by record."""
    trial = machine.copy()
    trial.begin(machine.regs.batch + 1, TIME + 1)
    accepted: list[bytes] = []
    while len(accepted) < RECORDS:
        record = flow.pick()
        if trial.offer(record).was_taken:
            accepted.append(record)
    return Batch.seal(bytes(32), machine.regs.batch + 1, TIME + 1, 0, 0, bytes(32), (), tuple(accepted))
