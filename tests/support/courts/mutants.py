"""The rules with one line weakened at a time. Each has to be caught by the games of the lab.

A mutant replaces one piece of a method's source, so it stays what it says as the rules around it change; if the piece
is no longer there exactly once, making the mutant fails.
"""

import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any

from setoff.deploy.simulation.lab.cases import Rules
from setoff.deploy.simulation.reference_court import ReferenceCourt
from setoff.shared.dispute.strategy import Player

Change = tuple[str, str, str]
"""(method, piece of its source, what stands there instead)"""


def weaken(base: type, *changes: Change) -> Any:
    """A subclass of `base` with the changes."""
    methods: dict[str, Any] = {}
    for name in {name for name, _, _ in changes}:
        source = textwrap.dedent(inspect.getsource(getattr(base, name)))
        for _, old, new in (change for change in changes if change[0] == name):
            assert source.count(old) == 1, f"{name} has {source.count(old)} times: {old}"
            source = source.replace(old, new)
        space: dict[str, Any] = {}
        exec(compile(source, f"<weakened {name}>", "exec"), vars(sys.modules[base.__module__]), space)
        methods[name] = space[name]
    return type(f"Weak{base.__name__}", (base,), methods)


def court(*changes: Change) -> Callable[[], Rules]:
    return lambda: Rules(make_model=weaken(ReferenceCourt, *changes))


def player(*changes: Change) -> Callable[[], Rules]:
    return lambda: Rules(make_player=weaken(Player, *changes))


KNOWN: dict[str, Callable[[], Rules]] = {
    "a dispute is void at the join deadline": court(
        ("void", "claim.disputed_at + 3 * period", "claim.disputed_at + period")
    ),
    "one clock a history instead of one a match": court(
        (
            "_expiry",
            "used = match.later_used if root == match.later else match.earlier_used",
            "used = sum(\n"
            "        (m.later_used if root == m.later else m.earlier_used)\n"
            "        for m in claim.matches.values() if root in (m.later, m.earlier)\n"
            "    )",
        )
    ),
    "a watcher skips because the right end is there": player(
        ("_join", "if executed.run.root not in claim.histories:", "if executed.run.end not in claim.ends():")
    ),
    "no window for defenders of the claim's end": court(
        ("join", "require(self.now < claim.disputed_at + period", "require(self.now < claim.claimed_at + period"),
        ("install", "if end != claim.end:", "if False:"),
    ),
    "a failed inner call is read as a verdict": court(
        (
            "prove",
            "post = self.judge(claim.epoch * count, count, position, pre, proof)",
            "try:\n"
            "        post = self.judge(claim.epoch * count, count, position, pre, proof)\n"
            "    except Revert:\n"
            "        post = ZERO",
        )
    ),
    "an eliminated opponent plays on": court(
        (
            "_match",
            "self._is_standing(claim, a) and self._is_standing(claim, b)",
            "a in claim.histories and b in claim.histories",
        )
    ),
    "moves of liar against liar are credited": court(
        ("_credit", "(loser, winner)", "(loser, ZERO)"),
        ("release", "(root, claim.winner)", "(root, ZERO)"),
        ("redeem", "(root, claim.winner)", "(root, ZERO)"),
    ),
    "a claimant is slashed although the end was right": court(
        ("settle", "if claim.result == claim.end:", "if claim.result == claim.end and claim.standing == 0:")
    ),
    "stakes are chained": court(
        (
            "settle",
            "self._slash(claim.stake, payee)",
            "self._slash(claim.stake, payee)\n"
            "        for other in self.claims.values():\n"
            "            if other.epoch == claim.epoch + 1 and other.state in (CLAIMED, DISPUTED, INSTALLED):\n"
            "                self._slash(other.stake, payee)\n"
            "                other.state = MOOT",
        )
    ),
    "several lies on one bond": court(
        (
            "join",
            "value == self.terms.bond",
            "value == (0 if any(h.owner == sender for h in claim.histories.values()) else self.terms.bond)",
        ),
        (
            "release",
            "owner, amount, bond = NOBODY, 0, self.terms.bond",
            "history_of = lambda r: claim.histories[r].owner\n"
            "    first = next(r for r in claim.histories if history_of(r) == history.owner)\n"
            "    owner, amount, bond = NOBODY, 0, self.terms.bond if first == root else 0\n"
            "    if not bond:\n"
            "        history.state = PAID\n"
            "        return",
        ),
    ),
}
"""What broke in the protocol's own model when it was weakened."""

OTHERS: dict[str, Callable[[], Rules]] = {
    "one reward a stake": court(("_slash", "self.terms.stake_claims * reward", "reward")),
    "an end is installed while others stand": court(("install", "claim.ends == 1", "claim.ends >= 1")),
    "the challenge period is not waited for": court(
        ("install", "self.now >= claim.claimed_at + period", "self.now >= claim.claimed_at")
    ),
    "a clock begins with the join": court(("_expiry", "- delay - used", "- used")),
    "a move gives its time back": court(
        ("move", "match.later_used += self.now - match.since", "match.later_used = 0"),
        ("move", "match.earlier_used += self.now - match.since", "match.earlier_used = 0"),
    ),
    "the side that waits ticks": court(("timeout", "loser = on_turn(match)", "loser = match.earlier")),
    "a proof eliminates who was right": court(("prove", "if leaf != post:", "if leaf == post:")),
    "anybody is the winner at once": court(("settle", "if claim.standing > 1:", "if False:")),
    "a standing bond is paid again and again": court(("release", "history.state = PAID", "pass")),
    "nothing is burnt": court(
        ("release", "bond - self.terms.bond_burn", "bond"),
        ("release", "self._burn(self.terms.bond_burn)", "pass"),
    ),
    "credits count for the loser": court(("_credit", "(loser, winner)", "(winner, loser)")),
    "a root joins twice": court(("join", 'require(root not in claim.histories, "history_exists")', "pass")),
    "a match needs no proof of the state before": court(
        ("prove", 'require(climb(pre, position - 1, path) in (a, b), "wrong_pre")', "pass")
    ),
    "a refund on the true start": court(
        ("reclaim_history", 'require(self._is_false_start(key), "start_not_false")', "pass")
    ),
    "a watcher waits for the predecessor's confirmation": player(
        ("_about", "if executed is None", "if not court.is_true_start(claim) or executed is None")
    ),
    "a watcher times nobody out": player(("_answer", "elif now >= expiry:", "elif False:")),
    "a watcher forgets to settle": player(("_conclude", "if court.is_true_start(claim):", "if False:")),
}
"""More of the kind: each weakens the court in another way."""
