"""Whether a watcher's money lasts: what it takes, what it has, and what it says when a call cannot be paid."""

import logging
import time
from dataclasses import replace

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.processes.watching import Desk

from setoff.deploy.devnet.anvil import dev_keys
from setoff.shared.dispute.game import CourtState, Stake
from setoff.shared.dispute.holdings import sum_staked
from setoff.shared.dispute.terms import Terms
from setoff.shared.errors import ChainError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.endpoint import Refused
from setoff.shared.params import DEVNET, ETHER, HONEST_GAS, INSTALL_GAS, MAINNET, count_keys
from setoff.watcher.context import Context
from setoff.watcher.dispute.capital import (
    ADVANCE_GAS,
    CLAIM_GAS,
    POST_GAS,
    count_dispute_capital,
    count_keeper_capital,
)
from setoff.watcher.dispute.capital_watch import CapitalWatch
from setoff.watcher.dispute.challenger import make_player
from setoff.watcher.settings import WatcherSettings

TERMS = Terms(*MAINNET.terms())
FIRST = TERMS.bond + HONEST_GAS * TERMS.gas_price_cap
POOR_KEY = "22" * 32


def test_keys_at_once_are_those_claimed_while_the_first_can_be_disputed() -> None:
    assert TERMS.keys_at_once == 169
    assert count_keys(10, 3) == 5 and count_keys(9, 3) == 4
    assert count_keys(60, 0) is None


def test_a_bond_and_the_gas_for_every_key_are_enough_and_a_wei_less_is_not() -> None:
    assert not count_dispute_capital(TERMS, 169 * FIRST).is_short
    assert count_dispute_capital(TERMS, 169 * FIRST - 1).is_short
    # What stands in bonds already counts.
    assert not count_dispute_capital(TERMS, 169 * FIRST - 5 * TERMS.bond, 5 * TERMS.bond).is_short
    assert "(169 at once)" in count_dispute_capital(TERMS, ETHER).describe()


def test_terms_without_an_interval_bound_nothing() -> None:
    terms = Terms(*DEVNET.terms())
    capital = count_dispute_capital(terms, 10**30)
    assert capital.needed is None and not capital.is_short
    assert "no claim interval" in capital.describe()
    assert count_dispute_capital(terms, terms.bond).is_short


def poor_context(settings: WatcherSettings) -> tuple[WatcherSettings, Context]:
    poor = replace(settings, key=POOR_KEY)
    return poor, Context.open(poor, key=poor.private_key())


def test_a_challenger_looks_at_its_money_and_warns_once(
    settings: WatcherSettings, exchange: Exchange, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("setoff.watcher.dispute.capital_watch.CAPITAL_EVERY", 0.0)
    poor, context = poor_context(settings)
    player = make_player(poor, context)
    player.step()
    capital_watch = CapitalWatch(player)
    with caplog.at_level(logging.WARNING):
        assert capital_watch.look()["short"] and capital_watch.look()["short"]
    assert [record.getMessage().startswith("the capital does not last") for record in caplog.records] == [True]
    exchange.funder.transact(context.l1.address, value=10**18)
    looked = capital_watch.look()
    assert not looked["short"] and looked["capital"].startswith("1.000 ETH held")


def test_a_liveness_keeper_needs_stakes_beside_the_bond() -> None:
    """On mainnet's terms 169 claims can be open at once, and a stake covers 160."""
    keeper_capital = count_keeper_capital(TERMS, 0)
    gas = (TERMS.epoch_batches * POST_GAS + CLAIM_GAS + INSTALL_GAS + ADVANCE_GAS) * TERMS.gas_price_cap
    assert (keeper_capital.stakes, keeper_capital.epoch, keeper_capital.least) == (2, gas, 32 * ETHER + gas + FIRST)
    assert keeper_capital.needed == keeper_capital.least + 32 * ETHER and keeper_capital.cannot_begin
    assert (
        not count_keeper_capital(TERMS, keeper_capital.least).cannot_begin
        and count_keeper_capital(TERMS, keeper_capital.least - 1).cannot_begin
    )
    assert (
        not count_keeper_capital(TERMS, keeper_capital.needed).is_short
        and count_keeper_capital(TERMS, keeper_capital.needed - 1).is_short
    )
    # A stake that stands counts; but where all is staked, nothing is left for bond and gas.
    assert not count_keeper_capital(TERMS, gas + FIRST, 32 * ETHER).cannot_begin
    assert "up to 2 of them" in keeper_capital.describe() and "staked" not in keeper_capital.describe()
    assert "32.000 ETH staked" in count_keeper_capital(TERMS, 0, 32 * ETHER).describe()
    assert count_keeper_capital(Terms(*DEVNET.terms()), 0).stakes == 1


def test_stakes_count_as_long_as_they_stand() -> None:
    court, me, other = CourtState(TERMS, bytes(32)), b"m" * 20, b"o" * 20
    assert sum_staked(court, me) == 0
    court.stakes = {1: Stake(me, open=1), 2: Stake(other), 3: Stake(me), 4: Stake(me)}
    court.stake_of = {me: 4, other: 2}
    assert sum_staked(court, me) == 2 * TERMS.stake, "1 has an open claim, 4 is the newest, 3 was taken back"
    court.stakes[4].is_slashed = True
    assert sum_staked(court, me) == TERMS.stake == sum_staked(court, other)


def test_a_liveness_keeper_that_could_not_claim_says_so_once(
    settings: WatcherSettings, exchange: Exchange, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("setoff.watcher.dispute.capital_watch.CAPITAL_EVERY", 0.0)
    poor, context = poor_context(settings)
    exchange.funder.transact(context.l1.address, value=10**18)  # a bond, but no stake
    player = make_player(poor, context)
    player.step()
    capital_watch = CapitalWatch(player, is_liveness_keeper=True)
    with caplog.at_level(logging.WARNING):
        assert capital_watch.look()["short_of_stakes"] and capital_watch.look()["short_of_stakes"]
    assert [record.getMessage().startswith("what this liveness keeper") for record in caplog.records] == [True]
    exchange.funder.transact(context.l1.address, value=10**18)
    looked = capital_watch.look()
    assert not looked["short_of_stakes"] and looked["keeper_capital"].startswith("2.000 ETH held")


def test_a_call_that_cannot_be_paid_has_a_reason_of_its_own(
    settings: WatcherSettings, exchange: Exchange, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    poor, context = poor_context(settings)
    with pytest.raises(Refused) as refusal:
        context.l1.dry_run(exchange.deployment.court, b"", value=1)
    assert refusal.value.reason == "insufficient_funds"
    with pytest.raises(ChainError) as refusal:
        context.l1.send(exchange.operator.address, b"", 0, gas=21_000)
    assert refusal.value.reason == "insufficient_funds"

    exchange.post(0, 0)
    desk.execute_all()
    player = make_player(replace(poor, claim_after=0), Context.open(poor, key=poor.private_key()))
    with caplog.at_level(logging.WARNING):
        (refused,) = player.step().refused
    assert refused[1] == "insufficient_funds"
    (warning,) = [record.getMessage() for record in caplog.records if "was not sent" in record.getMessage()]
    assert "holds 0.0000 ETH, the call takes 1.0000 ETH and its gas" in warning
    # Money comes: the same player goes on within seconds.
    exchange.funder.transact(context.l1.address, value=2 * 10**18)
    time.sleep(1.1)
    assert [type(action).__name__ for action, _ in player.step().sent] == ["Claim"]


def test_a_rich_account_is_not_poor(settings: WatcherSettings, exchange: Exchange) -> None:
    l1 = L1(settings.rpc_url, dev_keys()[4])
    assert l1.dry_run(exchange.operator.address, b"", value=1) == b""
