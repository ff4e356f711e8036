"""The search: sequences are drawn, changed, crossed; the best of every kind of happening is kept and bred on.

That is MAP-Elites (Mouret and Clune, 2015): an attack that needs five steps, each of which alone costs money, is found
because the first four are kept for being different, not for being good.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from setoff.deploy.simulation.market_lab.search.arena import Arena
from setoff.deploy.simulation.market_lab.search.attempt import Trial, try_moves
from setoff.deploy.simulation.market_lab.search.moves import Move, change_move, draw_move

LONGEST: Final = 24
"""Moves of a sequence at most."""
FRESH: Final = 0.15
"""Share of the tries that are drawn anew."""


@dataclass(frozen=True)
class Found:
    """The best tries by what the attackers gained, by what a passive account lost, by what the vault lost; and the
    first with each breach.
    """

    tries: int
    seconds: float
    best: Trial
    worst: Trial
    drain: Trial
    breaches: dict[str, Trial]
    kinds: int
    """Kinds of happenings that were met."""


def search(
    arena: Arena,
    seed: int,
    seconds: float | None = None,
    tries: int | None = None,
    tell: Callable[[int, Trial], None] = lambda count, best: None,
) -> Found:
    """Breed until time or tries are over; with `tries` alone the same seed finds the same."""
    random = Random(seed)
    began = time.monotonic()
    best = worst = drain = try_moves(arena, ())
    elites: dict[tuple[int, ...], Trial] = {}
    breaches: dict[str, Trial] = {}
    count = 0
    while (tries is None or count < tries) and (seconds is None or time.monotonic() - began < seconds):
        count += 1
        trial = try_moves(arena, breed(list(elites.values()), random))
        kept = elites.get(trial.traits)
        if kept is None or trial.profit > kept.profit:
            elites[trial.traits] = trial
        if trial.profit > best.profit:
            best = trial
            tell(count, best)
        worst = max(worst, trial, key=lambda each: each.harm)
        drain = max(drain, trial, key=lambda each: each.shrunk)
        for breach in trial.breaches:
            breaches.setdefault(breach, trial)
    return Found(count, time.monotonic() - began, shorten(arena, best), worst, drain, breaches, len(elites))


def breed(elites: Sequence[Trial], random: Random) -> list[Move]:
    """The next sequence to try."""
    if not elites or random.random() < FRESH:
        return [draw_move(random) for _ in range(random.randint(2, 12))]
    moves = list(random.choice(elites).moves)
    if random.random() < 0.2:
        other = random.choice(elites).moves
        moves = moves[: random.randint(0, len(moves))] + list(other[random.randint(0, len(other)) :])
    for _ in range(1 + int(random.expovariate(0.7))):
        mutate(moves, random)
    return moves[:LONGEST]


def mutate(moves: list[Move], random: Random) -> None:
    """One change in place."""
    choice = random.random()
    if not moves or choice < 0.35:
        moves.insert(random.randint(0, len(moves)), draw_move(random))
        return
    at = random.randrange(len(moves))
    if choice < 0.75:
        moves[at] = change_move(moves[at], random)
    elif choice < 0.85:
        del moves[at]
    elif choice < 0.93:
        moves.insert(random.randint(0, len(moves)), moves[at])
    else:
        other = random.randrange(len(moves))
        moves[at], moves[other] = moves[other], moves[at]


def shorten(arena: Arena, trial: Trial) -> Trial:
    """The same without the moves that it does not need."""
    at = len(trial.moves) - 1
    while at >= 0:
        less = try_moves(arena, trial.moves[:at] + trial.moves[at + 1 :])
        if less.profit >= trial.profit:
            trial = less
        at -= 1
    return trial
