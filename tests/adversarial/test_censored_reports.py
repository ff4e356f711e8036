"""An operator that leaves a market's reports out, for longer than an oracle may be silent, and posts all else in time.

Anybody can force them: each counts as of when it was queued, so that the market lives on, a day behind, and its holders
take their gains out. Once the operator is gone it ends at the last price that was forced.
"""

from dataclasses import replace

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.processes.lone_watcher import LoneWatcher

from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec import records
from setoff.shared.errors import OUTCOMES
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.inbox import Inbox
from setoff.shared.params import DEMO
from setoff.shared.rules.phases import ORACLE_DEATH
from setoff.shared.sdk.replay import Replay
from setoff.watcher.settings import WatcherSettings

pytestmark = pytest.mark.xdist_group("watcher processes")

HOUR, DAY = 3600, 86_400
PARAMS = replace(DEMO, force_delay=DAY, silence=3 * DAY, wind_down=7 * DAY, exit_delay=4 * DAY).check()
OPERATOR, HOLDER = 1, 2
"""Accounts of the exchange: the operator's own is short, the holder long."""
DEPOSIT, LOTS = 1_000_000, 1_000
BEFORE, AFTER, LAST = 100, 130, 125
"""Prices: when they traded, ever since, and when the operator stops."""
SIGNERS, MAX_AGE = 3, 60


@pytest.fixture
def exchange(anvil: Anvil) -> Exchange:
    exchange = Exchange(anvil, PARAMS)
    exchange.deposit(OPERATOR, DEPOSIT)
    exchange.deposit(HOLDER, DEPOSIT)
    return exchange


def force_reports(exchange: Exchange, traffic: SampleTraffic, price: int) -> None:
    """By a stranger, of what the signers say now."""
    traffic.time = exchange.operator.head().timestamp
    for signer in range(SIGNERS):
        exchange.queue(traffic.report(signer, price))


def post_what_is_due(exchange: Exchange, reader: ChainReader, records: list[bytes]) -> None:
    """A batch of these records, and no message that may be left out."""
    head = exchange.operator.head()
    due = sum(message.timestamp + DAY <= head.timestamp for message in reader.messages(0, head.number))
    consumed = Inbox(exchange.operator, exchange.deployment).state().messages_consumed
    exchange.post(reader.batch_count(), max(0, due - consumed), records)


def test_a_market_lives_by_reports_that_strangers_force(exchange: Exchange, settings: WatcherSettings) -> None:
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    reader = ChainReader(exchange.funder, exchange.deployment)
    replay = Replay(reader)
    for message in (traffic.list_market(max_age=MAX_AGE), *(traffic.set_signer(n, SIGNERS) for n in range(SIGNERS))):
        exchange.enact(message)
    traffic.time = exchange.operator.head().timestamp
    reports = [traffic.report(signer, BEFORE) for signer in range(SIGNERS)]
    sides = [traffic.order(OPERATOR, records.SELL, BEFORE, LOTS), traffic.order(HOLDER, records.BUY, BEFORE, LOTS)]
    exchange.post(0, 3 + SIGNERS, [*reports, *sides])
    began = exchange.operator.head().timestamp

    # The true price is another one from now on.
    amount, asked = DEPOSIT + LOTS * 10 * (AFTER - BEFORE) // 2, 0
    while exchange.operator.head().timestamp < began + ORACLE_DEATH + DAY:
        force_reports(exchange, traffic, AFTER)
        if not asked and exchange.operator.head().timestamp > began + DAY:
            asked = reader.message_count()
            exchange.queue(traffic.withdraw(HOLDER, amount))
        exchange.anvil.advance(8 * HOUR)
        post_what_is_due(exchange, reader, [traffic.transfer(OPERATOR, HOLDER, 1), traffic.crank(1)])
    replay.advance()
    market, now = replay.machine.state.market(1), replay.machine.regs.time
    assert (market.index, market.mark, market.settled, market.expiry) == (AFTER, AFTER, 0, 0)
    assert now - DAY - 8 * HOUR - MAX_AGE < market.index_time < now - DAY
    result = replay.result(asked)
    assert result is not None and OUTCOMES[result.outcome] == "accepted"
    keeping = replace(settings, key=dev_keys()[5].hex(), liveness_keeper=True, liveness_keeper_pace=0, claim_after=15)
    watcher = LoneWatcher(exchange, keeping)
    watcher.wait_for_money(HOLDER, amount)

    # The operator stops, and everybody else ends the exchange at the price that was forced last.
    force_reports(exchange, traffic, LAST)
    exchange.anvil.advance(PARAMS.wind_down)

    def is_settled() -> bool:
        replay.advance()
        return replay.machine.state.market(1).settled == 1

    watcher.play_until(is_settled, HOUR)
    assert replay.machine.state.market(1).mark == LAST
