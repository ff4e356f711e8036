"""An action as the court's call, with everything in it that only the player's own knowledge can supply. Pure.

The values are those of the court's ABI: hashes and byte strings as bytes, addresses as 20 bytes, money in wei.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from setoff.shared.dispute import actions
from setoff.shared.dispute.actions import Action
from setoff.shared.dispute.bisection import make_move
from setoff.shared.dispute.game import Claim, CourtState
from setoff.shared.dispute.trace_provider import Epochs, TraceProvider
from setoff.shared.errors import StateError
from setoff.shared.machine.history import EPOCH


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the court, its arguments in order, and the wei that go with it."""

    function: str
    arguments: tuple[Any, ...] = field(repr=False)
    value: int = 0


def make_call(action: Action, court: CourtState, epochs: Epochs, me: bytes) -> Call:
    """The call for an action that the strategy chose; `me` is who makes it.

    Raises StateError if the game or the knowledge is no longer what the action was chosen for.
    """
    match action:
        case actions.Claim(epoch, start, _):
            run = _run(epochs, epoch)
            return Call("claim", (epoch, start, run.end), 0 if court.room(me) else court.terms.stake)
        case actions.Join(key):
            run = _run(epochs, _claim(court, key).epoch)
            return Call("join", (key, list(run.children(0, 0)), run.end, list(run.last_path())), court.terms.bond)
        case actions.Move():
            return _move(action, _claim(court, action.key), epochs)
        case actions.Timeout(key, loser, winner):
            return Call("timeout", (key, loser, winner))
        case actions.Prove():
            return _prove(action, _claim(court, action.key), epochs)
        case actions.Install(key, end):
            return Call("install", (key, end))
        case actions.Void(key):
            return Call("void", (key,))
        case actions.Settle(key, winner):
            return Call("settle", (key, winner))
        case actions.Release(key, root):
            return Call("release", (key, root))
        case actions.Redeem(key, root, mover):
            return Call("redeem", (key, root, mover))
        case actions.Reclaim(key):
            return Call("reclaim", (key,))
        case actions.ReclaimHistory(key, root):
            return Call("reclaim_history", (key, root))
        case actions.Advance(epoch):
            return Call("advance", (epoch,))
        case actions.Collect(owner):
            return Call("collect", (owner,))
        case actions.Unstake(id):
            return Call("unstake", (id,))
    raise StateError("claim_state", f"{type(action).__name__} is no call of the court")


def step_call(action: actions.Prove, call: Call, court: CourtState, epochs: Epochs) -> tuple[Call, bytes]:
    """What `call`, made for a proof, asks of the judge, and the leaf it has to come to: tried before it is sent."""
    claim = _claim(court, action.key)
    position = claim.match(action.root, action.opponent).prefix
    count = court.terms.epoch_batches
    *_, pre, _path, proof = call.arguments
    return Call("step", (claim.epoch * count, count, position, pre, proof)), _run(epochs, claim.epoch).leaf(position)


def _move(action: actions.Move, claim: Claim, epochs: Epochs) -> Call:
    run = _run(epochs, claim.epoch)
    match = claim.match(action.mover, action.opponent)
    if match.level != action.level or match.is_sealed:
        raise StateError("not_on_turn", f"the match is at level {match.level}")
    level, first = match.level, match.prefix * EPOCH.fanout
    open_child: Callable[[int], Sequence[bytes]] = lambda index: run.children(level + 1, first + index)  # noqa: E731
    try:
        move = make_move(run.children(level, match.prefix), match.opening, open_child)
    except ValueError as error:
        raise StateError("children_equal", str(error)) from None
    return Call(
        "move",
        (
            *(action.key, action.mover, action.opponent, move.index, move.children, move.their_child),
            *(move.common, move.mine, move.theirs),
        ),
    )


def _prove(action: actions.Prove, claim: Claim, epochs: Epochs) -> Call:
    run = _run(epochs, claim.epoch)
    match = claim.match(action.root, action.opponent)
    if not match.is_sealed:
        raise StateError("match_not_sealed", f"the match is at level {match.level}")
    position = match.prefix
    # The machine hash before the step is the leaf before, which both sides share.
    pre = run.leaf(position - 1) if position else run.start_hash
    path = list(run.path(position - 1)) if position else []
    return Call("prove", (action.key, action.root, action.opponent, pre, path, run.proof(position)))


def _claim(court: CourtState, key: bytes) -> Claim:
    claim = court.claims.get(key)
    if claim is None:
        raise StateError("claim_state", "there is no such claim")
    return claim


def _run(epochs: Epochs, epoch: int) -> TraceProvider:
    executed = epochs.executed(epoch)
    if executed is None:
        raise StateError("not_ready", f"epoch {epoch} is not executed")
    return executed.run
