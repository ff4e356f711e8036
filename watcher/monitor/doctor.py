"""Whether this watcher could win a dispute today: the same rules as on L1, money, speed, a node and a Redis that do
what is needed. Nothing is started, and nothing is sent that a block could take.

A watcher whose rulebook differs from L1's in one step is worse than none: it stakes its bond on a lie.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Final, NamedTuple

from redis.exceptions import RedisError

from setoff.contracts.verification import check_deployment
from setoff.shared.config.redis_server import check_durable
from setoff.shared.dispute.game import CourtState
from setoff.shared.dispute.holdings import sum_staked
from setoff.shared.errors import ChainError, ConfigError, SetoffError
from setoff.shared.l1.abilities import ABILITIES, CARRIES_BLOBS
from setoff.shared.l1.account import open_account
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import QUEUE, Contract
from setoff.shared.l1.court import CourtContract, CourtReader
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.tracing import count_workers, estimate_seconds
from setoff.shared.params import GWEI, HONEST_GAS, LEAST_QUORUM, PRESETS, find_preset
from setoff.shared.rules import phases
from setoff.watcher.context import find_store, name_redis, open_reader
from setoff.watcher.dispute.capital import count_dispute_capital, count_keeper_capital, format_ether
from setoff.watcher.execution.archive import Archive
from setoff.watcher.monitor.judge_selftest import JudgeSelftest, Samples
from setoff.watcher.monitor.speed import measure
from setoff.watcher.pulse import read_status
from setoff.watcher.settings import WatcherSettings
from setoff.watcher.store import Store

GOOD, WARNING, FATAL = "ok", "warn", "FAIL"
SKEW: Final = 15
"""Seconds that the host's clock and the chain's may differ."""
BEHIND: Final = 3
"""Epochs that the execution may lie behind what is posted."""

MakeBatches = Callable[[int, bytes], Sequence[Batch]]
"""(chain id, vault) to batches from genesis in which every kind of step occurs."""


class Finding(NamedTuple):
    """One thing examined."""

    grade: str
    what: str
    seen: str

    @property
    def is_fatal(self) -> bool:
        """Whether a dispute would be lost for it, or a liveness keeper's work be in vain."""
        return self.grade == FATAL


class Doctor:
    """Examines one watcher from its settings."""

    def __init__(
        self,
        settings: WatcherSettings,
        make_batches: MakeBatches,
        *,
        liars: int = 10,
        steps: int | None = None,
        kappa: int | None = None,
    ) -> None:
        """`liars`: to have the money for; `steps`: of the largest batch to expect, by default the rules' cap; `kappa`:
        seconds in which a history has to be there, by default the preset's whose terms the court has.
        """
        self._settings = settings
        self._make_batches = make_batches
        self._liars = liars
        self._steps = steps or phases.BATCH_STEP_CAP
        self._kappa = kappa
        self._deployment = settings.load_deployment()
        self._l1 = L1(settings.rpc_url, chain_id=self._deployment.chain_id, patience=min(settings.l1_patience, 10.0))
        self._contract = CourtContract(self._l1, self._deployment.court)
        self._redis_refusal = ""  # why the server that the settings name cannot be used, as `watcher run` says it

    def examine(self) -> Iterator[Finding]:
        """All findings, one by one. What cannot be examined since L1 does not answer is a finding, too."""
        for part in (
            self._deployment_is_ours,
            self._terms_are_known,
            self._steps_are_judged_alike,
            self._capital_suffices,
            self._claims_can_be_staked,
            self._speed_suffices,
            self._node_can,
            self._clocks_agree,
            self._redis_keeps,
            self._execution_is_current,
            self._chain_is_true,
        ):
            try:
                yield from part()
            except (SetoffError, RedisError) as error:
                yield Finding(FATAL, part.__name__.strip("_").replace("_", " "), str(error))

    # --- the rules ---------------------------------------------------------------------------------------------------

    def _deployment_is_ours(self) -> Iterator[Finding]:
        try:
            check_deployment(self._l1, self._deployment)
        except ConfigError as error:
            yield Finding(FATAL, "contracts", f"L1 runs other code than this watcher was built with: {error.detail}")
        else:
            yield Finding(GOOD, "contracts", "court, judge and every group of rules are those of this program")

    def _terms_are_known(self) -> Iterator[Finding]:
        terms = self._contract.terms
        if self._preset:
            yield Finding(GOOD, "terms", f"those of the preset {self._preset}, T = {terms.challenge_period} s")
        else:
            yield Finding(WARNING, "terms", f"of no preset, T = {terms.challenge_period} s: name κ with --kappa")

        least = Contract(self._l1, QUEUE, self._deployment.queue).view("LEAST_QUORUM")
        if least < LEAST_QUORUM:
            yield Finding(
                WARNING, "oracle", f"a quorum of {least} may set the price, one false signer with it: a trial"
            )
        else:
            yield Finding(GOOD, "oracle", f"a price takes {least} signers at least: one false one cannot move it alone")

        if self._settings.deference:
            try:
                self._settings.check_terms(terms)
            except ConfigError as error:
                yield Finding(FATAL, "deference", error.detail)

    @cached_property
    def _preset(self) -> str:
        return find_preset(self._contract.terms)

    @cached_property
    def _samples(self) -> tuple[Sequence[Batch], Samples]:
        batches = self._make_batches(self._deployment.chain_id, self._deployment.vault_bytes)
        return batches, Samples(batches, self._deployment.domain)

    def _steps_are_judged_alike(self) -> Iterator[Finding]:
        _, samples = self._samples
        archive = self._archive
        count = self._deployment.epoch_batches

        def machine_at(number: int) -> Machine:
            assert archive is not None
            machine = archive.machine_before(number // count)
            for earlier in range(number // count * count, number):
                machine.run_batch(archive.batch(earlier))
            return machine

        manners: dict[str, int] = {}
        failures = 0
        for trial in JudgeSelftest(self._reader).try_all(samples, machine_at if archive else None):
            manners[trial.manner] = manners.get(trial.manner, 0) + 1
            if not trial.passed:
                failures += 1
                yield Finding(FATAL, f"step '{trial.kind}'", f"{trial.manner}: {trial.detail}")
        tried = ", ".join(f"{count} on {manner}" for manner, count in manners.items())
        yield Finding(FATAL if failures else GOOD, "steps of every kind", f"{tried}; {failures} judged otherwise")

    # --- means -------------------------------------------------------------------------------------------------------

    def _capital_suffices(self) -> Iterator[Finding]:
        terms = self._contract.terms
        if not self._settings.key:
            yield Finding(FATAL, "capital", "there is no key: this watcher only watches")
            return
        address = self._address
        held = self._l1.balance(address)
        gas = HONEST_GAS * self._liars * terms.gas_price_cap
        needed = terms.bond + gas
        grade = GOOD if held >= needed else FATAL
        yield Finding(
            grade,
            "capital",
            f"{format_ether(held)} held; one bond {format_ether(terms.bond)} and the gas against {self._liars} liars "
            f"at {terms.gas_price_cap / GWEI:g} gwei {format_ether(gas)} make {format_ether(needed)}",
        )
        capital = count_dispute_capital(terms, held)
        short = capital.needed is None or held < capital.needed
        yield Finding(WARNING if short else GOOD, "capital for every claim", capital.describe())
        if self._settings.fee_cap * GWEI < terms.gas_price_cap:
            yield Finding(
                WARNING, "fees", f"the fee cap of {self._settings.fee_cap} gwei is below what the court refunds"
            )

    def _claims_can_be_staked(self) -> Iterator[Finding]:
        """A liveness keeper without a stake posts what nobody claims, so what is never paid out."""
        settings = self._settings
        if not settings.liveness_keeper:
            return
        held, staked = self._l1.balance(self._address), sum_staked(self._court, self._address)
        capital = count_keeper_capital(self._contract.terms, held, staked)
        grade = FATAL if capital.cannot_begin else WARNING if capital.is_short else GOOD
        yield Finding(grade, "capital of the liveness keeper", capital.describe())

    @cached_property
    def _address(self) -> bytes:
        return L1(self._settings.rpc_url, open_account(self._settings)).address

    def _speed_suffices(self) -> Iterator[Finding]:
        batches, _ = self._samples
        execution, history = measure(batches, self._deployment.domain)
        terms = self._contract.terms
        workers = count_workers()
        trace = estimate_seconds(execution.seconds(self._steps), history.seconds(self._steps), workers)
        seconds = terms.epoch_batches * (execution.seconds(self._steps) + trace)
        kappa = self._kappa or (PRESETS[self._preset].computation if self._preset else terms.challenge_period // 4)
        rates = f"{1 / history.inner:,.0f} steps/s with history on each of {workers} cores, "
        rates += f"{1 / execution.inner:,.0f} without"
        work = f"{terms.epoch_batches} batches of {self._steps:,} steps take {seconds:,.0f} s of κ = {kappa} s"
        seen = f"{rates}, here and now on a small state; {work}"
        if seconds <= kappa:
            yield Finding(GOOD, "worst epoch", seen)
        elif not self._kappa and self._preset and PRESETS[self._preset].is_trial:
            yield Finding(WARNING, "worst epoch", f"{seen}; the terms are for trials, where nobody makes one")
        else:
            yield Finding(FATAL, "worst epoch", seen)

    # --- surroundings ------------------------------------------------------------------------------------------------

    def _node_can(self) -> Iterator[Finding]:
        head = self._l1.head()
        first = max(self._deployment.block, 0)
        self._l1.logs([self._deployment.court], first, min(first + 2000, head.number))
        yield Finding(GOOD, "node: logs", f"back to the deployment in block {first}")
        count = self._reader.batch_count()
        if count:
            self._reader.batch(0)
            yield Finding(GOOD, "node: old transactions", "the first batch's inputs are there")
        for ability in (*ABILITIES, CARRIES_BLOBS):
            try:
                has = ability.is_had_by(self._l1)
            except ChainError as error:
                yield Finding(WARNING, f"node: {ability.name}", f"not known: {error.detail}")
                continue
            yield Finding(GOOD if has else WARNING, f"node: {ability.name}", "yes" if has else f"no: {ability.lack}")
        has = JudgeSelftest(self._reader).can_pretend
        yield Finding(
            GOOD if has else WARNING,
            "node: state overrides",
            "yes" if has else "no: inputs are tried on the rules alone",
        )
        if int(self._l1.request("eth_syncing") is not False):
            yield Finding(FATAL, "node: sync", "the node is still catching up")

    def _clocks_agree(self) -> Iterator[Finding]:
        skew = self._l1.now() - time.time()
        far = abs(skew) > SKEW
        # Every clock of the game is the chain's; the host's only paces its rounds.
        yield Finding(WARNING if far else GOOD, "clocks", f"the chain is {skew:+.0f} s against this host")

    def _redis_keeps(self) -> Iterator[Finding]:
        if self._store is None:
            if self._redis_refusal:
                yield Finding(FATAL, "Redis", self._redis_refusal)
            else:
                yield Finding(WARNING, "Redis", f"none is running; the watcher starts {name_redis(self._settings)}")
            return
        try:
            check_durable(self._store.redis)
        except ConfigError as error:
            yield Finding(WARNING, "Redis", f"a crash would cost the execution so far: {error.detail}")
        else:
            yield Finding(GOOD, "Redis", "keeps what it was given through a crash")

    def _execution_is_current(self) -> Iterator[Finding]:
        if self._store is None:
            yield Finding(WARNING, "execution", "the watcher is not running, or its Redis is out of reach")
            return
        statuses = read_status(self._store)
        alive = [status.process for status in statuses if status.is_alive]
        missing = [name for name in ("follower", "worker", "challenger") if not any(p.startswith(name) for p in alive)]
        grade = FATAL if missing else GOOD
        yield Finding(grade, "processes", f"no {', no '.join(missing)}" if missing else ", ".join(alive))
        posted, executed = self._reader.batch_count() // self._deployment.epoch_batches, self._store.epoch_count()
        grade = GOOD if posted - executed <= BEHIND else FATAL
        yield Finding(grade, "execution", f"{executed} of {posted} posted epochs")

    def _chain_is_true(self) -> Iterator[Finding]:
        if self._store is None:
            return
        confirmed = self._court.confirmed
        own = self._store.epoch(confirmed - 1) if confirmed else None
        if own is not None:
            same = own.end == self._court.start_of[confirmed]
            seen = f"{confirmed} epochs are confirmed, the last {'as' if same else 'NOT as'} executed here"
            yield Finding(GOOD if same else FATAL, "confirmed chain", seen)

    @cached_property
    def _court(self) -> CourtState:
        reader = CourtReader(self._contract, self._deployment.block)
        reader.poll()
        return reader.court

    @cached_property
    def _store(self) -> Store | None:
        try:
            return find_store(self._settings, self._deployment)
        except ConfigError as error:
            self._redis_refusal = str(error)
            return None

    @cached_property
    def _reader(self) -> ChainReader:
        return open_reader(self._settings, self._l1, self._deployment, self._store)

    @property
    def _archive(self) -> Archive | None:
        return None if self._store is None else Archive(self._store, self._reader)
