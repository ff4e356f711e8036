"""Many games as one table: verdicts, delays against the bound, gas, capital, what was burnt."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from setoff.deploy.simulation.lab.audit import Violation
from setoff.deploy.simulation.lab.cases import LIES, REAL, REPLIES, Rules, draw_game, find_cases, lie
from setoff.deploy.simulation.lab.chain import Censor, Lab, address
from setoff.deploy.simulation.lab.machine import Run
from setoff.deploy.simulation.lab.parties import Crowd, Liar
from setoff.deploy.simulation.lab.setting import Setting
from setoff.deploy.simulation.reference_court import DISPUTED, INSTALLED, MOOT, SETTLED, VOID, Claim

VERDICTS: Final = {SETTLED: "settled", VOID: "void", MOOT: "moot", INSTALLED: "installed", DISPUTED: "disputed"}


@dataclass
class Tally:
    """What many games came to."""

    games: int = 0
    calls: int = 0
    refused_calls: int = 0
    histories: int = 0
    eliminated: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    """Claims by how they ended; "false end" is never among them."""
    worst_delay_ppm: int = 0
    """From claim to installation, of the bound, in millionths."""
    violations: list[str] = field(default_factory=list)

    def add(self, lab: Lab) -> None:
        """Count a game that was played."""
        self.games += 1
        self.calls += lab.calls
        self.refused_calls += lab.reverts
        for claim in lab.model.claims.values():
            self.histories += len(claim.histories)
            verdict = verdict_of(lab, claim)
            self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1
        self.eliminated += sum(type(event).__name__ == "Eliminated" for event in lab.model.log)
        if lab.audit.is_delay_bounded:
            worst = max(lab.audit.delays, default=0)
            self.worst_delay_ppm = max(self.worst_delay_ppm, worst * 10**6 // lab.setting.delay_bound)

    def play(self, name: str, make: Callable[[], Lab]) -> None:
        """Play one game; a violation is kept with the game's name."""
        try:
            self.add(make())
        except Violation as violation:
            self.games += 1
            self.violations.append(f"{name}: {violation}")


def verdict_of(lab: Lab, claim: Claim) -> str:
    """How a claim ended, in words."""
    verdict = VERDICTS[claim.state]
    if claim.state == SETTLED and claim.start == lab.truth[claim.epoch].run.start_hash:
        end = claim.result if claim.disputed_at else claim.end
        is_true = end == lab.truth[claim.epoch].run.end
        said = "true" if claim.end == end else "false"
        return f"{said} claim, {'true' if is_true else 'FALSE'} end" + (", disputed" if claim.disputed_at else "")
    return verdict if claim.state != SETTLED else "settled on a false start"


@dataclass(frozen=True)
class Siege:
    """One dispute of a false claim, with so many liars at once and all of the censorship budget used."""

    liars: int
    reply: str
    delay: int
    """Seconds from claim to installation."""
    delay_bound: int
    honest_calls: int
    honest_gas: int
    gas_by_call: dict[str, int]
    refunded_gas: int
    """As far as the credits go; what is left of the losers' bonds pays the rest."""
    gas_price: int
    honest_gain: int
    """Wei after all gas is paid."""
    honest_locked: int
    """Wei in bonds and stakes, at most."""
    liars_locked: int
    liars_lost: int
    burnt: int

    @property
    def refunded_ppm(self) -> int:
        """Share of the honest gas that credits refund."""
        return self.refunded_gas * 10**6 // max(self.honest_gas, 1)


def besiege(setting: Setting, liars: int, reply: str, rules: Rules = REAL, seed: int = 0) -> tuple[Siege, Lab]:
    """One false claim, disputed by one honest party against `liars` false histories, the claimant's among them."""
    draw = random.Random(seed)
    count = setting.params.epoch_batches
    # Only lies that can be played to the end: the others fall without costing the honest side any gas.
    kinds = [kind for kind in list(LIES)[:13] if count > 1 or "batch" not in kind]
    members = [(address(f"liar {n}"), lie(draw.choice(kinds), f"{n}", count=count)) for n in range(liars - 1)]
    claimer = lie("wrong from the first leaf", "claimer", count=count)
    attackers = [
        Liar(address("claimer"), {0: Run(claimer.start_hash, claimer.leaves)}, claims=True, joins_at=_never),
        Crowd([(address("claimer"), claimer), *members], REPLIES[reply]),
    ]
    honest = rules.honest()
    censor = Censor(setting.params.censorship, frozenset({"move", "join"}), draw)
    lab = rules.lab(setting, [honest], [*attackers], censor=censor).run()
    gas = sum(honest.gas.values())
    price = max(setting.gas_price, 1)
    liar_addresses = [address("claimer"), *(who for who, _ in members)]
    return (
        Siege(
            liars=liars,
            reply=reply,
            delay=max(lab.audit.delays),
            delay_bound=setting.delay_bound,
            honest_calls=honest.calls,
            honest_gas=gas,
            gas_by_call=dict(sorted(honest.gas.items())),
            refunded_gas=lab.audit.redeemed[honest.me] // price,
            gas_price=setting.gas_price,
            honest_gain=lab.model.wallets[honest.me] - gas * setting.gas_price,
            honest_locked=lab.audit.most_locked[honest.me],
            liars_locked=sum(lab.audit.most_locked[who] for who in liar_addresses),
            liars_lost=-sum(lab.model.wallets[who] for who in liar_addresses),
            burnt=lab.model.burnt,
        ),
        lab,
    )


def _never(lab: Lab, claim: object) -> int:
    return 1 << 60


def sizes_up_to(liars: int) -> Iterator[int]:
    """1, 10, 100, …, and the number itself."""
    size = 1
    while size < liars:
        yield size
        size *= 10
    yield liars


def run_report(
    name: str, liars: int, games: int, seed: int, tell: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Everything: the known attacks, random games, and sieges by more and more liars. Plain data, for JSON."""
    executed, drawn = Tally(), Tally()
    for case, play in find_cases().items():
        executed.play(case, lambda play=play: play(REAL))  # type: ignore[misc]
    tell(f"{executed.games} known attacks played")
    for number in range(games):
        drawn.play(f"random game {seed + number}", lambda number=number: draw_game(seed + number).run())  # type: ignore[misc]
        if number % 100 == 99:
            tell(f"{number + 1} of {games} random games played")
    sieges: list[dict[str, Any]] = []
    broken: list[str] = []
    for size in sizes_up_to(liars):
        setting = Setting.of(name, size)
        for reply in ("at once", "at the last moment"):
            try:
                siege, _ = besiege(setting, size, reply, seed=seed)
            except Violation as violation:
                broken.append(f"{size} liars, {reply}: {violation}")
            else:
                sieges.append({**asdict(siege), "refunded_ppm": siege.refunded_ppm})
        tell(f"besieged by {size}")
    return {
        "preset": name,
        "seed": seed,
        "known": asdict(executed),
        "random": asdict(drawn),
        "sieges": sieges,
        "violations": [*executed.violations, *drawn.violations, *broken],
    }
