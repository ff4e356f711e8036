"""The presets and the inequalities."""

import dataclasses
import re
from pathlib import Path

import pytest

from setoff.contracts.compiler import ROOT
from setoff.shared import params
from setoff.shared.errors import ConfigError
from setoff.shared.machine.batch import MAX_INPUTS
from setoff.shared.params import DEVNET, MAINNET, PRESETS, TESTNET, Params, preset
from setoff.shared.rules import phases


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_safe(name: str) -> None:
    terms = preset(name)
    assert terms.challenge_period >= terms.computation + terms.censorship + 5 * terms.inclusion + terms.queueing
    assert terms.bond - terms.bond_burn >= terms.gas_price_cap * params.HONEST_GAS
    assert terms.stake_claims * terms.stake_reward <= terms.stake * (10**6 - terms.bond_burn_ppm) // 10**6
    assert Params.from_dict(terms.to_dict()) == terms


@pytest.mark.parametrize(
    "change",
    [
        {"challenge_period": DEVNET.needed_period - 1},
        {"censorship": DEVNET.challenge_period},
        {"inclusion": -1},
        {"bond": 2 * DEVNET.needed_share - 2},
        {"bond_burn_ppm": 0},
        {"bond_burn_ppm": 10**6},
        {"stake_claims": 0},
        {"stake_claims": 51},
        {"epoch_batches": 0},
        {"epoch_batches": 33},
        {"claim_interval": 3},
        {"max_skew": 1},
        {"max_skew": 4 * DEVNET.batch_interval - 1},
        {"silence": DEVNET.max_skew},
        {"wind_down": DEVNET.silence + DEVNET.force_delay},
        {"force_delay": DEVNET.batch_interval},
        {"receipt_bond": 1},
        {"exit_delay": DEVNET.needed_exit_delay - 1},
    ],
)
def test_refuses_what_is_not_safe(change: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="bad_terms"):
        dataclasses.replace(DEVNET, **change).check()


def test_nobody_chooses_among_the_prices_of_hours() -> None:
    with pytest.raises(ConfigError, match="prices of 901 s"):
        dataclasses.replace(MAINNET, max_skew=901).check()
    dataclasses.replace(MAINNET, max_skew=900).check()


def test_the_bound_is_the_last_safe_value() -> None:
    dataclasses.replace(DEVNET, challenge_period=DEVNET.needed_period).check()
    dataclasses.replace(DEVNET, bond=2 * DEVNET.needed_share).check()
    dataclasses.replace(DEVNET, exit_delay=DEVNET.needed_exit_delay).check()


@pytest.mark.parametrize("name", PRESETS)
def test_only_trials_leave_less_time_than_the_worst_history_takes(name: str) -> None:
    terms = preset(name)
    assert terms.is_trial == (name in ("devnet", "demo"))
    assert terms.least_quorum == (1 if terms.is_trial else 3)
    assert terms.is_trial == (terms.computation < terms.worst_computation)
    assert terms.is_trial == (terms.claim_interval < terms.needed_claim_interval)
    assert terms.is_trial or terms.worst_execution + terms.worst_computation <= terms.claim_interval * 4 // 5


def test_the_worst_epoch_has_every_step_that_the_rules_allow() -> None:
    assert params.MAX_BATCH_STEPS == phases.BATCH_STEP_CAP + MAX_INPUTS
    assert TESTNET.worst_computation == -(-TESTNET.epoch_batches * params.MAX_BATCH_STEPS // params.HISTORY_RATE)


def test_the_least_time_for_a_history_is_the_worst_ones() -> None:
    least = dataclasses.replace(TESTNET, computation=TESTNET.worst_computation)
    least.check()
    with pytest.raises(ConfigError, match="bad_terms: κ"):
        dataclasses.replace(least, computation=least.computation - 1).check()
    with pytest.raises(ConfigError, match="bad_terms: κ"):
        dataclasses.replace(least, epoch_batches=least.epoch_batches + 1).check()
    slow = {"claim_interval": TESTNET.needed_claim_interval}
    dataclasses.replace(TESTNET, **slow).check()
    with pytest.raises(ConfigError, match="bad_terms: a watcher falls behind"):
        dataclasses.replace(TESTNET, claim_interval=TESTNET.needed_claim_interval - 1).check()
    short = {"challenge_period": params.TRIAL_PERIOD, "censorship": 0, "computation": 1}
    with pytest.raises(ConfigError, match="bad_terms: κ"):
        dataclasses.replace(TESTNET, **short).check()
    dataclasses.replace(TESTNET, **short | {"challenge_period": params.TRIAL_PERIOD - 1}).check()


def test_refuses_unknown_names() -> None:
    with pytest.raises(ConfigError):
        preset("moonnet")
    for values in ({}, {**DEVNET.to_dict(), "owner": 1}, {**DEVNET.to_dict(), "bond": "much"}):
        with pytest.raises(ConfigError):
            Params.from_dict(values)


def test_credits_have_the_limits_that_the_bond_pays() -> None:
    source = (Path(ROOT) / "court" / "credits.vy").read_text()
    found = {
        name: int(value) for name, value in re.findall(r"(\w+_GAS): public\(constant\(uint256\)\) = ([\d_]+)", source)
    }
    assert found == {name: getattr(params, name) for name in ("MOVE_GAS", "TIMEOUT_GAS", "PROVE_GAS")}
