"""The recorded order flow: the same every time, and what comes out are records that the machine takes."""

from collections import Counter

import pytest

from setoff.deploy.devnet.devnet import BITCOIN, MAX_AGE, QUORUM
from setoff.deploy.simulation.demo.flow import MARKETS, PriceFeed, schedule, sign_flow
from setoff.deploy.simulation.demo.sample import read_trades
from setoff.deploy.simulation.demo.traders import OracleSigner, Trader, derive_key
from setoff.shared.codec import eip712, records
from setoff.shared.errors import OUTCOMES
from setoff.shared.machine.machine import Machine

DOMAIN = eip712.domain_separator(31337, bytes(20))
TIME = 1_800_000_000
EVENTS = 1500


def test_is_the_same_every_time_for_a_seed() -> None:
    assert schedule(128, 200, seed=1) == schedule(128, 200, seed=1)
    assert schedule(128, 200, seed=1) != schedule(128, 200, seed=2)


def test_keeps_every_order_that_traded() -> None:
    placed = {event.order for _, event in schedule(10**9, 10**9) if event.size}
    assert len(read_trades()) == 284
    assert len(placed) > 284


@pytest.fixture
def traders() -> list[Trader]:
    traders = [Trader(derive_key(0, "trader", number), DOMAIN) for number in range(12)]
    for number, trader in enumerate(traders, start=1):
        trader.account = number
    return traders


@pytest.fixture
def machine(traders: list[Trader]) -> Machine:
    """Traders with money, markets with prices."""
    machine = Machine.genesis(DOMAIN)
    machine.begin(0, TIME)
    for trader in traders:
        body = records.encode(records.DepositBody(trader.account, trader.address, 10**12))
        machine.take(body, is_message=True)
    for market in range(1, MARKETS + 1):
        machine.take(records.encode(BITCOIN._replace(market=market)), is_message=True)
    signers = [OracleSigner(number, derive_key(0, "oracle", number), DOMAIN) for number in range(3)]
    for signer in signers:
        body = records.encode(records.SetSignerBody(signer.number, signer.address, QUORUM, MAX_AGE))
        machine.take(body, is_message=True)
    feed = PriceFeed()
    for market in range(1, MARKETS + 1):
        for signer in signers:
            assert (
                OUTCOMES[machine.offer(signer.sign_report(TIME, market, feed.price(market, 0.0))).outcome] == "accepted"
            )
    return machine


def test_the_machine_takes_what_the_traders_send(machine: Machine, traders: list[Trader]) -> None:
    outcomes: Counter[str] = Counter()
    fills = 0
    for submission in sign_flow(schedule(64, EVENTS), traders):
        outcomes[OUTCOMES[machine.offer(submission.record).outcome]] += 1
        fills += len(machine.fills)
    assert fills > 50
    assert set(outcomes) <= {"accepted", "unknown_order"}  # a cancel that comes after its order has traded away
    assert outcomes["accepted"] > 0.9 * outcomes.total()
