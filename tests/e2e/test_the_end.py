"""The operator is gone for good: from L1 alone strangers post, claim and end the exchange, and all are paid out."""

from pathlib import Path

import pytest
from tests.support.chains.exchange import call_data
from tests.support.chains.town import PARAMS, TRADERS, Town, in_background
from tests.support.waiting import wait_until

from setoff.deploy.devnet.anvil import Anvil
from setoff.shared.errors import StateError
from setoff.shared.sdk.fallback_post import post_waiting
from setoff.shared.sdk.replay import Replay
from setoff.shared.sdk.vault import Vault
from setoff.shared.state import keys


@pytest.fixture
def town(anvil: Anvil, tmp_path: Path) -> Town:
    town = Town(anvil, tmp_path)
    town.trade()
    return town


def test_everybody_is_paid_out_when_the_operator_is_gone(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    # A forced record waits for a batch that nobody posts.
    first = town.inclusion(1)
    forced = first.send(first.cancel_all())
    with pytest.raises(StateError, match="too_early"):
        post_waiting(town.stranger, town.deployment)
    with pytest.raises(StateError, match="pending"):
        first.wait(forced, timeout=0)
    town.anvil.advance(town.inbox.opens_at() - town.now)
    command = in_background(town.line(3, "force order buy 2 5 495 --as-sender"))
    wait_until(lambda: town.waiting == 2)
    town.post()
    command.join(60)
    assert command.code == 0
    assert first.wait(forced).outcome == 0

    # The wind-down: too early, then once.
    assert town.setoff(2, "force wind-down --no-wait") == 1
    assert "too_early" in capsys.readouterr().err
    town.anvil.advance(PARAMS.wind_down)
    assert town.setoff(2, "force wind-down --no-wait") == 0
    assert town.setoff(3, "force order buy 2 5 495 --as-sender --no-wait") == 0
    for market in (1, 2):
        assert town.setoff(4, f"force crank {market} --no-wait") == 0
    town.post()
    town.anvil.advance(60)
    for market in (1, 2):
        assert town.setoff(4, f"force crank {market} --no-wait") == 0
    town.post()
    replay = Replay(town.reader)
    replay.advance()
    assert replay.result(replay.consumed - 4) is not None
    state = replay.machine.state
    assert [state.market(market).settled for market in (1, 2)] == [1, 1]
    assert replay.machine.regs.winding_since > 0

    # Everybody takes out everything: first out of sub-account and backstop, then off the exchange.
    assert town.setoff(1, "force transfer 1 0.777777 --sub 2 --as-sender --no-wait") == 0
    assert town.setoff(4, "force backstop-withdraw --as-sender --no-wait") == 0
    town.post()
    owed = {}
    for account in TRADERS:
        inclusion = town.inclusion(account)
        owed[account] = inclusion.leaf(account).collateral
        inclusion.send(inclusion.withdraw(owed[account]))
    town.post()
    replay.advance()
    assert replay.machine.regs.withdrawals == len(TRADERS)
    town.confirm()
    for index, account in enumerate(TRADERS):
        before = town.balance(account)
        assert town.setoff(account, f"force pay {index}") == 0
        assert town.balance(account) == before + owed[account]

    # What is left is what the protocol says: insurance, the dust of funding, and what the backstop has for nobody.
    state = replay.machine.state
    dust = sum(state.market(market).insurance + state.market(market).pool for market in (1, 2))
    dust += state.account(keys.BACKSTOP).collateral
    vault = Vault(town.stranger, town.deployment)
    held = int.from_bytes(
        town.stranger.call(town.deployment.token, call_data("balanceOf(address)", town.deployment.vault)), "big"
    )
    assert held == dust == replay.machine.regs.owed
    assert sum(owed.values()) + dust == sum(TRADERS.values())
    assert dust > 0 and state.account(keys.BACKSTOP).shares == 0
    assert all(vault.is_paid(index) for index in range(len(TRADERS)))
    # The long won what the short lost, at the last index.
    assert owed[1] > TRADERS[1] > owed[2]


def test_the_operator_comes_back_by_rule(town: Town) -> None:
    """A stranger's batch does not end the operator's right; its own next batch ends the strangers'."""
    inclusion = town.inclusion(1)
    inclusion.send(inclusion.cancel_all())
    town.anvil.advance(PARAMS.silence)
    town.post()
    number = town.reader.batch_count()
    assert town.exchange.post(number, 0).succeeded
    inclusion.send(inclusion.withdraw(1))
    with pytest.raises(StateError, match="too_early"):
        post_waiting(town.stranger, town.deployment)
