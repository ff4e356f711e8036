"""Looks for variants of the scenes' inputs that show what no vector shows yet.

    python -m tests.support.mutation.search MISSED.json [--tries N]

MISSED.json: names of mutants, as `run.py --json` writes them. What is found goes to `judge/scenes/variants.json`; then
the vectors are to be made anew.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import pickle
import re
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from random import Random
from time import process_time
from types import CodeType
from typing import Any, Final

import tests.support.builds  # noqa: F401  (first of all: mutants are of sources, which then run)
from tests.support import variants
from tests.support.mutation.inputs import Input, play
from tests.support.mutation.mutants import PROBE, Mutant, list_mutants, make_probe
from tests.support.mutation.run import FILES
from tests.support.mutation.suite import Suite, find_place
from tests.support.variants import Recipe, make_variant

from setoff.shared.rules.listing import are_parameters_sound
from setoff.shared.state import keys
from setoff.shared.state.registers import Registers

_FROZEN: Final = {
    "account": {"orders", "generation", "nonce_bitmap", "owner"},
    "order": {"market", "side", "price", "size", "prev", "next", "trigger", "partner"},
    "market": {"best_bid", "best_ask", "open_interest", "stop_above", "stop_below", "settled", "expiry", "unit"},
    "signers": {"count", "owners"},
    "agent": {"address", "nonce_bitmap"},
    "request": {"kind", "next"},
}
"""Fields that hang together with others."""
_POSITION: Final = ("cost", "funding", "waited")
_REGISTERS: Final = (
    "limited_since",
    "draw_hour",
    "drawn",
    "owed",
    "last_gap_end",
    "backstop_delay",
    "sequence",
    "withdrawals",
)
_ALWAYS: Final = ("collateral", "size", "index", "mark", "time", "price")
_WAITS: Final = (1, 60, 61, 600, 3600, 7200, 86_400, 604_800, 10**6)


class Search:
    """Random changes of the inputs that run a mutant's lines, until one makes a difference."""

    def __init__(self, suite: Suite, mutant: Mutant, tries: int, seconds: float) -> None:
        self.suite, self.tries, self.seconds = suite, tries, seconds
        self.rng = Random(mutant.name)
        numbers = [n for n in suite.choose(mutant) if n < len(suite.inputs)]
        self.numbers = [n for n in numbers if not is_changed(suite.inputs[n])][:400]
        self.knobs: dict[int, dict[str, int]] = {}
        self.function, self.mutated = find_place(mutant)
        self.original = self.function.__code__
        _, self.probe = find_place(mutant, make_probe)
        self.words = {*re.findall(r"\w+", inspect.getsource(self.function)), *_ALWAYS}
        """Numbers that go by such a name are likelier to matter."""

    def run(self) -> Recipe | None:
        """What shows the mutant, if it was found."""
        return self.run_at_random() or self.run_guided() if self.numbers else None

    def run_at_random(self) -> Recipe | None:
        """Random numbers."""
        for attempt in range(self.tries):
            number = self.numbers[attempt // 2 % len(self.numbers)]
            numbers = self.draw(number)
            if self.is_shown(number, numbers):
                return self.shorten(number, numbers)
        return None

    def run_guided(self) -> Recipe | None:
        """Numbers that bring two sides of a comparison together, or apart by a little."""
        end = process_time() + self.seconds
        for attempt in range(10 * len(self.numbers)):
            number = self.numbers[attempt % len(self.numbers)]
            start = self.draw(number) if attempt >= min(len(self.numbers), 10) else {}
            base = self.ask(number, start)
            if not base:
                continue
            knobs = dict(self.get_knobs(number))
            names = list(knobs)
            self.rng.shuffle(names)
            names.sort(key=lambda name: name.rpartition(".")[2] not in self.words)
            knobs |= start
            for name in names[:30]:
                if process_time() > end:
                    return None
                step = max(1, abs(knobs[name]) // 20)
                for change in (step, -step):
                    found = self.ask(number, start | {name: knobs[name] + change})
                    for probe in [p for p in base if p in found and found[p] != base[p]]:
                        recipe = self.approach(
                            number, start, name, probe, (knobs[name], base[probe]), change, found[probe]
                        )
                        if recipe:
                            return recipe
        return None

    def approach(
        self,
        number: int,
        start: dict[str, int],
        name: str,
        probe: tuple[int, int],
        at: tuple[int, int],
        change: int,
        after: int,
    ) -> Recipe | None:
        """Move a number so that a comparison's sides differ by each of some amounts."""
        for wanted in (0, 1, -1, 2, -2, -50, 50):
            (value, distance), (other, other_distance) = at, (at[0] + change, after)
            for _ in range(8):
                if distance == other_distance:
                    break
                slope = Fraction(other_distance - distance, other - value)
                value, distance = other, other_distance
                other = value + round((wanted - distance) / slope)
                if other == value:
                    break
                told = self.ask(number, start | {name: other})
                if self.is_shown(number, start | {name: other}):
                    return self.shorten(number, start | {name: other})
                if probe not in told:
                    break
                other_distance = told[probe]
                if other_distance == wanted:
                    break
            if distance != wanted != other_distance:
                continue
            for near in (other - 1, other + 1):
                if self.is_shown(number, start | {name: near}):
                    return self.shorten(number, start | {name: near})
        return None

    def ask(self, number: int, numbers: dict[str, int]) -> dict[tuple[int, int], int]:
        """How far apart the sides of each comparison are, by its number and how often it was met before."""
        told: dict[tuple[int, int], int] = {}
        counts: Counter[int] = Counter()

        def tell(place: int, left: Any, right: Any) -> Any:
            if isinstance(left, int) and isinstance(right, int) and counts[place] < 4:
                told[place, counts[place]] = left - right
                counts[place] += 1
            return left

        self.function.__globals__[PROBE] = tell
        self.play(number, numbers, self.probe)
        return told

    def play(self, number: int, numbers: dict[str, int], code: CodeType, limit: int = 2**20) -> Any:
        """What comes of an input with other numbers; None where none can."""
        given = self.suite.inputs[number]
        self.function.__code__ = code
        try:
            batch = make_variant(given.batch, given.index, given.tree, numbers)
            signal.setitimer(signal.ITIMER_VIRTUAL, 3)
            return play(given.before, given.tree, batch, given.index, limit)
        except Exception:
            return None
        finally:
            self.function.__code__ = self.original

    def is_shown(self, number: int, numbers: dict[str, int]) -> bool:
        """Whether these numbers tell the mutant from the original."""
        if not self.is_plausible(self.suite.inputs[number], numbers):
            return False
        expected = self.play(number, numbers, self.original)
        return expected is not None and self.play(number, numbers, self.mutated, expected[0] + 1) != expected

    def shorten(self, number: int, numbers: dict[str, int]) -> Recipe:
        """The same without the numbers that it does not take."""
        for name in list(numbers):
            fewer = {other: value for other, value in numbers.items() if other != name}
            if self.is_shown(number, fewer):
                numbers = fewer
        given = self.suite.inputs[number]
        return {"scene": given.scene, "batch": given.batch["number"], "input": given.index, "set": numbers}

    def get_knobs(self, number: int) -> dict[str, int]:
        """The numbers around an input, and what they are."""
        if number not in self.knobs:
            self.knobs[number] = dict(self.list_knobs(number))
        return self.knobs[number]

    def draw(self, number: int) -> dict[str, int]:
        """Numbers to be changed."""
        knobs, rng = self.get_knobs(number), self.rng
        given = self.suite.inputs[number]
        near = [name for name in knobs if name.rpartition(".")[2] in self.words]
        chosen = near if near and rng.random() < 0.8 else list(knobs)
        names = rng.sample(chosen, min(len(chosen), rng.choice((1, 1, 2, 2, 3, 4, 5))))
        numbers = {name: self.draw_value(name, knobs) for name in names}
        for name in list(numbers):
            if name.endswith(".size") and ".positions." in name:
                self.balance(given, name, numbers)
        return numbers

    def draw_value(self, name: str, knobs: dict[str, int]) -> int:
        rng, value = self.rng, knobs[name]
        if name == "time" or name == "input.stamp":
            around = rng.choice(
                (value + rng.choice(_WAITS), rng.choice(list(knobs.values())) + rng.choice((0, *_WAITS)))
            )
            around += rng.choice((-1, 0, 1))
            return around if name == "input.stamp" else max(value, around)
        draw = rng.randrange(9)
        if draw < 2:
            return value + rng.choice((-1, 1))
        if draw == 2:
            return value + rng.randint(-12, 12)
        if draw == 3:
            return rng.choice((0, 1, 2))
        if draw == 4:
            return rng.choice((value * 2, value // 2, value * 10, value // 10, -value))
        if draw == 5:
            return rng.choice(list(knobs.values())) + rng.choice((-1, 0, 0, 1))
        if draw == 6:
            return value + rng.randint(-abs(value) // 8 - 5, abs(value) // 8 + 5)
        if draw == 7:
            return rng.randint(0, 2 * abs(value) + 100)
        return rng.randint(-2 * abs(value) - 100, 2 * abs(value) + 100)

    def balance(self, given: Any, name: str, numbers: dict[str, int]) -> None:
        """Open interest that goes with another size of a position."""
        leaf, _, path = name.partition(".")
        account = variants.decode_leaf(variants.key_of(leaf), given.tree.get(variants.key_of(leaf), b""))
        position = account.positions[int(path.split(".")[1])]
        key = keys.market_key(position.market)
        market = variants.decode_leaf(key, given.tree.get(key, b""))
        more = max(0, numbers[name]) - max(0, position.size)
        field = f"market {position.market}.open_interest"
        numbers[field] = numbers.get(field, market.open_interest) + more

    def is_plausible(self, given: Input, numbers: dict[str, int]) -> bool:
        """Whether time goes on, and markets are such as may be listed."""
        tree = given.tree
        if numbers.get("time", given.batch["timestamp"]) < given.batch["timestamp"]:
            return False
        for name in {name.partition(".")[0] for name in numbers if name.startswith("market ")}:
            key = variants.key_of(name)
            market = variants.decode_leaf(key, tree.get(key, b""))
            for path, value in numbers.items():
                if path.startswith(f"{name}."):
                    variants.set_number(market, path.partition(".")[2], value)
            if not are_parameters_sound(market) or max(market.index, market.mark) > keys.MAX_TICK:
                return False
        return True

    def list_knobs(self, number: int) -> Iterator[tuple[str, int]]:
        """The numbers around an input, and what they are."""
        given = self.suite.inputs[number]
        yield "time", given.batch["timestamp"]
        regs = Registers.decode(given.before)
        yield from ((f"registers.{name}", getattr(regs, name)) for name in _REGISTERS)
        yield from self.list_body_knobs(given)
        for key in given.leaves:
            name = variants.name_of(key)
            if name is None:
                continue
            kind = name.split()[0]
            leaf = variants.decode_leaf(key, given.tree.get(key, b""))
            for field in fields(leaf):
                value = getattr(leaf, field.name)
                if field.name in _FROZEN.get(kind, ()):
                    continue
                if field.name == "positions":
                    for place, position in enumerate(value):
                        if position.market:
                            for part in (*_POSITION, *(("size",) if position.size else ())):
                                yield f"{name}.positions.{place}.{part}", getattr(position, part)
                elif isinstance(value, list):
                    if value and isinstance(value[0], int):
                        yield from ((f"{name}.{field.name}.{i}", each) for i, each in enumerate(value[:5]))
                elif isinstance(value, int):
                    yield f"{name}.{field.name}", value

    def list_body_knobs(self, given: Any) -> Iterator[tuple[str, int]]:
        """The fields of the input."""
        messages, inputs = given.batch["messages"], given.batch["records"]
        is_message = given.index < len(messages)
        body = messages[given.index] if is_message else b""
        if not is_message and inputs:
            body = inputs[given.index - len(messages)]
            try:
                variants.change_record(body, {})
            except Exception:
                return
        if is_message:
            yield "input.stamp", int.from_bytes(body[-8:], "big")
        try:
            decoded = variants.decode_body(body[:124] if is_message else body)
        except Exception:
            return
        for name in decoded._fields:
            value = getattr(decoded, name)
            if is_dataclass(value):
                yield from ((f"input.{name}.{f.name}", getattr(value, f.name)) for f in fields(value))
            elif isinstance(value, int):
                yield f"input.{name}", value


def is_changed(given: Input) -> bool:
    """Whether it is a variant already, or the scene changes numbers before it itself."""
    return given.is_variant or any((c["input"], c["micro"]) == (given.index, 0) for c in given.batch["changes"])


class Timeout(Exception):
    """An input that takes too long."""


def _stop(*_: Any) -> None:
    raise Timeout


def main(arguments: list[str]) -> int:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("missed", type=Path)
    parser.add_argument("--tries", type=int, default=3_000)
    parser.add_argument("--seconds", type=float, default=6.0, help="of guided search for each")
    options = parser.parse_args(arguments)
    names = set(json.loads(options.missed.read_text()))
    mutants = [m for file in FILES for m in list_mutants(file) if m.name in names and not m.is_loading]
    suite = Suite(tuple(sorted({m.file for m in mutants})))
    found: list[Recipe] = json.loads(variants.FILE.read_text()) if variants.FILE.exists() else []
    print(f"{len(mutants)} to look for, {len(found)} variants so far", flush=True)
    by_place = {(g.scene, g.batch["number"], g.index): g for g in suite.inputs if not g.is_variant}
    news: list[Recipe] = []
    for mutant in mutants:
        recipe = _in_child(lambda: _search(suite, mutant, news, by_place, options))  # noqa: B023
        if recipe == "old":
            continue
        if recipe is None:
            print(f"not found: {mutant.name}", flush=True)
            continue
        news.append(recipe)
        write([*found, *news])
    print(f"{len(news)} variants more")
    return 0


def write(recipes: list[Recipe]) -> None:
    """The variants, a line each."""
    lines = sorted({json.dumps(recipe, sort_keys=True) for recipe in recipes})
    variants.FILE.write_text("[\n" + ",\n".join(lines) + "\n]\n")


def _search(suite: Suite, mutant: Mutant, news: list[Recipe], by_place: Any, options: Any) -> Any:
    signal.signal(signal.SIGVTALRM, _stop)
    function, code = find_place(mutant)
    original = function.__code__
    for recipe in news:
        given = by_place[recipe["scene"], recipe["batch"], recipe["input"]]
        batch = make_variant(given.batch, given.index, given.tree, recipe["set"])
        expected = play(given.before, given.tree, batch, given.index)
        function.__code__ = code
        try:
            differs = play(given.before, given.tree, batch, given.index, expected[0] + 1) != expected
        except Exception:
            differs = True
        finally:
            function.__code__ = original
        if differs:
            return "old"
    return Search(suite, mutant, options.tries, options.seconds).run()


def _in_child(run: Any) -> Any:
    """What that gives, in a process of its own; None if it dies."""
    read, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write_end, pickle.dumps(run()))
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read, "rb") as stream:
        data = stream.read()
    os.waitpid(child, 0)
    return pickle.loads(data) if data else None  # noqa: S301: our own


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
