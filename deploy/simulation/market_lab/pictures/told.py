"""The stories as they went on some rules: made by playing them, kept in a file for the pictures and for their page."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any, Final, NamedTuple

from setoff.deploy.simulation.market_lab.pictures import earlier_rules
from setoff.deploy.simulation.market_lab.pictures.flow import Flow
from setoff.deploy.simulation.market_lab.pictures.moments import Moment, Sight, count_gains, make_moment
from setoff.deploy.simulation.market_lab.pictures.present_rules import play_on_present_rules
from setoff.deploy.simulation.market_lab.pictures.prices import Hour
from setoff.deploy.simulation.market_lab.pictures.stories import STORIES, TRADERS, make_story_flow
from setoff.shared.errors import ConfigError

COLUMNS: Final = tuple(field.name for field in fields(Moment))


class Played(NamedTuple):
    """What playing a flow gives: terms that the rules do not know, a sight for each look, inputs by their outcome."""

    unknown_terms: list[str]
    sights: list[Sight]
    inputs: dict[str, int]


@dataclass(frozen=True)
class Told:
    """A story. flow: digest of what everybody did; inputs: how many, by their outcome; gains: dollars by role at the
    end; undisturbed: the same of the day without who squeezes, None where nobody does."""

    flow: str
    inputs: dict[str, int]
    gains: dict[str, int]
    undisturbed: dict[str, int] | None
    moments: list[Moment]


@dataclass(frozen=True)
class Telling:
    """All stories on some rules. rules: "present", or the commit they are from; prices: "Coinbase" or "made up"; pairs:
    of traders."""

    rules: str
    prices: str
    pairs: int
    unknown_terms: list[str]
    stories: dict[str, Told]


def play_present(flow: Flow) -> Played:
    """On the rules of this work tree."""
    rules = play_on_present_rules(flow)
    return Played([], rules.sights, dict(sorted(rules.exchange.outcomes.items())))


def play_earlier(checkout: Path) -> Callable[[Flow], Played]:
    """On those of a checkout of before the rework, in a process of its own. Raises ConfigError where that fails."""

    def play(flow: Flow) -> Played:
        command = [sys.executable, "-P", earlier_rules.__file__, str(checkout)]
        lines = "".join(f"{line}\n" for line in flow.lines())
        done = subprocess.run(command, input=lines, capture_output=True, text=True)
        if done.returncode:
            raise ConfigError("bad_config", f"the earlier rules did not play: {done.stderr.strip()}")
        first, *sights, last = (json.loads(line) for line in done.stdout.splitlines())
        return Played(first["unknown_terms"], [Sight.from_json(body) for body in sights], last["outcomes"])

    return play


def read_commit(checkout: Path) -> str:
    """Which commit a checkout is. Raises ConfigError where it is none."""
    command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise ConfigError("bad_config", f"{checkout} is no checkout: {done.stderr.strip()}")
    return done.stdout.strip()


def tell_all(
    play: Callable[[Flow], Played],
    rules: str,
    record: Sequence[Hour] | None,
    traders: int = TRADERS,
    say: Callable[[str], object] = print,
) -> Telling:
    """Play every story; `record` None for made-up prices, with few reports."""
    stories: dict[str, Told] = {}
    unknown: list[str] = []
    for name, story in STORIES.items():
        hours = story.make_up() if record is None else story.choose(record)
        flow = make_story_flow(name, hours, traders, is_coarse=record is None)
        played = play(flow)
        unknown = played.unknown_terms
        undisturbed = None
        if story.weather.is_squeezed:
            other = make_story_flow(name, hours, traders, is_coarse=record is None, is_disturbed=False)
            undisturbed = count_gains(other, other.looks[-1][1], play(other).sights[-1])
        moments = [make_moment(*look, sight) for look, sight in zip(flow.looks, played.sights, strict=True)]
        gains = count_gains(flow, flow.looks[-1][1], played.sights[-1])
        stories[name] = Told(flow.digest(), played.inputs, gains, undisturbed, moments)
        say(f"{rules[:7]}: {name} is played, {sum(played.inputs.values()):,} inputs")
    return Telling(rules, "made up" if record is None else "Coinbase", traders, unknown, stories)


def write(path: Path, telling: Telling) -> None:
    """As JSON, a curve a line."""
    body = asdict(telling)
    for name, told in telling.stories.items():
        del body["stories"][name]["moments"]
        rows = zip(COLUMNS, zip(*map(astuple, told.moments), strict=True), strict=True)
        body["stories"][name]["curves"] = {column: [_shorten(value) for value in values] for column, values in rows}
    path.write_text(_dump(body) + "\n")


def _shorten(value: float) -> float:
    return int(value) if value == int(value) else value


def _dump(value: object, indent: str = "") -> str:
    """JSON whose lists stay on their line."""
    if not isinstance(value, Mapping):
        return json.dumps(value, separators=(",", ":"))
    inner = indent + " "
    items = (f"{inner}{json.dumps(key)}: {_dump(each, inner)}" for key, each in value.items())
    return "{\n" + ",\n".join(items) + f"\n{indent}}}"


def read(path: Path) -> Telling:
    """The inverse of `write`. Raises ConfigError on a file that is none."""
    try:
        body: dict[str, Any] = json.loads(path.read_text())
        stories = {}
        for name, told in body.pop("stories").items():
            curves = told.pop("curves")
            rows = zip(*(curves.pop(column) for column in COLUMNS), strict=True)
            stories[name] = Told(**told, moments=[Moment(*row) for row in rows])
        return Telling(**body, stories=stories)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError("bad_config", f"{path} tells no stories: {error}") from None
