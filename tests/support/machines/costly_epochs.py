"""Epochs of one batch whose steps are all of one kind, the dearest there are: for measurements, and where many steps
are wanted from few inputs."""

from tests.support.machines.holders import enter_holders

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec import records
from setoff.shared.machine.batch import ZERO, Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.tracing import walk
from setoff.shared.rules import phases
from setoff.shared.state.leaves import Position

PRICE = 100_000
MARKETS = 8

Epoch = tuple[Machine, list[Batch]]
"""The machine before it, and its batches."""


def open_markets(traffic: SampleTraffic, accounts: int) -> Machine:
    """A machine with funded accounts and eight priced markets."""
    machine = Machine.genesis(traffic.domain)
    machine.begin(0, traffic.time)
    for account in range(1, accounts + 1):
        machine.take(traffic.deposit(account, 10**15), is_message=True)
    for market in range(1, MARKETS + 1):
        machine.take(traffic.list_market(market, max_age=10**6), is_message=True)
    machine.take(traffic.set_signer(), is_message=True)
    for market in range(1, MARKETS + 1):
        assert machine.take(traffic.report(0, PRICE, market=market), is_message=False) == 0
    return machine


def make_fills(orders: int = 1_000, makers: int = 10) -> Epoch:
    """An order that meets a maker at a price level of its own each time; makers hold something in eight markets."""
    traffic = SampleTraffic()
    machine = open_markets(traffic, makers + 1)
    for maker in range(1, makers + 1):
        for market in range(2, MARKETS + 1):
            assert machine.take(traffic.order(maker, records.SELL, PRICE + 1, 1, market=market), is_message=False) == 0
    for number in range(orders):
        order = traffic.order(number % makers + 1, records.SELL, PRICE + 1 + number, 1)
        assert machine.take(order, is_message=False) == 0
    taker = traffic.order(makers + 1, records.BUY, PRICE * 3 // 2, 2**20, flags=records.IOC)
    return machine, [Batch.seal(ZERO, 1, traffic.time, 0, 0, ZERO, (), (taker,))]


def make_sweep(accounts: int = 1_000, cranks: int = 1, owed: int = 3 << 32) -> Epoch:
    """A visit of every holder after a crank, each with positions in eight markets that owe funding."""
    traffic = SampleTraffic()
    machine = open_markets(traffic, 1)
    machine.regs.accounts = accounts
    for market in range(1, MARKETS + 1):
        machine.state.market(market).funding = owed
    for number in range(1, accounts + 1):
        account = machine.state.account(number)
        account.collateral = 10**15
        account.owner = number.to_bytes(20, "big")
        account.positions = [
            Position(market, 1 if number % 2 else -1, 0, 0, PRICE * 10, 0) for market in range(1, MARKETS + 1)
        ]
    enter_holders(machine.state)
    traffic.time += phases.SAMPLE_INTERVAL
    return machine, [Batch.seal(ZERO, 1, traffic.time, 0, 0, ZERO, (), (traffic.crank(),) * cranks)]


def make_scan(accounts: int = 1_000) -> Epoch:
    """A visit of every holder that changes nothing."""
    return make_sweep(accounts, owed=0)


def count_steps(epoch: Epoch) -> int:
    """Real steps of an epoch."""
    return sum(1 for _ in walk(epoch[0].copy(), epoch[1]))
