"""Parameters of a deployment, by preset, and the inequalities that make them safe.

The clock: with a total censorship budget C, κ to notice a claim and compute its history, ℓ to get a transaction into a
block and Q for the honest replies to queue for gas, one honest watcher wins any dispute iff T > κ + C + 5ℓ + Q: its
join and, as the later of two histories, four moves. (The lab finds a dispute lost at equality.) And κ itself has to be
long enough for an epoch whose every batch has as many steps as the rules let it have.

The money: what an eliminated history does not burn has to pay the honest side's gas for one opponent at the gas price
cap, so that defending the truth is never a loss; and what an unslashed stake can owe in rewards has to be covered by
what its slashing does not burn.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

from setoff.shared.errors import ConfigError

GWEI: Final = 10**9
ETHER: Final = 10**18
MILLION: Final = 10**6
MAX_EPOCH_BATCHES: Final = 32

MAX_BATCH_STEPS: Final = 2**20 + 2**10
"""Real steps that a batch can take: the cap of the rules, and a step for each input beyond it."""
HISTORY_RATE: Final = 15_000
"""Steps a second at which a watcher has to build a history: what two cores of a small server do of the dearest kind of
steps (`tests/benchmarks/bench_history.py`: 12,000 one core alone, 20,000 two), less a quarter. Whoever has slower cores
needs a longer claim interval."""
EXECUTION_RATE: Final = 45_000
"""Steps a second at which a watcher has to execute an epoch, which it does with each, disputed or not: what one core of
a small server does of the dearest kind of steps, less a third: a core that takes 0.75 µs for a `hash_pair`, reckoned
from one that took 1.54 µs and did 34,000 (the same benchmark shows both)."""
SPARE_TIME: Final = 5
"""A watcher that has to execute and trace one worst epoch after another has one part in so many of the time left."""
LEAST_QUORUM: Final = 3
"""Oracle signers whose reports a price takes at least, but in trials: the fewest of which one can be false."""
MAX_SKEW: Final = 900
"""The most that `max_skew` may be, but in trials: a batch's time is chosen by whoever posts it, after the fact."""
TRIAL_PERIOD: Final = 1800
"""Seconds. A shorter challenge period is for trials among friends: there κ is what an ordinary epoch takes, epochs are
not paced, who may post worst batches can win with a lie, and one oracle signer may be enough for a price."""

# Gas of a transaction, intrinsic and calldata included, rounded up from what the contract tests measure. The court
# credits moves, timeouts and proofs up to these limits (`contracts/court/credits.vy` has the same three).
MOVE_GAS: Final = 230_000
TIMEOUT_GAS: Final = 150_000
PROVE_GAS: Final = 1_700_000
JOIN_GAS: Final = 400_000
INSTALL_GAS: Final = 120_000
SETTLE_GAS: Final = 200_000
RELEASE_GAS: Final = 150_000

MOVES: Final = 4
"""Seven levels, the later of two histories moves first: four moves for it, three for the earlier."""

HONEST_GAS: Final = (
    JOIN_GAS + MOVES * MOVE_GAS + max(PROVE_GAS, TIMEOUT_GAS) + INSTALL_GAS + SETTLE_GAS + 2 * RELEASE_GAS
)
"""The honest side's gas in a dispute with one opponent: it joins, moves, has the last word, installs, settles and
releases its own bond and the opponent's."""


@dataclass(frozen=True, slots=True)
class Params:
    """Periods in seconds, money in wei."""

    challenge_period: int
    """T: how long a claim can be disputed, and the clock of each side of a match."""
    censorship: int
    """C: total time for which an attacker may keep honest transactions out of blocks."""
    computation: int
    """κ: from a claim's block to the history of its epoch at hand; for the worst epoch, except in trials."""
    inclusion: int
    """ℓ: from sending a transaction to its block."""
    queueing: int
    """Q: for all honest replies to fit into blocks, of four turns in every match that can run at once."""
    bond: int
    """B: locked by a history."""
    bond_burn_ppm: int
    """β: part of an eliminated history's bond that is burnt whoever wins."""
    stake: int
    """S: locked by a claimant."""
    stake_claims: int
    """n_max: open claims that one stake covers."""
    stake_reward: int
    """c: paid to the winner's owner for each false claim."""
    gas_price_cap: int
    """Wei a gas up to which honest gas is refunded."""
    claim_interval: int
    """Least time between the beginnings of two epochs in the inbox, and between the claims of one on the true chain and
    of the next."""
    epoch_batches: int
    """Batches that one claim covers."""
    batch_interval: int
    """How often the operator posts."""
    max_skew: int
    """How far a batch's timestamp may lie behind its block's; what comes later is made again with another one."""
    force_delay: int
    """When a message on L1 can no longer be left out of a batch."""
    silence: int
    """When anybody may post, for want of the operator's batches, or of an epoch that it completes."""
    wind_down: int
    """When the exchange may be ended for good, for want of the operator's batches."""
    listing_delay: int
    """How long a listing, a change of a market or of an oracle signer is public before it can be queued."""
    receipt_bond: int
    """What a broken receipt costs the operator."""
    exit_delay: int
    """From the announcement to the return of the receipt bond."""
    backstop_delay: int
    """From a request for shares of the backstop, or for its money, to its price: longer than anybody can see ahead what
    the backstop is about to gain or to lose."""

    @property
    def bond_burn(self) -> int:
        """Part of the bond that is burnt, rounded up."""
        return -(-self.bond * self.bond_burn_ppm // MILLION)

    @property
    def needed_period(self) -> int:
        """The least challenge period that is safe."""
        return self.computation + self.censorship + 5 * self.inclusion + self.queueing + 1

    @property
    def delay_bound(self) -> int:
        """Seconds from a claim to its installation at most, whatever the number of liars.

        A liar's clock holds T and the honest one κ + C + Q and five inclusions (join and four moves); the proof and
        the installation take one more each.
        """
        return self.challenge_period + self.computation + self.censorship + self.queueing + 7 * self.inclusion

    @property
    def receipt_horizon(self) -> int:
        """Seconds from a batch's timestamp to its receipts' deadline: half the exit delay, as much as clients take."""
        return self.exit_delay // 2

    @property
    def needed_exit_delay(self) -> int:
        """The least that keeps an honest operator's bond safe, and holds a false one's until it can be prosecuted.

        While L1 is censored, a batch grows too old, and is made again with a new timestamp, with which it has to get in
        within the horizon. If the operator is silent from the announcement of its exit on, an omission takes a
        stranger's batch after the silence, and L1 may be censored then.
        """
        transactions = self.censorship + 2 * self.inclusion
        return max(2 * (2 * self.max_skew + transactions), self.silence + self.max_skew + transactions)

    @property
    def worst_computation(self) -> int:
        """Seconds that the history of the worst epoch takes at `HISTORY_RATE`, rounded up."""
        return -(-self.epoch_batches * MAX_BATCH_STEPS // HISTORY_RATE)

    @property
    def worst_execution(self) -> int:
        """Seconds that the execution of the worst epoch takes at `EXECUTION_RATE`, rounded up."""
        return -(-self.epoch_batches * MAX_BATCH_STEPS // EXECUTION_RATE)

    @property
    def needed_claim_interval(self) -> int:
        """The least claim interval in which a watcher keeps up with one worst epoch after another, each of them
        disputed and so executed and traced, for ever, and has time to spare."""
        return -(-(self.worst_execution + self.worst_computation) * SPARE_TIME // (SPARE_TIME - 1))

    @property
    def is_trial(self) -> bool:
        """Whether κ need not cover the worst epoch, nor the claim interval a row of them."""
        return is_trial_period(self.challenge_period)

    @property
    def least_quorum(self) -> int:
        """The smallest quorum of oracle signers that can be proposed."""
        return find_least_quorum(self.challenge_period)

    @property
    def needed_share(self) -> int:
        """The least part of an eliminated bond that has to be left after burning."""
        return self.gas_price_cap * HONEST_GAS

    def check(self) -> Self:
        """Check the inequalities and the ranges that the contracts need; returns the parameters.

        Raises ConfigError("bad_terms") naming the first that fails.
        """
        for field in fields(self):
            if getattr(self, field.name) < 0:
                raise ConfigError("bad_terms", f"{field.name} is negative")
        if self.challenge_period < max(self.needed_period, 1):
            raise ConfigError(
                "bad_terms",
                f"T = {self.challenge_period} s is not more than κ + C + 5ℓ + Q = {self.needed_period - 1} s",
            )
        if not self.is_trial and self.computation < self.worst_computation:
            raise ConfigError(
                "bad_terms",
                f"κ = {self.computation} s is less than the {self.worst_computation} s that the history of "
                f"{self.epoch_batches} batches of {MAX_BATCH_STEPS} steps takes",
            )
        if not self.is_trial and self.claim_interval < self.needed_claim_interval:
            raise ConfigError(
                "bad_terms",
                f"a watcher falls behind where one worst epoch follows another: to execute and trace one takes "
                f"{self.worst_execution} + {self.worst_computation} s, with time to spare "
                f"{self.needed_claim_interval} s, and the claim interval is {self.claim_interval} s",
            )
        if self.bond - self.bond_burn < self.needed_share:
            raise ConfigError(
                "bad_terms",
                f"(1 - β)·B = {self.bond - self.bond_burn} wei does not pay {HONEST_GAS} gas "
                f"at {self.gas_price_cap} wei, {self.needed_share} wei",
            )
        if self.bond_burn_ppm == 0 or self.bond_burn >= self.bond:
            raise ConfigError("bad_terms", "an eliminated bond has to burn a part, and not all")
        unburnt = self.stake - self.stake * self.bond_burn_ppm // MILLION
        if self.stake_claims < 1 or self.stake_claims * self.stake_reward > unburnt:
            raise ConfigError("bad_terms", "n_max·c is more than the (1 - β)·S that slashing a stake leaves")
        if not 1 <= self.epoch_batches <= MAX_EPOCH_BATCHES:
            raise ConfigError("bad_terms", f"an epoch has 1 to {MAX_EPOCH_BATCHES} batches")
        if self.epoch_batches * self.batch_interval < self.claim_interval:
            raise ConfigError("bad_terms", "epochs would be posted faster than they may be claimed")
        if not 4 * self.batch_interval <= self.max_skew < self.silence:
            raise ConfigError(
                "bad_terms",
                "needed: 4·batch_interval <= max_skew < silence: a batch is open for an interval, may wait for its "
                "epoch as long, and L1 has to take it then, with as much time to spare",
            )
        if self.max_skew > MAX_SKEW and not is_trial_period(self.challenge_period):
            raise ConfigError("bad_terms", f"whoever posts could choose among the prices of {self.max_skew} s")
        if self.backstop_delay < 2 * self.max_skew and not self.is_trial:
            raise ConfigError(
                "bad_terms",
                f"backstop_delay = {self.backstop_delay} s is less than 2·max_skew: whoever posts would ask for shares "
                "of the backstop at a price that it knows",
            )
        if self.wind_down <= self.silence + self.force_delay:
            raise ConfigError("bad_terms", "needed: wind_down > silence + force_delay, for others to post first")
        if self.epoch_batches * self.batch_interval >= self.silence:
            raise ConfigError("bad_terms", "the operator could not complete an epoch before anybody may")
        if self.receipt_bond < 2:
            raise ConfigError("bad_terms", "receipts need a bond that can be halved")
        if self.exit_delay < self.needed_exit_delay:
            raise ConfigError(
                "bad_terms",
                f"exit_delay = {self.exit_delay} s is less than {self.needed_exit_delay} s: censorship alone "
                "could cost the receipt bond, or it could be gone before an omission can be shown",
            )
        if self.force_delay <= self.batch_interval:
            raise ConfigError("bad_terms", "a message would fall due before the next batch")
        return self

    def check_deference(self, deference: int) -> None:
        """Raises ConfigError if a player who leaves each turn to others for so many seconds can be too late."""
        spent = MOVES * deference + self.needed_period - 1
        if deference and spent >= self.challenge_period:
            raise ConfigError(
                "bad_config",
                f"deference: {MOVES}·{deference} s + κ + C + 5ℓ + Q = {spent} s is not less than T = "
                f"{self.challenge_period} s",
            )

    def terms(self) -> tuple[int, ...]:
        """The court's constructor argument, in the order of its struct `Terms`."""
        return (
            self.epoch_batches,
            self.challenge_period,
            self.claim_interval,
            self.bond,
            self.bond_burn,
            self.stake,
            self.stake_claims,
            self.stake_reward,
            self.gas_price_cap,
        )

    def to_dict(self) -> dict[str, int]:
        """The parameters by name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Parameters by name, checked. Raises ConfigError on a missing, unknown or senseless one."""
        try:
            return cls(**{name: int(value) for name, value in values.items()}).check()
        except (TypeError, ValueError) as error:
            raise ConfigError("bad_terms", str(error)) from None


_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 24 * _HOUR

MAINNET: Final = Params(
    challenge_period=7 * _DAY,
    censorship=5 * _DAY,
    computation=_DAY,
    inclusion=_HOUR,
    queueing=18 * _HOUR,
    bond=ETHER,
    bond_burn_ppm=MILLION // 2,
    stake=32 * ETHER,
    stake_claims=160,
    stake_reward=ETHER // 10,
    gas_price_cap=100 * GWEI,
    claim_interval=_HOUR,
    epoch_batches=30,
    batch_interval=120,
    max_skew=15 * _MINUTE,
    force_delay=_DAY,
    silence=3 * _DAY,
    wind_down=7 * _DAY,
    listing_delay=3 * _DAY,
    receipt_bond=32 * ETHER,
    exit_delay=14 * _DAY,
    backstop_delay=8 * _HOUR,
)

TESTNET: Final = Params(
    challenge_period=3600,
    censorship=900,
    computation=1800,
    inclusion=60,
    queueing=240,
    bond=4 * ETHER // 10,
    bond_burn_ppm=MILLION // 2,
    stake=ETHER,
    stake_claims=50,
    stake_reward=ETHER // 100,
    gas_price_cap=50 * GWEI,
    claim_interval=360,
    epoch_batches=3,
    batch_interval=120,
    max_skew=15 * _MINUTE,
    force_delay=600,
    silence=2 * _HOUR,
    wind_down=_DAY,
    listing_delay=600,
    receipt_bond=ETHER,
    exit_delay=6 * _HOUR,
    backstop_delay=30 * _MINUTE,
)

# A trial: κ is enough for some 200,000 steps, a visit of 100,000 holders.
DEVNET: Final = Params(
    challenge_period=60,
    censorship=20,
    computation=15,
    inclusion=2,
    queueing=10,
    bond=ETHER // 10,
    bond_burn_ppm=MILLION // 2,
    stake=ETHER,
    stake_claims=50,
    stake_reward=ETHER // 100,
    gas_price_cap=10 * GWEI,
    claim_interval=0,
    epoch_batches=1,
    batch_interval=2,
    max_skew=_HOUR,
    force_delay=60,
    silence=_DAY,
    wind_down=2 * _DAY,
    listing_delay=0,
    receipt_bond=ETHER,
    exit_delay=2 * _DAY,
    backstop_delay=60,
)

# A trial on one machine that nobody attacks: no censorship, so a dispute can be watched to its end.
DEMO: Final = Params(
    challenge_period=30,
    censorship=0,
    computation=15,
    inclusion=1,
    queueing=8,
    bond=ETHER // 10,
    bond_burn_ppm=MILLION // 2,
    stake=ETHER,
    stake_claims=50,
    stake_reward=ETHER // 100,
    gas_price_cap=10 * GWEI,
    claim_interval=0,
    epoch_batches=1,
    batch_interval=2,
    max_skew=_HOUR,
    force_delay=30,
    silence=_DAY,
    wind_down=2 * _DAY,
    listing_delay=0,
    receipt_bond=ETHER,
    exit_delay=2 * _DAY,
    backstop_delay=10,
)

PRESETS: Final[dict[str, Params]] = {"mainnet": MAINNET, "testnet": TESTNET, "devnet": DEVNET, "demo": DEMO}


def is_trial_period(challenge_period: int) -> bool:
    """Whether a deployment with this challenge period, seconds, is for trials."""
    return challenge_period < TRIAL_PERIOD


def find_least_quorum(challenge_period: int) -> int:
    """The smallest quorum of oracle signers that a deployment with this challenge period, seconds, may take."""
    return 1 if is_trial_period(challenge_period) else LEAST_QUORUM


def count_keys(seconds: int, claim_interval: int) -> int | None:
    """Keys on the true chain that can be claimed within so many seconds; None if no claim interval bounds them.

    One honest party needs a bond for each that is disputed at once: those of T if nobody is censored, and of the delay
    bound (`Params.delay_bound`) if an attacker censors at the same time.
    """
    return -(-seconds // claim_interval) + 1 if claim_interval else None


def find_preset(terms: Sequence[int]) -> str:
    """Name of the preset whose terms a court has, "" if there is none."""
    return next((name for name, params in PRESETS.items() if params.terms() == tuple(terms)), "")


def preset(name: str) -> Params:
    """The parameters of that name, checked. Raises ConfigError if there are none."""
    if name not in PRESETS:
        raise ConfigError("bad_config", f"there is no preset {name}: {', '.join(PRESETS)}")
    return PRESETS[name].check()
