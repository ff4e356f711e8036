"""What everybody is worth at the true prices: money, positions, funding that is due, and shares of the backstop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from setoff.deploy.simulation.market_lab.exchange import Exchange
from setoff.shared.codec import records
from setoff.shared.codec.integers import div_ceil
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.shares import get_shares
from setoff.shared.state import keys

Prices = Mapping[int, int]
"""Ticks, by market."""


def compute_equity(machine: Machine, account: int, prices: Prices) -> int:
    """Collateral and positions at these prices, less the funding that is due; token units."""
    leaf = machine.state.account(account)
    equity = leaf.collateral
    for position in leaf.positions:
        if position.market and position.size:
            market = machine.state.market(position.market)
            price = market.mark if market.settled else prices[position.market]
            equity += position.size * price * market.unit
            equity -= div_ceil(position.size * (market.funding - position.funding), phases.FUNDING_ONE)
    return equity


def compute_marks(machine: Machine) -> dict[int, int]:
    """The marks, as prices."""
    return {market: machine.state.market(market).mark for market in range(1, machine.regs.markets + 1)}


def compute_stake(machine: Machine, account: int, prices: Prices) -> int:
    """What an account's shares of the backstop are worth, those too that it has asked to be paid for."""
    leaf, backstop = machine.state.account(account), machine.state.account(keys.BACKSTOP)
    shares = get_shares(leaf, backstop)
    request = machine.state.request(account)
    if request.kind == records.BACKSTOP_WITHDRAW and request.generation == backstop.generation:
        shares += request.amount
    equity = max(0, compute_equity(machine, keys.BACKSTOP, prices))
    return equity * shares // (backstop.shares + phases.VIRTUAL_SHARES)


def count_waiting(machine: Machine, account: int) -> int:
    """Token units that wait to become shares of the backstop."""
    request = machine.state.request(account)
    return request.amount if request.kind == records.BACKSTOP_DEPOSIT else 0


def compute_wealth(exchange: Exchange, account: int, prices: Prices) -> int:
    """All that an account has, and what it has taken out, less what it brought."""
    machine = exchange.machine
    inside = compute_equity(machine, account, prices) + compute_stake(machine, account, prices)
    return inside + count_waiting(machine, account) + exchange.withdrawn[account] - exchange.deposited[account]


def count_shared(exchange: Exchange, accounts: Iterable[int], prices: Prices) -> dict[str, int]:
    """What is no account's: the insurance funds, the funding pools, and what of the backstop none of these has."""
    machine = exchange.machine
    markets = [machine.state.market(market) for market in range(1, machine.regs.markets + 1)]
    staked = sum(compute_stake(machine, account, prices) for account in accounts)
    return {
        "insurance": sum(market.insurance for market in markets),
        "funding pool": sum(market.pool for market in markets),
        "backstop": compute_equity(machine, keys.BACKSTOP, prices) - staked,
    }
