"""Steps by account: whoever makes the machine work more than its share waits while others do."""

import asyncio

import pytest
from tests.support.processes.running_operator import Running

from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.operator.sequencer import batch_builder, step_shares
from setoff.operator.sequencer.step_shares import StepShares, get_sender
from setoff.operator.sequencer.submissions import Submissions
from setoff.shared.codec import records
from setoff.shared.errors import StateError
from setoff.shared.state import keys

BUY = records.BUY


async def submit(running: Running, bodies: list[bytes]) -> list[str]:
    """What becomes of records that come at once."""
    answers = await asyncio.gather(*[running.sequencer.submit(body) for body in bodies], return_exceptions=True)
    return [answer.reason if isinstance(answer, StateError) else "accepted" for answer in answers]


def test_a_record_is_its_owners_whatever_account_it_is_for() -> None:
    traffic = SampleTraffic()
    assert get_sender(traffic.order(3, BUY, 90, 1)) == 3
    assert get_sender(traffic.order(keys.sub_account(3, 2), BUY, 90, 1)) == 3
    assert get_sender(traffic.crank()) == get_sender(traffic.report(0, 100)) == 0


def test_steps_count_for_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(step_shares.time, "monotonic", lambda: now)
    shares = StepShares()
    shares.charge(1, step_shares.SHARE - 1)
    assert shares.find_excess(1) is None
    shares.charge(1, 1)
    shares.charge(0, 2 * step_shares.SHARE)
    excess = shares.find_excess(1)
    assert excess is not None and excess.reason == "overloaded"
    assert shares.find_excess(2) is None and shares.find_excess(0) is None
    now += step_shares.WINDOW
    assert shares.find_excess(1) is None
    shares.charge(1, 1)
    assert shares.find_excess(1) is None


async def test_it_is_known_whether_others_wait() -> None:
    traffic, waiting = SampleTraffic(), Submissions()
    for account in (1, 1, 2):
        waiting.add(traffic.order(account, BUY, 90, 1), (), lambda _: None)
    waiting.take()
    assert waiting.has_others(1) and waiting.has_others(2)
    waiting.take()
    assert waiting.has_others(1) and not waiting.has_others(2)
    waiting.put_back()
    assert waiting.has_others(2)
    waiting.refuse_all("an end")
    assert not waiting.has_others(3)


async def test_who_has_used_its_share_waits_while_others_do(exchange: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_shares, "SHARE", 20)
    traffic = exchange.traffic
    assert set(await submit(exchange, [traffic.order(1, BUY, 90, 1) for _ in range(10)])) == {"accepted"}  # alone
    mixed = [traffic.order(1, BUY, 90, 1), traffic.order(2, BUY, 90, 1), traffic.order(1, BUY, 90, 1)]
    assert await submit(exchange, mixed) == ["overloaded", "accepted", "accepted"]


async def test_refused_records_are_weighed_too(exchange: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_shares, "SHARE", 20)
    traffic = exchange.traffic
    refused = [traffic.order(1, BUY, 90, 1, flags=records.FOK) for _ in range(10)]
    outcomes = await asyncio.gather(*[exchange.sequencer.submit(body) for body in refused], return_exceptions=True)
    assert {getattr(outcome, "reason", "") for outcome in outcomes} == {"unfillable"}
    last = [traffic.order(1, BUY, 90, 1), traffic.order(2, BUY, 90, 1)]
    assert await submit(exchange, last) == ["overloaded", "accepted"]


async def test_a_turn_ends_when_it_has_worked_enough(exchange: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_builder, "TURN_STEPS", 1)
    before = exchange.sequencer.commit
    assert set(await submit(exchange, [exchange.traffic.order(3, BUY, 90, 1) for _ in range(5)])) == {"accepted"}
    assert exchange.sequencer.commit - before == 5
