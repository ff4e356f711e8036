"""Benchmarks: the `run()` functions of `tests/benchmarks/bench_*.py`, one after the other, as one table.

Each returns its figures by name; the unit is the name's last word (`_us`, `_ms`, `_gas`), figures without one are
ratios and counts. Ratios travel between machines, times do not.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple, cast

from rich.console import Console
from rich.table import Table

from setoff.shared import BUILD
from setoff.shared.build import COMPILED
from setoff.shared.errors import ConfigError

FOLDER: Final = Path(__file__).resolve().parents[2] / "tests" / "benchmarks"
UNITS: Final = ("us", "ms", "s", "gas", "gwei", "bytes")

NOISE: Final = 0.2
"""Part of itself by which a ratio may be worse than stated before it counts: two runs on a busy machine differ so."""

Figures = Mapping[str, float]


class Held(NamedTuple):
    """What is stated of a ratio, in either build; less is better. `HELD` of a benchmark has them by name."""

    compiled: float
    plain: float


def find_worse(figures: Figures, held: Mapping[str, Held], build: str = BUILD.name) -> list[str]:
    """A line for each ratio that is worse than stated by more than its noise."""
    limits = {name: each.compiled if build == COMPILED else each.plain for name, each in held.items()}
    return [
        f"{name.replace('_', ' ')} is {format_figure(figures[name])}, {format_figure(limit)} is stated"
        for name, limit in limits.items()
        if figures[name] > limit * (1 + NOISE)
    ]


def find_benchmarks() -> dict[str, Path]:
    """Benchmarks by name. Raises ConfigError where the tests are not installed."""
    found = {path.stem.removeprefix("bench_"): path for path in sorted(FOLDER.glob("bench_*.py"))}
    if not found:
        raise ConfigError("bad_config", f"the benchmarks are part of the work tree: there are none in {FOLDER}")
    return found


def load(path: Path) -> ModuleType:
    """The module of one benchmark file. Benchmarks share code with the tests, as `tests.…`."""
    root = str(FOLDER.parent.parent)
    if root not in sys.path:
        sys.path.append(root)
    # Under the name by which processes that it starts find it, too.
    return importlib.import_module(f"tests.benchmarks.{path.stem}")


def split_unit(name: str) -> tuple[str, str]:
    """("step", "µs") of "step_us"; a name without a known unit has none."""
    stem, _, unit = name.rpartition("_")
    return (stem, unit.replace("us", "µs")) if stem and unit in UNITS else (name, "")


def format_figure(value: float) -> str:
    """A figure with three digits that count, large ones whole."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def main(
    names: Sequence[str],
    *,
    only_list: bool = False,
    json_file: Path | None = None,
    as_json: bool = False,
    is_held: bool = False,
) -> int:
    """Run the benchmarks of these names (all if none), print their figures, write them as JSON; the exit code.

    `as_json`: print JSON on the standard output, and what is for people on the standard error.

    `is_held`: only those that state ratios, and 1 if one of these is worse than stated by more than its noise.
    """
    console = Console(stderr=as_json)
    found = find_benchmarks()
    for name in names:
        if name not in found:
            raise ConfigError("bad_config", f"there is no benchmark {name}; there are {', '.join(found)}")
    if only_list:
        print(json.dumps([*found]) if as_json else "\n".join(found))
        return 0
    console.print(f"rules: {BUILD}", highlight=False)
    results: dict[str, dict[str, float]] = {}
    worse: list[str] = []
    for name in names or found:
        begin = time.monotonic()
        module = load(found[name])
        held: Mapping[str, Held] = getattr(module, "HELD", {})
        if is_held and not held:
            continue
        figures = cast(Figures, module.run())
        worse += [f"{name}: {line}" for line in find_worse(figures, held)]
        results[name] = dict(figures)
        table = Table(title=f"{name} ({time.monotonic() - begin:.1f} s)", title_justify="left", show_header=False)
        table.add_column("figure")
        table.add_column("value", justify="right")
        table.add_column("unit")
        for figure, value in figures.items():
            stem, unit = split_unit(figure)
            table.add_row(stem.replace("_", " "), format_figure(value), unit)
        console.print(table)
    if json_file:
        json_file.write_text(json.dumps(results, indent=2) + "\n")
    if as_json:
        print(json.dumps({"figures": results, "worse": worse if is_held else []}, indent=2))
    if not is_held:
        return 0
    console.print("\n".join(worse) or "every ratio is as stated, or better", highlight=False)
    return 1 if worse else 0
