"""The adversary's accounts in figures: what each thing that anybody may send costs its sender, and what it costs those
who keep the exchange honest, on the terms of a preset.

Gas is measured on the contracts, memory on the machine; seconds follow from the rates that the terms reckon with
(`shared/params.py`). To compare money with machines takes prices; they are the constants below, all of them in the
attacker's favour: a cheap chain, dear memory, and a hundred honest machines that each pay.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from tests.support.courts.gas import measure
from tests.support.machines.costly_epochs import open_markets

from setoff.deploy.contracts.deployment import TEST_DECIMALS
from setoff.deploy.devnet.devnet import BITCOIN
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec import records
from setoff.shared.machine.machine import Machine
from setoff.shared.params import (
    ETHER,
    EXECUTION_RATE,
    GWEI,
    MOVE_GAS,
    MOVES,
    PROVE_GAS,
    Params,
    count_keys,
)
from setoff.shared.rules import phases
from setoff.shared.state import keys

GAS_PRICE: Final = GWEI
"""Wei a gas: as low as L1 has been."""
ETHER_PRICE: Final = 2_500
"""Dollars."""
CORE_HOUR: Final = 0.05
"""Dollars for a core of a rented server."""
GIGABYTE_YEAR: Final = 40
"""Dollars for a gigabyte of its memory."""
KEEPING_YEARS: Final = 10
"""For which what is never removed from the state is reckoned."""
INTEREST: Final = 0.05
"""A year, on money that is locked."""
MACHINES: Final = 100
"""Honest ones, each of which executes every epoch and keeps the whole state."""
YEAR: Final = 365 * 86_400
PRICE_SECONDS: Final = 10
"""Between two prices of a market."""
ORDERS: Final = 400
"""Of the sample whose memory is measured."""
ORDER_MARGIN: Final = BITCOIN.parameters.order_margin / 10**TEST_DECIMALS
"""Dollars an order and a position, as in the example market."""


@dataclass(frozen=True)
class Attack:
    """One thing an attacker may do again and again; money in dollars, of one unit of it."""

    name: str
    unit: str
    attacker: float
    """What he pays: gas, what is burnt, interest on what is locked."""
    honest: float
    """What it costs all honest parties together after refunds: gas, processors, memory, interest."""
    details: Mapping[str, float]
    """Figures it was reckoned from, by name with unit."""

    @property
    def ratio(self) -> float:
        """Attacker's cost by honest cost."""
        return self.attacker / self.honest


def list_attacks(terms: Params) -> list[Attack]:
    """The accounts, on these terms."""
    return [
        _post_empty_epochs(terms),
        _post_worst_epochs(terms),
        _lie(terms),
        _tie_up_bonds(terms),
        _force_records(),
        _rest_orders(),
        _hold_dust(),
        _open_accounts(),
        _name_agents(),
    ]


def compute_load(terms: Params) -> float:
    """Part of a watcher's time that one worst epoch after another takes, each of them disputed."""
    return (terms.worst_execution + terms.worst_computation) / terms.claim_interval


def _post_empty_epochs(terms: Params) -> Attack:
    """They begin no sooner than they may be claimed, so none delays what comes after it."""
    gas = _gas()
    posting = terms.epoch_batches * gas["post 0 records"]
    claiming = gas["claim"] + gas["install, undisputed"] + gas["advance"]
    seconds = terms.epoch_batches / EXECUTION_RATE  # a step a batch at most
    return Attack(
        "empty epochs",
        "an epoch",
        _dollars(posting),
        _dollars(claiming) + _machines(seconds),
        {"attacker_gas": posting, "honest_gas": claiming, "least time between two_s": terms.claim_interval},
    )


def _post_worst_epochs(terms: Params) -> Attack:
    """As many steps as the rules let it have, each epoch claimed falsely, so that it is traced too."""
    gas = _gas()
    posting = terms.epoch_batches * gas["post 100 records"]
    burnt = terms.stake_reward  # of a stake for so many lies as it takes
    seconds = terms.worst_execution + 2 * terms.worst_computation
    return Attack(
        "worst epochs, each disputed",
        "an epoch",
        _dollars(posting + gas["claim"]) + _ether(burnt),
        _machines(seconds),
        {
            "attacker_gas": posting + gas["claim"],
            "attacker burnt_eth": burnt / ETHER,
            "honest processor_s": seconds,
            "part of the claim interval": compute_load(terms),
        },
    )


def _lie(terms: Params) -> Attack:
    """A false history that plays to the end: its bond pays the honest side's gas, and more."""
    gas = _gas()
    played = MOVES * gas["move, first"] + PROVE_GAS + gas["release"] + gas["redeem"]
    joined = gas["join"] + 3 * gas["move"]
    return Attack(
        "lies about one epoch",
        "a liar",
        _ether(terms.bond) + _dollars(joined),
        _dollars(played),
        {
            "attacker_eth": terms.bond / ETHER,
            "honest_gas": played,
            "honest, refunded up to_gas": MOVES * MOVE_GAS + PROVE_GAS,
            "burnt_eth": terms.bond_burn / ETHER,
        },
    )


def _tie_up_bonds(terms: Params) -> Attack:
    """A false claim on every true start: the stake is lost, an honest bond is locked for T in each."""
    gas = _gas()
    locked = terms.bond * terms.challenge_period / YEAR * INTEREST
    return Attack(
        "false claims, to tie up bonds",
        "a claim",
        _ether(terms.stake / terms.stake_claims) + _dollars(gas["claim"]),
        _ether(locked),
        {
            "attacker, of a stake_eth": terms.stake / terms.stake_claims / ETHER,
            "honest, locked for T_eth": terms.bond / ETHER,
            "honest bonds at once": count_keys(terms.challenge_period, terms.claim_interval) or 0,
        },
    )


def _force_records() -> Attack:
    """Records through the L1 queue that take as many steps as one can."""
    gas = _gas()["force"]
    seconds = phases.RECORD_STEP_BOUND / EXECUTION_RATE
    return Attack(
        "forced records",
        "a record",
        _dollars(gas),
        _machines(seconds),
        {"attacker_gas": gas, "honest steps": phases.RECORD_STEP_BOUND, "honest processor_ms": seconds * 1e3},
    )


def _rest_orders() -> Attack:
    """Orders that stay in the book, each at a price of its own: what they need of margin is locked as long."""
    size = measure_order()
    return Attack(
        "orders that rest",
        "an order and year",
        ORDER_MARGIN * INTEREST,
        _memory(size, 1),
        {"attacker, locked_dollars": ORDER_MARGIN, "honest memory_bytes": size},
    )


def _hold_dust() -> Attack:
    """Positions of a lot, each in an account of its own: every price of their market visits them, in two steps."""
    seconds = 2 * YEAR / PRICE_SECONDS / EXECUTION_RATE
    return Attack(
        "holders of a lot",
        "a holder and year",
        ORDER_MARGIN * INTEREST,
        _machines(seconds),
        {"attacker, locked at least_dollars": ORDER_MARGIN, "honest processor_s": seconds},
    )


def _open_accounts() -> Attack:
    """Accounts that hold nothing: no price visits them, but their nonces are kept for ever."""
    gas = _gas()["deposit, first"]
    size = measure_account()
    return Attack(
        "empty accounts",
        "an account",
        _dollars(gas),
        _memory(size, KEEPING_YEARS),
        {"attacker_gas": gas, "honest memory_bytes": size, "honest steps a price": 0},
    )


def _name_agents() -> Attack:
    """Accounts with all the agents they may have: the records that name them cost the operator, and nobody else."""
    gas = _gas()["deposit, first"]
    size = measure_account() + keys.MAX_AGENT * measure_agent()
    return Attack(
        "accounts with eight agents",
        "an account",
        _dollars(gas),
        _memory(size, KEEPING_YEARS),
        {"attacker_gas": gas, "honest memory_bytes": size, "honest steps a price": 0},
    )


@cache
def _gas() -> dict[str, int]:
    return measure()


@cache
def measure_order() -> float:
    """Bytes of memory of an order at a price of its own, the level included."""
    traffic, machine = _exchange()

    def rest() -> None:
        for number in range(ORDERS):
            order = traffic.order(1 + number // 200, records.BUY, 99_000 - number, 1, order_slot=number % 200)
            assert machine.take(order, is_message=False) == 0

    return _measure(machine, rest) / ORDERS


@cache
def measure_account() -> float:
    """Bytes of memory of an account without positions and orders."""
    traffic, machine = _exchange()

    def deposit() -> None:
        for number in range(ORDERS):
            assert machine.take(traffic.deposit(10 + number, 10**9), is_message=True) == 0

    return _measure(machine, deposit) / ORDERS


@cache
def measure_agent() -> float:
    """Bytes of memory of an agent, where an account has as many as it may."""
    traffic, machine = _exchange()
    accounts = range(10, 10 + ORDERS // keys.MAX_AGENT)
    for account in accounts:
        assert machine.take(traffic.deposit(account, 10**9), is_message=True) == 0
    machine.hash()

    def name() -> None:
        for account in accounts:
            for agent in range(1, keys.MAX_AGENT + 1):
                assert machine.take(traffic.set_agent(account, agent, 2**40), is_message=False) == 0

    return _measure(machine, name) / (len(accounts) * keys.MAX_AGENT)


def _exchange() -> tuple[SampleTraffic, Machine]:
    """A machine with two funded accounts and priced markets, hashed as between two epochs."""
    traffic = SampleTraffic()
    machine = open_markets(traffic, 2)
    machine.hash()
    return traffic, machine


def _measure(machine: Machine, action: Callable[[], None]) -> float:
    """Bytes by which the machine, hashed as between two epochs, grows."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        action()
        machine.hash()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def _ether(wei: float) -> float:
    return wei / ETHER * ETHER_PRICE


def _dollars(gas: float) -> float:
    return _ether(gas * GAS_PRICE)


def _machines(seconds: float) -> float:
    return MACHINES * seconds / 3600 * CORE_HOUR


def _memory(size: float, years: float) -> float:
    return MACHINES * size / 1e9 * GIGABYTE_YEAR * years
