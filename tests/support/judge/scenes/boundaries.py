"""Finds the numbers at which an input goes another way, and plays it, or names variants of it, on either side.

They are looked for on copies of the machine, so they are exact whatever the rules make of them.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable
from typing import cast

from tests.support.judge.judged_world import OK, JudgedWorld
from tests.support.mutation.inputs import Leaves
from tests.support.variants import change_record, set_number

from setoff.shared import errors
from setoff.shared.codec import records
from setoff.shared.machine.machine import Machine
from setoff.shared.state.store import State
from setoff.shared.state.tree import Tree

Holds = Callable[[Machine, list[str]], bool]
FAR = 2**40
CRANK = records.encode_crank(1)
CALL = {"call_minutes": 1, "halted_until": 2**40}


def load(machine: Machine, name: str) -> object:
    """The leaf of that name, or the registers."""
    if name == "registers":
        return machine.regs
    kind, _, number = name.partition(" ")
    state = machine.state
    if kind == "terms":
        return state.terms()
    return {
        "account": state.account,
        "market": state.market,
        "order": state.order,
        "request": state.request,
        "activity": state.activity,
    }[kind](int(number))


def have(machine: Machine, name: str, value: int) -> None:
    """Set a number by hand: "account 2.collateral"."""
    leaf, _, field = name.partition(".")
    set_number(load(machine, leaf), field, value)
    machine.state.commit()


def find_edge(world: JudgedWorld, name: str, inputs: list[bytes], holds: Holds, low: int, high: int) -> int:
    """The least number from `low` to `high` with which, after a batch of these records, something holds that does not
    with less; where it holds with `low` and not with `high`, the least with which it does not."""

    def ask(value: int) -> bool:
        twin = world.machine.copy()
        have(twin, name, value)
        twin.begin(world.bench.number, world.time)
        outcomes = [errors.OUTCOMES[twin.take(body, False)] for body in inputs]
        twin.state.commit()
        return holds(twin, outcomes)

    is_held = ask(high)
    assert ask(low) != is_held, (name, "no edge")
    while high - low > 1:
        middle = (low + high) // 2
        if ask(middle) == is_held:
            high = middle
        else:
            low = middle
    return high


def is_taken(machine: Machine, outcomes: list[str]) -> bool:
    return outcomes[-1] == OK


def play_edge(
    world: JudgedWorld,
    name: str,
    make: Callable[[], list[bytes]],
    holds: Holds = is_taken,
    low: int = -FAR,
    high: int = FAR,
) -> None:
    """Play the inputs on either side of the edge of a number, which is then as it was."""
    leaf, _, field = name.partition(".")
    before = getattr(load(world.machine, leaf), field)
    for below in (1, 0):
        inputs = make()
        edge = find_edge(world, name, inputs, holds, low, high) - below
        have(world.machine, name, edge)
        world.run(*inputs)
        spent = getattr(load(world.machine, leaf), field) - edge
        have(world.machine, name, before + spent if field == "collateral" else before)


def stand(account: int) -> Callable[[Machine, list[str]], bool]:
    """Whether an account still has orders."""
    return lambda machine, outcomes: machine.state.account(account).orders != 0


def vary(world: JudgedWorld, inputs: list[bytes], numbers: dict[str, int], index: int = -1) -> None:
    """Name a variant of one of the records of the next batch, the last unless another is said."""
    if not world.bench.is_recorder:
        return
    index %= len(inputs)
    recipe = {"batch": world.bench.number, "input": index, "set": numbers}
    if recipe not in world.bench.variants:
        world.bench.variants.append(recipe)


def vary_edges(
    world: JudgedWorld,
    inputs: list[bytes],
    names: dict[str, tuple[int, int]],
    fixed: dict[str, int] | None = None,
    index: int = -1,
) -> None:
    """Name variants on either side of every number, in the bounds that are given for each name, at which one of the
    records of the next batch goes another way: other steps, leaves, trades, or another outcome."""
    bench, fixed = world.bench, fixed or {}
    if not bench.is_recorder:
        return
    found = next(bench.known_edges, None)
    if found is None or list(found) != list(names):
        found = search_edges(world, inputs, names, fixed, index)
    bench.edges.append(found)
    for name, values in found.items():
        for value in values:
            vary(world, inputs, {**fixed, name: value}, index)


def search_edges(
    world: JudgedWorld, inputs: list[bytes], names: dict[str, tuple[int, int]], fixed: dict[str, int], index: int
) -> dict[str, list[int]]:
    """By name the numbers on either side of every such edge."""
    index %= len(inputs)
    before = world.machine.copy()
    before.begin(world.bench.number, world.time)
    for body in inputs[:index]:
        before.take(body, False)
    before.state.commit()
    tree = dict(before.state.tree.items())

    def ask(name: str, value: int) -> object:
        twin = Machine(before.regs.copy(), State(cast(Tree, Leaves(tree))))
        body = inputs[index]
        seen: dict[int, bytes] = {}
        twin.state.seen = seen
        try:
            for each, number in {**fixed, name: value}.items():
                if each.startswith("input."):
                    body = change_record(body, {each.removeprefix("input."): number})
                else:
                    have(twin, each, number)
            outcome = twin.take(body, False)
            twin.state.commit()
        except (OverflowError, struct.error):
            return None
        trades = tuple(fill[:6] + fill[8:] for fill in twin.fills)
        return outcome, twin.regs.steps, frozenset(seen), trades, bool(twin.regs.shares), bool(twin.regs.amount)

    found: dict[str, list[int]] = {}
    for name, (low, high) in names.items():
        found[name] = []
        points = sorted({low, high, *(low + (high - low) * part // 24 for part in range(25))})
        asked = {value: ask(name, value) for value in points}
        for start, end in itertools.pairwise(points):
            at, to = start, end
            if asked[at] == asked[to]:
                continue
            while to - at > 1:
                middle = (at + to) // 2
                if ask(name, middle) == asked[start]:
                    at = middle
                else:
                    to = middle
            found[name] += [value for value in (at, to) if ask(name, value) is not None]
    return found


def call(world: JudgedWorld, *orders: tuple[int, int, int, int], index: int = 1_000, **fields: int) -> None:
    """A call by hand, orders (account, side, price, size) in slots 0, 1, …, and its auction."""
    market = world.machine.state.market(1)
    market.halted_until = world.time + 60
    market.index, market.mark = index, 1_000
    for name, value in fields.items():
        setattr(market, name, value)
    world.machine.state.commit()
    inputs = [world.order(*order, order_slot=slot) for slot, order in enumerate(orders)]
    assert set(world.run(*inputs)) == {OK}
    world.wait(60)
    assert world.run(CRANK) == [OK]
    assert set(world.run(*(world.cancel_all(account) for account in (1, 2, 3, 4)))) == {OK}


def worth(world: JudgedWorld, account: int, equity: int) -> int:
    """The collateral with which an account is worth so much."""
    return world.account(account).collateral - world.equity(account) + equity
