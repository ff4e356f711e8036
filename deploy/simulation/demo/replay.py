"""The whole exchange once more, from L1 alone: every posted batch re-executed, and what the last state owes to whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from setoff.shared.codec.records import BACKSTOP_DEPOSIT
from setoff.shared.errors import OUTCOMES
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import DELEVERAGE, LIQUIDATION, TAKEOVER, Machine
from setoff.shared.state import keys
from setoff.shared.state.leaves import (
    Account,
    Request,
    decode_account,
    decode_market,
    decode_request,
    decode_withdrawal,
)


@dataclass(slots=True)
class Replay:
    """`ends`: machine hash after each batch; `records`: all that were posted; `outcomes`: of all inputs, by reason."""

    machine: Machine
    batches: list[Batch] = field(default_factory=list)
    ends: list[bytes] = field(default_factory=list)
    records: set[bytes] = field(default_factory=set)
    outcomes: Counter[str] = field(default_factory=Counter)
    fills: int = 0
    volume: int = 0
    """Token units that changed hands as the price of fills."""
    forced: Counter[int] = field(default_factory=Counter)
    """Lots that accounts in liquidation lost, by account."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What the vault has to hold for, in token units."""

    collateral: int
    """Of all accounts and sub-accounts, of the backstop vault, and what waits to come into it."""
    insurance: int
    """In the markets' insurance funds, which take the fees."""
    pool: int
    """Funding paid in and not yet out."""
    withdrawals: int
    """Granted and not paid."""
    net_lots: dict[int, int]
    """Sum of all positions by market: zero, or money was made of nothing."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.collateral + self.insurance + self.pool + self.withdrawals


def replay(reader: ChainReader) -> Replay:
    """Run every batch on L1 from genesis. Raises DataError where the node's data do not fit its hashes."""
    result = Replay(Machine.genesis(*reader.deployment.genesis))
    for number in range(reader.batch_count()):
        batch = reader.batch(number)
        if not batch.header.inputs:
            result.machine.run_batch(batch)
        for input_index in range(batch.header.inputs):
            result.outcomes[OUTCOMES[result.machine.run_input(batch, input_index)]] += 1
            for fill in result.machine.fills:
                result.fills += 1
                market = decode_market(_value(result.machine, keys.market_key(fill.market)))
                result.volume += fill.size * fill.price * market.unit
                if fill.kind in (LIQUIDATION, TAKEOVER, DELEVERAGE):
                    result.forced[fill.taker] += fill.size
        result.batches.append(batch)
        result.ends.append(result.machine.hash())
        result.records.update(batch.records)
    return result


def count_owed(machine: Machine, is_paid: set[int]) -> Owed:
    """What the state of `machine` owes; `is_paid`: indices of the withdrawals that the vault has paid."""
    regs = machine.regs
    collateral = 0
    lots: Counter[int] = Counter()
    for account in read_accounts(machine):
        collateral += account.collateral
        for position in account.positions:
            if position.market:
                lots[position.market] += position.size
    collateral += sum(request.amount for request in read_requests(machine) if request.kind == BACKSTOP_DEPOSIT)
    markets = [decode_market(_value(machine, keys.market_key(market))) for market in range(1, regs.markets + 1)]
    insurance, pool = sum(market.insurance for market in markets), sum(market.pool for market in markets)
    unpaid = [index for index in range(regs.withdrawals) if index not in is_paid]
    withdrawals = sum(decode_withdrawal(_value(machine, keys.withdrawal_key(index))).amount for index in unpaid)
    return Owed(
        collateral, insurance, pool, withdrawals, {market: lots[market] for market in range(1, regs.markets + 1)}
    )


def read_accounts(machine: Machine) -> Iterator[Account]:
    """The backstop vault's account, and every master with its sub-accounts."""
    yield decode_account(_value(machine, keys.account_key(keys.BACKSTOP)))
    for master in range(1, machine.regs.accounts + 1):
        for sub in range(keys.MAX_SUB + 1):
            yield decode_account(_value(machine, keys.account_key(keys.sub_account(master, sub))))


def read_requests(machine: Machine) -> Iterator[Request]:
    """What accounts have asked of the backstop vault, the oldest first."""
    number = machine.regs.first_request
    while number:
        request = decode_request(_value(machine, keys.request_key(number)))
        yield request
        number = request.next


def _value(machine: Machine, key: int) -> bytes:
    return machine.state.tree.get(key)
