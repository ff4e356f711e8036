"""A fast path that is wrong, put in from outside, and traffic of which it makes something else."""

import pytest
from tests.support.chains.exchange import Exchange

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec import records
from setoff.shared.machine import machine as machine_module
from setoff.shared.machine.columns import Columns
from setoff.shared.machine.spot_checks import SpotChecks
from setoff.shared.machine.sweep import Calm

SWEPT = 2
"""The epoch in which a sweep comes by accounts that have closed their positions since the last one."""


def spoil(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps leave out every visit, also of who was used meanwhile, in an exchange of any size."""
    monkeypatch.setattr(machine_module, "MANY_ACCOUNTS", 0)
    monkeypatch.setattr(Calm, "get_word", lambda calm, base: 2**256 - 1)
    monkeypatch.setattr(Columns, "follow", lambda columns, state: ())


def draw(monkeypatch: pytest.MonkeyPatch, *, every: bool) -> None:
    """Every input is drawn for a check, or none but those that are checked in any case."""
    monkeypatch.setattr(SpotChecks, "_is_drawn", lambda checks: every)


def post_swept(exchange: Exchange) -> None:
    """Three batches; a wrong fast path comes to another end of number `SWEPT` and of none before."""
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    exchange.deposit(1, 10**9)
    exchange.deposit(2, 10**9)
    exchange.enact(traffic.list_market(max_age=10**6))
    exchange.enact(traffic.set_signer(max_age=10**6))
    exchange.post(0, 4)
    traffic.time = exchange.operator.head().timestamp
    sides = ((1, records.SELL), (2, records.BUY), (2, records.SELL), (1, records.BUY))
    orders = [traffic.order(account, side, 100, 5) for account, side in sides]
    exchange.post(1, 0, [traffic.report(0, 100), *orders])
    exchange.anvil.advance(60)
    exchange.post(SWEPT, 0, [traffic.crank(), traffic.withdraw(2, 7)])
