"""Games: the known attacks by name, and random ones that mix them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from setoff.deploy.simulation.lab.chain import Attacker, Censor, Honest, Lab, MakeModel, address
from setoff.deploy.simulation.lab.machine import (
    GENESIS,
    INPUTS_PER_BATCH,
    LAST,
    MICROS,
    Exchanged,
    Garbage,
    Leaves,
    Run,
    history_gone_wrong,
    position,
    true_history,
)
from setoff.deploy.simulation.lab.parties import (
    Copier,
    Crowd,
    FrontRunner,
    Helper,
    Liar,
    Miser,
    Repeater,
    Reply,
    StarvedProver,
    Vulture,
    at_once,
    at_the_last_moment,
    by_chance,
    late_from,
    never,
    until,
)
from setoff.deploy.simulation.lab.setting import Setting
from setoff.deploy.simulation.reference_court import ReferenceCourt
from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute.calls import Call
from setoff.shared.dispute.strategy import Player, Policy
from setoff.shared.params import MILLION

if TYPE_CHECKING:
    from setoff.shared.dispute.game import Claim

MakePlayer = Callable[[bytes, Policy], Player]
MakeLie = Callable[[bytes, int, int, bytes], Leaves]
"""(start, epoch, batches, name) to a false history; other names give other lies."""


@dataclass(frozen=True)
class Rules:
    """What a game is played by: tests put weakened ones here."""

    make_model: MakeModel = ReferenceCourt
    make_player: MakePlayer = Player

    def honest(self, name: str = "honest", *, claim_after: int | None = None, deference: int = 0) -> Honest:
        """An honest party that collects everything."""
        return Honest(name, Policy(claim_after, deference, collect_from=1), self.make_player)

    def lab(self, setting: Setting, honest: list[Honest], attackers: list[Attacker], **options: object) -> Lab:
        """A game by these rules."""
        return Lab(setting, honest, attackers, make_model=self.make_model, **options)  # type: ignore[arg-type]


REAL: Final = Rules()

# --- lies ------------------------------------------------------------------------------------------------------------


def _exchanged(place: Callable[[int], int]) -> MakeLie:
    return lambda start, epoch, count, name: Exchanged(true_history(start, epoch, count), place(count), keccak(name))


def _wrong(place: Callable[[int], int]) -> MakeLie:
    return lambda start, epoch, count, name: history_gone_wrong(start, epoch, count, place(count), keccak(name))


def _garbage(start: bytes, epoch: int, count: int, name: bytes) -> Leaves:
    return Garbage(keccak(b"end of " + name), name)


def _garbage_to_the_end(start: bytes, epoch: int, count: int, name: bytes) -> Leaves:
    return Garbage(true_history(start, epoch, count).end, name)


def _rubbish(child: int) -> MakeLie:
    """The truth but for one child of the first level, below which there is nothing."""

    def make(start: bytes, epoch: int, count: int, name: bytes) -> Leaves:
        history = true_history(start, epoch, count)
        return Garbage(history.end, keccak(name), history, child)

    return make


LIES: Final[dict[str, MakeLie]] = {
    "wrong from the first leaf": _wrong(lambda count: 0),
    "wrong from the last real step": _wrong(lambda count: position(count - 1, INPUTS_PER_BATCH - 1, MICROS - 1)),
    "wrong from within": _wrong(lambda count: position(0, 1, 2)),
    "first leaf": _exchanged(lambda count: 0),
    "last leaf": _exchanged(lambda count: LAST),
    "idle input": _exchanged(lambda count: position(0, 1, 77)),
    "unused input": _exchanged(lambda count: position(0, 900, 5)),
    "unused batch": _exchanged(lambda count: position(31, 3, 1)),
    "end of an input": _exchanged(lambda count: position(0, 1, 0) - 1),
    "begin of an input": _exchanged(lambda count: position(0, 1, 0)),
    "end of a batch": _exchanged(lambda count: position(1, 0, 0) - 1),
    "begin of a batch": _exchanged(lambda count: position(1, 0, 0)),
    "false middle": _exchanged(lambda count: position(0, 2, 1)),
    "random root": _garbage,
    "random root, right end": _garbage_to_the_end,
    "garbage below the first level": _rubbish(0),
    "garbage in unused batches": _rubbish(17),
}

REPLIES: Final[dict[str, Reply]] = {
    "at once": at_once,
    "at the last moment": at_the_last_moment,
    "never": never,
    **{f"until level {level}": until(level) for level in range(1, 7)},
    "until level 5, late": until(5, at_the_last_moment),
    "late from level 4": late_from(4),
}


def lie(kind: str, name: str = "lie", *, epoch: int = 0, start: bytes = GENESIS, count: int) -> Run:
    """Somebody's false history of an epoch."""
    return Run(start, LIES[kind](start, epoch, count, name.encode()))


# --- times to join ---------------------------------------------------------------------------------------------------


def before_t0(lab: Lab, claim: Claim) -> int:
    """The last block in which a history that differs from the claim may join."""
    return claim.claimed_at + lab.setting.period - lab.setting.block


def before_t1(lab: Lab, claim: Claim) -> int:
    """The last block in which a defender of the claim may join."""
    if not claim.disputed_at:
        return claim.claimed_at + lab.setting.period
    return claim.disputed_at + lab.setting.period - lab.setting.block


def after(seconds: int) -> Callable[[Lab, Claim], int]:
    """So long after the claim."""
    return lambda lab, claim: claim.claimed_at + seconds


# --- the known attacks -----------------------------------------------------------------------------------------------

Case = Callable[[Rules], Lab]


def tight(liars: int = 1, **changes: int) -> Setting:
    """The least safe T for κ = 3, C = 0, ℓ = 1, unless changed."""
    setting = Setting.draw(random.Random(liars), liars)
    params = replace(setting.params, computation=3, censorship=0, inclusion=1, queueing=0)
    params = replace(params, **changes)
    params = replace(params, challenge_period=params.needed_period)
    return replace(setting, params=params.check(), capacity=100, gas_price=params.gas_price_cap)


def find_cases() -> dict[str, Case]:
    """All known attacks by name: "lie: …", "true claim: …", "join: …", and so on."""
    cases: dict[str, Case] = {}
    for kind in LIES:
        for reply in REPLIES:
            cases[f"lie: {kind}, {reply}"] = _duel(kind, reply, is_claim_true=False)
            cases[f"true claim: {kind}, {reply}"] = _duel(kind, reply, is_claim_true=True)
    for moment, when in (("before t0 + T", before_t0), ("before t1 + T", before_t1), ("after κ", after(4))):
        for kind in ("wrong from within", "false middle", "random root"):
            for reply in ("at once", "at the last moment"):
                cases[f"join: {moment}, {kind}, {reply}"] = _late_join(kind, reply, when)
    for function in ("join", "move", "prove", "timeout", "install", None):
        for reply in ("at once", "late from level 4", "never"):
            cases[f"censored: {function or 'everything'}, {reply}"] = _censored(function, reply)
    for function in ("claim", "join", "move", "prove", "timeout", "install", "settle", "release", None):
        cases[f"front-run: {function or 'everything'}"] = _front_run(function)
    for count in (2, 10, 30):
        for reply in ("at once", "at the last moment", "late from level 4"):
            cases[f"crowd: {count}, {reply}"] = _crowd(count, reply)
    cases["copier"] = _with(lambda: [Copier(address("copier"))])
    cases["helper"] = _with(lambda: [Helper(address("helper"))])
    cases["miser"] = _with(_misers)
    cases["repeater"] = _with(lambda: [Repeater(address("repeater"))])
    cases["starved prover"] = _with(lambda: [StarvedProver(address("starved"))])
    cases["vulture"] = _with(lambda: [Vulture(address("vulture"), random.Random(1), tries=10**6)])
    cases["liar against liar"] = _liars_only
    cases["liars with the same leaf"] = _same_position
    cases["several lies on one stake"] = _many_lies
    cases["moot"] = _moot
    cases["false middles only"] = _false_middles
    cases["deference"] = _deference
    return cases


def _claimer(count: int, name: str = "claimer", kind: str = "wrong from the first leaf", **options: object) -> Liar:
    """Claims falsely, and stands for it when disputed."""
    return Liar(address(name), {0: lie(kind, name, count=count)}, claims=True, **options)  # type: ignore[arg-type]


def _duel(kind: str, reply: str, *, is_claim_true: bool) -> Case:
    def play(rules: Rules) -> Lab:
        setting = tight(2)
        count = setting.params.epoch_batches
        liar = Liar(address("liar"), {0: lie(kind, count=count)}, reply=REPLIES[reply])
        if is_claim_true:
            return rules.lab(setting, [rules.honest(claim_after=0)], [liar]).run()
        return rules.lab(setting, [rules.honest()], [_claimer(count, reply=REPLIES[reply]), liar]).run()

    return play


def _late_join(kind: str, reply: str, when: Callable[[Lab, Claim], int]) -> Case:
    def play(rules: Rules) -> Lab:
        setting = tight(3)
        count = setting.params.epoch_batches
        liars = [
            Liar(
                address(f"liar {number}"),
                {0: lie(kind, f"{number}", count=count)},
                reply=REPLIES[reply],
                joins_at=when,
                is_first=number == 0,
            )
            for number in range(2)
        ]
        honest = rules.honest(claim_after=0 if when is before_t0 else None)
        if when is before_t0:
            return rules.lab(setting, [honest], [*liars]).run()
        return rules.lab(setting, [honest], [_claimer(count, reply=REPLIES[reply], joins_at=when), *liars]).run()

    return play


def _censored(function: str | None, reply: str) -> Case:
    def play(rules: Rules) -> Lab:
        setting = tight(2, censorship=12)
        count = setting.params.epoch_batches
        censor = Censor(12, frozenset({function}) if function else None)
        liar = Liar(address("liar"), {0: lie("false middle", count=count)}, reply=REPLIES[reply], is_first=True)
        claimer = _claimer(count, reply=REPLIES[reply])
        return rules.lab(setting, [rules.honest()], [claimer, liar], censor=censor).run()

    return play


def _front_run(function: str | None) -> Case:
    def play(rules: Rules) -> Lab:
        setting = tight(1)
        count = setting.params.epoch_batches
        runner = FrontRunner(address("front-runner"), frozenset({function}) if function else None)
        return rules.lab(
            setting, [rules.honest(claim_after=0)], [_claimer(count, reply=at_the_last_moment), runner]
        ).run()

    return play


def _crowd(size: int, reply: str) -> Case:
    def play(rules: Rules) -> Lab:
        setting = Setting.draw(random.Random(size), size + 1)
        count = setting.params.epoch_batches
        kinds = list(LIES)
        members = [(address(f"liar {n}"), lie(kinds[n % 13], f"{n}", count=count)) for n in range(size)]
        crowd = Crowd(members, REPLIES[reply])
        return rules.lab(setting, [rules.honest()], [_claimer(count, reply=REPLIES[reply]), crowd]).run()

    return play


def _with(make: Callable[[], list[Attacker]]) -> Case:
    def play(rules: Rules) -> Lab:
        setting = tight(2)
        count = setting.params.epoch_batches
        liar = Liar(address("liar"), {0: lie("last leaf", count=count)}, reply=late_from(5), proves=True)
        return rules.lab(setting, [rules.honest()], [*make(), _claimer(count), liar, *make()]).run()

    return play


def _misers() -> list[Attacker]:
    count = tight().params.epoch_batches
    return [Miser(address("miser"), [lie("last leaf", f"miser {n}", count=count) for n in range(3)])]


def _liars_only(rules: Rules) -> Lab:
    """Liars fight each other until nothing is left, twice, before anybody honest wakes up."""
    setting = tight(4)
    count = setting.params.epoch_batches
    liars = [
        Liar(address(f"liar {n}"), {0: lie("last leaf", f"{n}", count=count)}, proves=True, claims=n == 0)
        for n in range(4)
    ]
    honest = rules.honest(claim_after=0)
    honest.awake_from = setting.period + setting.period // 2
    lab = rules.lab(setting, [honest], [*liars])
    lab.audit.is_delay_bounded = False
    return lab.run()


def _same_position(rules: Rules) -> Lab:
    """Two liars whose leaves differ where both are wrong: one proof takes both."""
    setting = tight(3)
    count = setting.params.epoch_batches
    liars = [
        Liar(address(f"liar {n}"), {0: lie("wrong from within", f"{n}", count=count)}, proves=True, is_first=True)
        for n in range(2)
    ]
    return rules.lab(setting, [rules.honest()], [_claimer(count), *liars]).run()


def _many_lies(rules: Rules) -> Lab:
    """One stake for lies about several epochs, all on true starts."""
    setting = tight(4)
    setting = replace(setting, params=replace(setting.params, stake_claims=3))
    count = setting.params.epoch_batches
    starts = [GENESIS]
    for epoch in range(3):
        starts.append(true_history(starts[-1], epoch, count).end)

    class Late(Liar):
        """Claims a false end of every epoch on its true start, which a strategy would not."""

        def before(self, lab: Lab) -> None:
            for epoch in range(4):
                if lab.court.next_round(epoch, starts[epoch]) == 0:
                    stake = 0 if lab.model.has_room(self.me) else lab.terms.stake
                    lab.call(Call("claim", (epoch, starts[epoch], keccak(b"lie %d" % epoch)), stake), self.me)

    liar = Late(address("liar"), {})
    return rules.lab(setting, [rules.honest()], [liar], epochs=4).run()


def _moot(rules: Rules) -> Lab:
    """Claims on a false start, disputed by liars among themselves, while the honest claim the true one."""
    setting = tight(3)
    count = setting.params.epoch_batches
    first = lie("wrong from within", "first", count=count)
    liars = [
        Liar(
            address(f"liar {n}"),
            {0: first, 1: lie("last leaf", f"{n}", epoch=1, start=first.end, count=count)},
            claims=n == 0,
            is_first=True,
        )
        for n in range(3)
    ]
    return rules.lab(setting, [rules.honest(claim_after=1)], [*liars], epochs=2).run()


def _false_middles(rules: Rules) -> Lab:
    """A true claim installed before its claimant can stand for it: false middles are left, and nobody plays on."""
    setting = tight(4, inclusion=2)
    count = setting.params.epoch_batches
    last = after(setting.period - 1)
    liars = [Liar(address("other end"), {0: lie("last leaf", count=count)}, joins_at=last, reply=never)]
    for number in range(3):
        middle = lie("false middle", f"{number}", count=count)
        liars.append(Liar(address(f"middle {number}"), {0: middle}, joins_at=last))
    return rules.lab(setting, [rules.honest(claim_after=0)], [*liars]).run()


def _deference(rules: Rules) -> Lab:
    """Two honest watchers, one of whom waits for the other."""
    setting = tight(2, computation=8)
    count = setting.params.epoch_batches
    liar = Liar(address("liar"), {0: lie("idle input", count=count)}, reply=late_from(3))
    return rules.lab(setting, [rules.honest(), rules.honest("backup", deference=1)], [_claimer(count), liar]).run()


# --- random games ----------------------------------------------------------------------------------------------------


def draw_game(seed: int, rules: Rules = REAL) -> Lab:
    """A game with everything drawn: setting, honest parties, liars and other attackers. Not played yet."""
    draw = random.Random(seed)
    size = draw.choice([1, 1, 2, 3, 4, 6])
    crowd = draw.choice([0, 0, 0, 0, 5, 12])
    epochs = draw.choice([1, 1, 1, 2])
    setting = Setting.draw(draw, (size + crowd) * epochs + epochs)
    count = setting.params.epoch_batches
    is_claim_true = draw.random() < 0.4
    honest = [rules.honest(claim_after=0 if is_claim_true else setting.period // 2)]
    if draw.random() < 0.2:
        honest.append(rules.honest("second"))
    attackers: list[Attacker] = [
        _draw_liar(draw, number, count, epochs, claims=number == 0 and not is_claim_true) for number in range(size)
    ]
    if crowd:
        members = [
            (address(f"member {n}"), lie(draw.choice(list(LIES)[:13]), f"member {n}", count=count))
            for n in range(crowd)
        ]
        attackers.append(Crowd(members, draw.choice(list(REPLIES.values())), join_after=draw.randrange(8)))
    attackers += [attacker for attacker in _draw_others(draw) if draw.random() < 0.15]
    draw.shuffle(attackers)
    kinds = draw.choice([None, "join", "move", "prove", "timeout", "install"])
    censor = Censor(setting.params.censorship, frozenset({kinds}) if kinds else None, draw)
    return rules.lab(setting, honest, attackers, epochs=epochs, censor=censor)


def _draw_liar(draw: random.Random, number: int, count: int, epochs: int, *, claims: bool) -> Liar:
    name = f"liar {number}"
    runs = {}
    start = GENESIS
    for epoch in range(epochs):
        run = lie(draw.choice(list(LIES)), f"{name}.{epoch}", epoch=epoch, start=start, count=count)
        runs[epoch] = run
        # Either goes on from its own lie, or lies about the true chain.
        start = run.end if draw.random() < 0.5 else true_history(start, epoch, count).end
    reply = draw.choice([*REPLIES.values(), by_chance(draw.randrange(MILLION))])
    moment = draw.choice([None, None, before_t0, before_t1, after(draw.randrange(12))])
    return Liar(
        address(name),
        runs,
        claims=claims,
        reply=reply,
        joins_at=moment,
        proves=draw.random() < 0.5,
        is_first=draw.random() < 0.5,
        finishes=draw.random() < 0.7,
    )


def _draw_others(draw: random.Random) -> Iterator[Attacker]:
    yield Copier(address("copier"))
    yield Helper(address("helper"))
    yield Repeater(address("repeater"))
    yield StarvedProver(address("starved"))
    yield FrontRunner(address("front-runner"))
    yield Vulture(address("vulture"), draw)
    yield Vulture(address("second vulture"), draw)
