"""A whole dispute with 16, 32 and 64 children a node: moves, gas and calldata, measured on the court itself.

The court's sources are rewritten for another number of children and compiled: 16^9 and 64^6 positions (2^36) beside its
own 32^7 (2^35). Then one dispute with one liar is played on each, from joins to the last release, everything cold, with
the toy judge: the step itself is the same for all three. Gas is that of transactions, calldata at 16/4 a byte, or the
floor of 40/10 a byte (EIP-7623) where that is more.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.support.courts.arena import CLAIMANT, HONEST, PARAMS, RIVAL, Arena
from tests.support.evm import Chain

from setoff.contracts import compiler
from setoff.contracts.compiler import Compiled
from setoff.deploy.simulation.lab.machine import run_epoch
from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute.bisection import make_move
from setoff.shared.machine.history import EPOCH, Geometry, HistoryTree

GEOMETRIES: Final[dict[int, Geometry]] = {
    16: Geometry(batch_bits=6, opening_bits=4),
    32: EPOCH,
    64: Geometry(batch_bits=6, opening_bits=6),
}
"""Children of a node to the history's geometry."""
POSITION: Final = 1 << 30 | 1 << 20 | 2
"""Where the lie is: early in its input and that early in its batch, as most are, so that openings have most
siblings."""
TRANSACTION_GAS: Final = 21_000
GAS_PRICE: Final = 10**9


SHAPED: Final = ("court/matches.vy", "court/merkle.vy", "court/histories.vy")
"""The court's sources in which the shape of a history stands."""


def court_of(shape: Geometry) -> Compiled:
    """The court for histories of that shape. Raises ValueError if its sources no longer are what is rewritten here."""
    children, bits, levels, depth = shape.fanout, shape.opening_bits, shape.levels, shape.depth
    changes = {
        r"bytes32, 32\]": f"bytes32, {children}]",
        r"bytes32\[32\]": f"bytes32[{children}]",
        r"bytes32, 5\]": f"bytes32, {bits}]",
        r"bytes32, 35\]": f"bytes32, {depth}]",
        r"bytes32\[30\]": f"bytes32[{depth - bits}]",
        r"SEALED: constant\(uint256\) = 7": f"SEALED: constant(uint256) = {levels}",
        r"HEIGHT: constant\(uint256\) = 35": f"HEIGHT: constant(uint256) = {depth}",
        r"len\(children\) == 32": f"len(children) == {children}",
        r"children\[31\]": f"children[{children - 1}]",
        r"range\(32\)": f"range({children})",
        r"range\(5\)": f"range({bits})",
        r"index < 32": f"index < {children}",
        r"= 32 \* m.prefix": f"= {children} * m.prefix",
        r"uint256 = 16": f"uint256 = {children // 2}",
        r"bound=16": f"bound={children // 2}",
    }
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "contracts"
        shutil.copytree(compiler.ROOT, root, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        missing = set(changes)
        for name in SHAPED:
            text = (root / name).read_text()
            for pattern, new in changes.items():
                text, count = re.subn(pattern, new, text)
                if count:
                    missing.discard(pattern)
            (root / name).write_text(text)
        if missing:
            raise ValueError(f"the court's sources have no {', '.join(sorted(missing))} any more")
        return compile_in(root)


def compile_in(root: Path) -> Compiled:
    """The court among the sources in `root`, compiled as the project's own."""
    known, compiler.ROOT = compiler.ROOT, root  # type: ignore[misc]
    try:
        return compiler.compile_file(root / "court.vy", "court")
    finally:
        compiler.ROOT = known  # type: ignore[misc]


class Meter:
    """Gas and calldata of calls, by name; each is made with everything cold."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.gas: dict[str, list[int]] = {}
        self.bytes: dict[str, list[int]] = {}

    def call(self, name: str, contract: Any, function: str, *arguments: Any, sender: str, value: int = 0) -> None:
        """Send a transaction and note what it took."""
        data = contract.encode(function, *arguments)
        self._chain.cool()
        self._chain.call(contract.address, data, sender=sender, value=value, gas_price=GAS_PRICE)
        zeros = data.count(0)
        floor = TRANSACTION_GAS + 10 * zeros + 40 * (len(data) - zeros)
        self.gas.setdefault(name, []).append(max(self._chain.last.gas_used, floor))
        self.bytes.setdefault(name, []).append(len(data))


def play(shape: Geometry, court: str | Compiled) -> Meter:
    """One dispute, from the false claim to the last release."""
    arena = Arena(court_code=court)
    meter = Meter(arena.chain)
    count = PARAMS.epoch_batches
    honest = HistoryTree.of(arena.genesis, run_epoch(arena.genesis, 0, count), shape)
    liar = HistoryTree.of(arena.genesis, run_epoch(arena.genesis, 0, count, POSITION, keccak(b"liar")), shape)
    stake = PARAMS.stake
    # A third end, so that either side may join first: the honest one joins last, and so has the most moves to make.
    meter.call("claim", arena.court, "claim", 0, arena.genesis, keccak(b"third"), sender=CLAIMANT, value=stake)
    key = arena.key(arena.genesis)
    for history, owner in ((liar, RIVAL), (honest, HONEST)):
        path = history.path(shape.positions - 1)[: shape.depth - shape.opening_bits]
        arguments = (key, history.children(0, 0), history.end, path)
        meter.call("join", arena.court, "join", *arguments, sender=owner, value=PARAMS.bond)
    prefix = 0
    for level in range(shape.levels):
        mover, opponent = (honest, liar) if level % 2 == 0 else (liar, honest)
        move = make_move(
            mover.children(level, prefix),
            opponent.children(level, prefix),
            lambda index: mover.children(level + 1, prefix * shape.fanout + index),  # noqa: B023
        )
        sides = (move.common, move.mine, move.theirs)
        arguments = (key, mover.root, opponent.root, move.index, move.children, move.their_child, *sides)
        sender = HONEST if mover is honest else RIVAL
        meter.call("move", arena.court, "move", *arguments, sender=sender)
        prefix = prefix * shape.fanout + move.index
    if prefix != POSITION:
        raise ValueError(f"the match was sealed at {prefix}, the lie is at {POSITION}")
    proof = (key, honest.root, liar.root, honest.leaf(prefix - 1), honest.path(prefix - 1), bytes(32))
    meter.call("prove", arena.court, "prove", *proof, sender=HONEST)
    if arena.history_state(key, liar) != 2 or arena.history_state(key, honest) != 1:
        raise ValueError("the honest side did not win")
    arena.warp(PARAMS.challenge_period)
    meter.call("install", arena.court, "install", key, honest.end, sender=HONEST)
    meter.call("settle", arena.court, "settle", key, honest.root, sender=HONEST)
    for history in (honest, liar):
        meter.call("release", arena.court, "release", key, history.root, sender=HONEST)
    return meter


def run() -> dict[str, float]:
    """By number of children: moves, gas and bytes of a move, of an honest side and of both in a whole dispute."""
    figures: dict[str, float] = {}
    for children, shape in GEOMETRIES.items():
        court = court_of(shape)
        if shape == EPOCH and court.runtime != compiler.compile_contract("court").runtime:
            raise ValueError("what was rewritten to its own shape is not the court")
        meter = play(shape, court)
        moves, sizes = meter.gas["move"], meter.bytes["move"]
        all_calls = {name: sum(gas) for name, gas in meter.gas.items()}
        shared = sum(all_calls[name] for name in ("prove", "install", "settle", "release"))
        join = max(meter.gas["join"])
        figures |= {
            f"k={children} moves": shape.levels,
            f"k={children} honest transactions": 1 + len(moves[::2]) + 5,  # join; prove, install, settle, two releases
            f"k={children} join_gas": join,
            f"k={children} dearest move_gas": max(moves),
            f"k={children} mean move_gas": sum(moves) / len(moves),
            f"k={children} mean move_bytes": sum(sizes) / len(sizes),
            f"k={children} all moves_gas": sum(moves),
            f"k={children} all moves_bytes": sum(sizes),
            f"k={children} prove without the step_gas": meter.gas["prove"][0],
            f"k={children} honest side_gas": join + sum(moves[::2]) + shared,
            f"k={children} both sides_gas": 2 * join + sum(moves) + shared,
            f"k={children} court_bytes": court.size,
        }
    return figures


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:36} {value:12,.0f}")
