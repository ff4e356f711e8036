"""Every phase from states at the bounds that the rules keep: nothing overflows there, and both sides agree.

The states are made, not reached: the largest positions at the highest prices, accounts as rich and as deep under water
as the vault's cap allows. What a step starts from is free to choose, because a proof states it.
"""

from __future__ import annotations

from random import Random

import pytest
from tests.differential.harness import DOMAIN, Case, Judge

from setoff.shared.codec import records
from setoff.shared.codec.integers import MAX_UINT64, PPM
from setoff.shared.machine.batch import Batch, Header
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.witness import prove_step
from setoff.shared.rules import phases
from setoff.shared.state import keys
from setoff.shared.state.leaves import (
    MAX_POSITIONS,
    MAX_SIGNERS,
    Account,
    Bitmap,
    Level,
    Market,
    Oracle,
    Order,
    Position,
    Signers,
)
from setoff.shared.state.registers import Registers, machine_hash
from setoff.shared.state.store import State, encode_leaf
from setoff.shared.state.tree import Tree

#: Token units that no account's collateral exceeds either way: see the bounds in contracts/rules/margin.vy.
MAX_COLLATERAL = 2**124
STATES = 60

PAYER, PEER = 3, keys.MAX_ACCOUNT
MARKET = 7


class States:
    """Random states and registers, each number often at an end of its range."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)

    def number(self, low: int, high: int) -> int:
        rng = self.rng
        if rng.random() < 0.4:
            return rng.choice((low, high, min(low + 1, high), max(high - 1, low)))
        # Evenly over lengths in bits, or else small numbers would hardly come up.
        span = high - low
        return low + rng.randint(0, min(span, 1 << rng.randint(0, span.bit_length())))

    def signed(self, bound: int) -> int:
        return self.number(0, bound) * self.rng.choice((1, -1))

    def market(self) -> Market:
        leaf = Market()
        leaf.unit = self.number(1, phases.MAX_UNIT - 1)
        leaf.initial_margin = self.number(1, PPM)
        leaf.maintenance_margin = self.number(1, leaf.initial_margin)
        leaf.taker_fee = self.number(0, phases.MAX_FEE)
        leaf.maker_fee = self.rng.choice((-leaf.taker_fee, self.number(0, phases.MAX_FEE), -leaf.taker_fee // 2))
        leaf.band = self.number(1, PPM)
        leaf.best_bid = self.number(0, keys.MAX_TICK)
        leaf.best_ask = self.number(0, keys.MAX_TICK)
        leaf.mark = self.number(1, keys.MAX_TICK)
        leaf.index, leaf.index_time = leaf.mark, self.number(0, MAX_UINT64)
        leaf.fees = self.signed(MAX_COLLATERAL)
        # Room for the largest position of each of two traders, and for what they trade.
        leaf.open_interest = self.number(2 * phases.MAX_POSITION, 2**62)
        return leaf

    def position(self, market: int, size: int = 0) -> Position:
        """A position as admission leaves it, with at least `size` lots open on either side."""
        most = phases.MAX_POSITION
        lots = self.signed(most - size)
        bids, asks = self.number(size, most - lots), self.number(size, most + lots)
        cost = self.signed(abs(lots) << 56)
        return Position(market, lots, bids, asks, cost)

    def account(self, size: int) -> Account:
        leaf = Account()
        leaf.owner = self.rng.randbytes(20)
        leaf.collateral = self.signed(MAX_COLLATERAL)
        leaf.nonce_top, leaf.nonce_bitmap = self.number(0, MAX_UINT64), self.number(0, 2**256 - 1)
        used = self.rng.sample(range(MAX_POSITIONS), self.rng.randint(1, MAX_POSITIONS))
        others = self.rng.sample(range(MARKET + 1, MARKET + 12), MAX_POSITIONS)
        for place in used:
            leaf.positions[place] = self.position(MARKET if place == used[0] else others[place], size)
        return leaf

    def order(self, side: int, price: int, size: int) -> Order:
        leaf = Order()
        leaf.market, leaf.side, leaf.flags, leaf.price = MARKET, side, self.rng.choice((0, 2)), price
        leaf.size = size
        leaf.sequence, leaf.nonce = self.number(1, MAX_UINT64), self.number(0, MAX_UINT64)
        return leaf

    def machine(self, phase: int) -> Machine:
        """A machine in `phase`, with all leaves that its step may touch."""
        rng = self.rng
        regs = Registers(DOMAIN)
        regs.time, regs.batch, regs.slot = self.number(0, 2**40), self.number(0, 2**40), self.number(0, 1023)
        regs.phase, regs.steps = phase, self.number(0, phases.BATCH_STEP_CAP)
        regs.sequence, regs.withdrawals = self.number(0, 2**62), self.number(0, 2**34)
        regs.accounts, regs.markets = keys.MAX_ACCOUNT, keys.MAX_MARKET
        regs.kind = rng.choice((records.ORDER, records.ORDER, records.TRANSFER, records.WITHDRAW))
        if phase == phases.TRANSFER:
            regs.kind = records.TRANSFER
        regs.account, regs.peer, regs.signer = PAYER, PEER, rng.randbytes(20)
        regs.nonce, regs.market = self.number(0, MAX_UINT64), MARKET
        regs.side, regs.flags = rng.randint(0, 1), rng.randint(0, 2)
        regs.place = self.number(0, keys.MAX_SLOT)
        regs.price = self.number(1, keys.MAX_TICK)
        regs.size = self.number(1, phases.MAX_ORDER_SIZE)
        regs.amount = self.number(1, phases.MAX_AMOUNT - 1)
        regs.tick, regs.level_side = self.number(1, keys.MAX_TICK), 1 - regs.side
        regs.matches = self.number(0, phases.MAX_MATCHES)
        regs.resume = rng.choice((phases.IDLE, phases.MATCH))
        regs.cursor = keys.order_handle(PEER, self.number(0, keys.MAX_SLOT))
        if phase == phases.REPORT:
            regs.account = rng.randrange(MAX_SIGNERS)
        leaves = self.leaves(regs)
        return Machine(regs, State(Tree((key, encode_leaf(key, leaf)) for key, leaf in leaves.items())))

    def leaves(self, regs: Registers) -> dict[int, object]:
        rng = self.rng
        size = self.number(1, phases.MAX_ORDER_SIZE)
        lots = max(size, regs.size)
        before, after = (keys.order_handle(account, 5) for account in (11, 12))
        maker = self.order(regs.level_side, regs.tick, size)
        maker.prev, maker.next = rng.choice((0, before)), rng.choice((0, after))
        found: dict[int, object] = {keys.market_key(MARKET + i): self.market() for i in range(12)}
        found[keys.account_key(PAYER)] = self.account(lots)
        found[keys.account_key(PEER)] = self.account(lots)
        found[keys.order_key(regs.cursor)] = maker
        for handle in (before, after):
            found[keys.order_key(handle)] = self.order(regs.level_side, regs.tick, size)
        level = Level()
        level.head, level.tail = (maker.prev and before) or regs.cursor, (maker.next and after) or regs.cursor
        level.size, level.count = self.number(size, 2**63), self.number(1, 2**28)
        found[keys.level_key(MARKET, regs.level_side, regs.tick)] = level
        if rng.random() < 0.5:
            own = Level()
            own.head = own.tail = before
            own.size, own.count = self.number(size, 2**63), self.number(1, 2**28)
            found[keys.level_key(MARKET, regs.side, regs.price)] = own
        market = found[keys.market_key(MARKET)]
        assert isinstance(market, Market)
        for best, side in ((market.best_bid, 0), (market.best_ask, 1)):
            if best:
                other = Level()
                other.head = other.tail = before
                other.size, other.count = size, 1
                found.setdefault(keys.level_key(MARKET, side, best), other)
        if rng.random() < 0.5:
            setattr(market, "best_bid" if regs.level_side == records.BUY else "best_ask", regs.tick)
        for side in (0, 1):
            for depth in range(3):
                word = Bitmap()
                word.word = self.number(0, 2**256 - 1) | (rng.randint(0, 1) << keys.bitmap_bit(depth, regs.tick))
                found[keys.bitmap_key(MARKET, side, depth, regs.tick)] = word
        signers, oracle = Signers(), Oracle()
        signers.count, signers.quorum = rng.randint(1, MAX_SIGNERS), rng.randint(1, MAX_SIGNERS)
        signers.max_age = self.number(1, 2**32 - 1)
        signers.owners = [regs.signer if rng.random() < 0.9 else rng.randbytes(20) for _ in range(MAX_SIGNERS)]
        oracle.prices = [self.number(1, keys.MAX_TICK) for _ in range(MAX_SIGNERS)]
        oracle.times = [rng.choice((0, regs.time, self.number(0, MAX_UINT64))) for _ in range(MAX_SIGNERS)]
        if regs.phase == phases.REPORT and rng.random() < 0.8:
            regs.nonce = regs.time
        found[keys.signers_key()], found[keys.oracle_key(MARKET)] = signers, oracle
        return found


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


@pytest.mark.parametrize("phase", range(1, len(phases.NAMES)), ids=lambda phase: phases.NAMES[phase])
def test_bounds(judge: Judge, phase: int) -> None:
    states = States(phase)
    batch = Batch(Header(bytes(32), 0, 0, 0, 0, 0, bytes(32), bytes(32)), (), ())
    outcomes = set()
    for _ in range(STATES):
        machine = states.machine(phase)
        pre = machine.hash()
        proof = prove_step(machine, batch, 0, 1, bytes(32))
        tree = machine.state.tree
        values = tuple(tree.get(leaf.key) for leaf in proof.witness)
        case = Case(phases.NAMES[phase], 0, 1, proof, pre, machine.regs.encode(), values, tree.root)
        assert machine_hash(tree.root, machine.regs.hash()) == case.post
        judge.check(case)
        outcomes.add((machine.regs.phase, machine.regs.outcome))
    if phase in (phases.MARGIN, phases.ADMIT, phases.MATCH, phases.PROBE, phases.REPORT, phases.UNLIST):
        assert len(outcomes) > 1, "the states are too much alike"
