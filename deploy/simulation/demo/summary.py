"""The facts of a demo, read back from L1 alone, and the checks that decide whether it passed.

Nothing that a process of the demo said counts: batches are re-executed from calldata, disputes are read from the
court's events, money from the token and the vault.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from setoff.deploy.contracts.events import Event
from setoff.deploy.simulation.demo.gas import Gas, read_gas
from setoff.deploy.simulation.demo.monitor import Monitor
from setoff.deploy.simulation.demo.replay import Owed, Replay, count_owed, replay
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import TOKEN, VAULT, Contract
from setoff.shared.l1.court import CourtContract
from setoff.shared.machine.data import ZERO
from setoff.shared.params import Params


@dataclass(frozen=True, slots=True)
class Payout:
    """A withdrawal that the demo made: to whom (20 bytes), how much (token units), and the tokens he had before."""

    owner: bytes
    amount: int
    before: int


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the demo meant to happen, to be found on L1."""

    lie: str
    """Name of the lie; "" for an honest run."""
    liar: bytes
    """Address whose claim is to be found false, 20 bytes."""
    slanderer: bytes
    """Address that disputes a true claim, 20 bytes; b"" for nobody."""
    acknowledged: frozenset[bytes]
    """Every record that the API accepted."""
    gambler: int
    """Account that was to be liquidated."""
    payout: Payout | None
    """The withdrawal in the end, None if it could not be had."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that had to be true, and what was seen."""

    what: str
    passed: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Dispute:
    """One disputed claim, as the court's events tell it; times in seconds."""

    epoch: int
    key: str
    claimed_end: str
    installed_end: str
    histories: int
    moves: int
    eliminated: list[str]
    """Causes, "proof" or "timeout", in order."""
    claim_to_join: int
    claim_to_elimination: int
    claim_to_installation: int


@dataclass(slots=True)
class Summary:
    """All facts, the checks, and whether all passed."""

    facts: dict[str, Any]
    disputes: list[Dispute]
    gas: list[Gas]
    checks: list[Check] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "passed": self.passed,
            "facts": self.facts,
            "disputes": [asdict(dispute) for dispute in self.disputes],
            "gas": {gas.kind: {**asdict(gas), "mean": gas.mean} for gas in self.gas},
            "checks": [asdict(check) for check in self.checks],
        }


class Reading:
    """What L1 holds at the end, each part read once."""

    def __init__(self, l1: L1, deployment: Deployment, params: Params) -> None:
        self.l1 = l1
        self.deployment = deployment
        self.params = params
        self.monitor = Monitor(l1, deployment)
        self.monitor.look()
        self._times: dict[int, int] = {}

    @cached_property
    def replay(self) -> Replay:
        """Every batch, re-executed."""
        return replay(ChainReader(self.l1, self.deployment))

    @cached_property
    def confirmed(self) -> list[bytes]:
        """Confirmed machine hash at the end of each epoch, as far as there are any."""
        ends: list[bytes] = []
        court = CourtContract(self.l1, self.deployment.court)
        while (end := court.view("confirmed", len(ends))) != ZERO:
            ends.append(end)
        return ends

    @cached_property
    def true_ends(self) -> list[bytes]:
        """Machine hash at the end of each whole epoch, by our own execution."""
        count = self.deployment.epoch_batches
        return self.replay.ends[count - 1 :: count]

    @cached_property
    def owed(self) -> Owed:
        """What the re-executed state owes, the paid withdrawals left out."""
        return count_owed(self.replay.machine, {event["index"] for event in self.monitor.named("Withdrawn")})

    @cached_property
    def unconsumed(self) -> int:
        """Deposits that no batch has consumed yet, token units."""
        consumed = sum(batch.header.message_count for batch in self.replay.batches)
        return sum(event["amount"] for event in self.monitor.named("Deposited") if event["message"] >= consumed)

    @cached_property
    def disputes(self) -> list[Dispute]:
        """The disputed claims in the order of their first join."""
        return [self._dispute(key) for key in self.monitor.disputed_keys]

    def balance(self, owner: bytes | str) -> int:
        """Tokens of an account."""
        return int(Contract(self.l1, TOKEN, self.deployment.token).view("balanceOf", owner))

    def true_start(self, epoch: int) -> bytes:
        """Machine hash at the start of an epoch, by our own execution."""
        return self.true_ends[epoch - 1] if epoch else self.genesis

    @cached_property
    def genesis(self) -> bytes:
        """The machine hash before the first batch."""
        return CourtContract(self.l1, self.deployment.court).genesis

    def time_of(self, event: Event) -> int:
        """When it happened, unix seconds."""
        if event.block_number not in self._times:
            self._times[event.block_number] = self.l1.block(event.block_number).timestamp
        return self._times[event.block_number]

    def _dispute(self, key: bytes) -> Dispute:
        claimed = self.monitor.named("Claimed", key=key)[0]
        joined = self.monitor.named("Joined", key=key)
        eliminated = self.monitor.named("Eliminated", key=key)
        installed = self.monitor.named("Installed", key=key)
        begin = self.time_of(claimed)
        return Dispute(
            claimed["epoch"],
            "0x" + key.hex(),
            "0x" + claimed["end"].hex(),
            "0x" + installed[0]["end"].hex() if installed else "",
            len(joined),
            len(self.monitor.named("Moved", key=key)),
            [event["cause"] for event in eliminated],
            self.time_of(joined[0]) - begin,
            self.time_of(eliminated[-1]) - begin if eliminated else -1,
            self.time_of(installed[0]) - begin if installed else -1,
        )


def summarize(l1: L1, deployment: Deployment, params: Params, expected: Expectation) -> Summary:
    """Read everything back and check it."""
    reading = Reading(l1, deployment, params)
    summary = Summary(_facts(reading), reading.disputes, read_gas(l1, deployment))
    summary.checks += _check_batches(reading, expected)
    if expected.lie:
        summary.checks += _check_lie(reading, expected)
    elif expected.slanderer:
        summary.checks += _check_slander(reading, expected)
    else:
        summary.checks += _check_peace(reading)
    summary.checks += _check_money(reading, expected)
    return summary


def _facts(reading: Reading) -> dict[str, Any]:
    run, monitor = reading.replay, reading.monitor
    return {
        "blocks": reading.l1.head().number - reading.deployment.block + 1,
        "batches": len(run.batches),
        "messages": sum(batch.header.message_count for batch in run.batches),
        "records": sum(batch.header.record_count for batch in run.batches),
        "accounts": run.machine.regs.accounts,
        "markets": run.machine.regs.markets,
        "orders": run.machine.regs.sequence,
        "fills": run.fills,
        "volume": run.volume,
        "liquidated_lots": run.forced.total(),
        "claims": len(monitor.named("Claimed")),
        "confirmed_epochs": len(reading.confirmed),
        "moot_claims": len(monitor.named("Mooted")),
        "moves": len(monitor.named("Moved")),
        "eliminated": len(monitor.named("Eliminated")),
        "slashed": len(monitor.named("Slashed")),
        "burnt_wei": sum(event["amount"] for event in monitor.named("Burnt")),
        "collected_wei": sum(event["amount"] for event in monitor.named("Collected")),
        "roots": ["0x" + end.hex() for end in reading.confirmed],
        "challenge_period_s": reading.params.challenge_period,
        "needed_period_s": reading.params.needed_period,
        "vault_balance": reading.balance(reading.deployment.vault),
        "owed": {**asdict(reading.owed), "unconsumed_deposits": reading.unconsumed},
    }


def _check_batches(reading: Reading, expected: Expectation) -> list[Check]:
    run, confirmed = reading.replay, reading.confirmed
    missing = expected.acknowledged - run.records
    refused = {reason: count for reason, count in run.outcomes.items() if reason != "accepted"}
    return [
        Check("there are batches, records and fills on L1", bool(run.records) and run.fills > 0,
              f"{len(run.batches)} batches, {len(run.records)} records, {run.fills} fills"),
        Check("every record that the API acknowledged is on L1", not missing,
              f"{len(expected.acknowledged)} acknowledged, {len(missing)} missing"),
        Check("re-executed from L1, every input was accepted", not refused, str(refused or run.outcomes.total())),
        Check("the account that fell below maintenance was liquidated, by the rules alone",
              run.forced[expected.gambler] > 0 and run.forced.keys() <= {expected.gambler},
              f"{run.forced[expected.gambler]} lots of account {expected.gambler}"),
        Check("every epoch is confirmed", len(confirmed) == len(reading.true_ends) > 0,
              f"{len(confirmed)} of {len(reading.true_ends)}"),
        Check("every confirmed end is the one that re-execution gives",
              confirmed == reading.true_ends[: len(confirmed)],
              f"last {_hex(confirmed[-1]) if confirmed else 'none'}"),
    ]  # fmt: skip


def _check_peace(reading: Reading) -> list[Check]:
    return [Check("nobody disputed anything", not reading.disputes, f"{len(reading.disputes)} disputes")]


def _check_slander(reading: Reading, expected: Expectation) -> list[Check]:
    """A true claim was disputed; the false history was eliminated, its bond lost, and the claim stands."""
    monitor, slanderer = reading.monitor, "0x" + expected.slanderer.hex()
    joined = monitor.named("Joined", owner=slanderer)
    roots = {event["root"] for event in joined}
    eliminated = monitor.named("Eliminated")
    ends = [(dispute.claimed_end, dispute.installed_end) for dispute in reading.disputes]
    rewarded = [event for event in monitor.named("Released") if event["owner"] != slanderer and event["root"] in roots]
    return [
        Check("a watcher disputed a true claim", bool(joined), f"{len(joined)} histories of its own"),
        Check("its history, and no other, was eliminated", {event["root"] for event in eliminated} == roots,
              ", ".join(event["cause"] for event in eliminated) or "no elimination"),
        Check("the claimed ends were installed", bool(ends) and all(one == two for one, two in ends), str(len(ends))),
        Check("its bond was lost, to who defended the claim", len(rewarded) == len(roots), f"{len(rewarded)} bonds"),
        Check("no stake was slashed", not monitor.named("Slashed"), f"{len(monitor.named('Slashed'))} slashed"),
    ]  # fmt: skip


def _check_lie(reading: Reading, expected: Expectation) -> list[Check]:
    """A false end was claimed, disputed, eliminated and replaced, and what was built on it claimed again."""
    monitor, liar = reading.monitor, "0x" + expected.liar.hex()
    false = [
        event
        for event in monitor.named("Claimed", claimant=liar)
        if event["epoch"] < len(reading.true_ends)
        and event["start"] == reading.true_start(event["epoch"])
        and event["end"] != reading.true_ends[event["epoch"]]
    ]
    if not false:
        return [Check(f"the operator lied ({expected.lie})", False, "no claim of its differs from the truth")]
    lie = false[0]
    key, epoch = lie["key"], lie["epoch"]
    joined = monitor.named("Joined", key=key)
    owner_of = {event["root"]: event["owner"] for event in joined}
    eliminated = [event for event in monitor.named("Eliminated", key=key) if owner_of[event["root"]] == liar]
    honest = [event for event in joined if event["end"] == reading.true_ends[epoch]]
    installed = monitor.named("Installed", key=key)
    cause = "timeout" if expected.lie == "silent" else "proof"
    moves = len(monitor.named("Moved", key=key))
    slashed = [event for event in monitor.named("Slashed") if owner_of and event["payee"] in set(owner_of.values())]
    return [
        Check(f"the operator lied ({expected.lie})", True, f"epoch {epoch}, claimed {_hex(lie['end'])}"),
        Check("a watcher disputed it with the true history", bool(honest),
              f"{len(joined)} histories, {len(honest)} true"),
        Check("the game went through all levels" if cause == "proof" else "the liar did not play",
              moves >= 7 if cause == "proof" else not eliminated or moves < 7, f"{moves} moves"),
        Check(f"the liar's history was eliminated by {cause}",
              bool(eliminated) and all(event["cause"] == cause for event in eliminated),
              ", ".join(event["cause"] for event in eliminated) or "no elimination"),
        Check("no true history was eliminated",
              not any(event["root"] in {h["root"] for h in honest} for event in monitor.named("Eliminated", key=key)),
              f"{len(monitor.named('Eliminated', key=key))} eliminated"),
        Check("the true end was installed", bool(installed) and installed[0]["end"] == reading.true_ends[epoch],
              _hex(installed[0]["end"]) if installed else "nothing installed"),
        Check("the liar's stake was slashed and the watcher rewarded", bool(slashed),
              f"{len(slashed)} slashed"),
        _check_descendants(reading, lie),
    ]  # fmt: skip


def _check_descendants(reading: Reading, lie: Event) -> Check:
    """Each later epoch has a claim from its true start, and each claim from a false start came to nothing."""
    monitor, epochs = reading.monitor, range(lie["epoch"] + 1, len(reading.true_ends))
    later = [event for event in monitor.named("Claimed") if event["epoch"] in epochs]
    built = [event for event in later if event["start"] != reading.true_start(event["epoch"])]
    again = {event["epoch"] for event in later if event not in built}
    moot = [event for event in built if monitor.named("Mooted", key=event["key"])]
    settled = [event for event in built if monitor.named("Settled", key=event["key"])]
    return Check(
        "later epochs were claimed again from the truth, and claims built on the lie came to nothing",
        bool(epochs) and again == set(epochs) and len(moot) + len(settled) == len(built),
        f"{len(built)} built on it, {len(moot)} moot, {len(settled)} settled in vain; "
        f"{len(again)} of {len(epochs)} claimed from the truth",
    )


def _check_money(reading: Reading, expected: Expectation) -> list[Check]:
    vault, owed = reading.balance(reading.deployment.vault), reading.owed
    total = int(Contract(reading.l1, VAULT, reading.deployment.vault).view("total"))
    due = owed.total + reading.unconsumed
    checks = [
        Check("the vault's tokens equal everything owed, to the unit", vault == due == total,
              f"{vault} held, {due} owed"),
        Check("all positions of a market add up to nothing", not any(owed.net_lots.values()), str(owed.net_lots)),
    ]  # fmt: skip
    if expected.payout is None:
        checks.append(Check("the trader's withdrawal arrived on L1", False, "the vault paid nothing"))
    else:
        arrived = reading.balance(expected.payout.owner) - expected.payout.before
        paid = reading.monitor.named("Withdrawn", owner="0x" + expected.payout.owner.hex())
        is_right = arrived == expected.payout.amount == sum(event["amount"] for event in paid)
        checks.append(Check("the trader's withdrawal arrived on L1", is_right, f"{arrived} units"))
    return checks


def _hex(data: bytes) -> str:
    return "0x" + data.hex()[:16] + "…"
