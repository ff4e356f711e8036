"""Bad days on real prices, played on the present rules and on earlier ones: curves, pictures, a page of what one sees.

    python -m setoff.deploy.tools.market_pictures                      # the present rules anew: two minutes
    python -m setoff.deploy.tools.market_pictures --earlier CHECKOUT   # the earlier ones, too: a checkout of 9a1829e
    python -m setoff.deploy.tools.market_pictures --redraw             # pictures and page from the curves that are kept

All goes to `tests/benchmarks/bad_days/`. The prices are downloaded once. Nothing here needs a checkout of the earlier
rules: their curves are kept in the folder, with their commit.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from setoff.deploy.simulation.market_lab.pictures.moments import Moment
from setoff.deploy.simulation.market_lab.pictures.prices import fetch_prices
from setoff.deploy.simulation.market_lab.pictures.stories import OUTAGE, OUTAGE_BEGINS, STORIES, TRADERS
from setoff.deploy.simulation.market_lab.pictures.told import (
    Telling,
    play_earlier,
    play_present,
    read,
    read_commit,
    tell_all,
    write,
)
from setoff.deploy.tools.bad_days import write_page
from setoff.deploy.tools.charts import Row, draw
from setoff.shared.errors import ConfigError

FOLDER: Final = Path(__file__).resolve().parents[2] / "tests" / "benchmarks" / "bad_days"
EARLIER: Final = "earlier_rules.json"
PRESENT: Final = "present_rules.json"

PANELS: Final = {
    "Price, $": {"outside": "price", "index": "index", "mark": "mark"},
    "Open interest, BTC": {"open interest": "open_interest"},
    "Closed so far, BTC": {"through the book": "liquidated", "by the backstop": "taken", "deleveraged": "deleveraged"},
    "Insurance, $": {"insurance": "insurance"},
    "The backstop's equity, $": {"backstop": "backstop"},
    "The backstop's position, $": {"exposure": "exposure"},
    "Funding that a long of one BTC has paid, $": {"funding": "funding"},
}
"""Titles, and below each the figures of a moment by the names of their curves."""


def check_pair(earlier: Telling, present: Telling) -> None:
    """Raises ConfigError unless both tell of the same days."""
    for name in STORIES:
        if earlier.stories[name].flow != present.stories[name].flow:
            raise ConfigError("bad_config", f"{name} was not the same day for both rules: play both (--earlier)")


def draw_story(name: str, tellings: Sequence[Telling]) -> str:
    """A column for each set of rules."""
    told = [telling.stories[name].moments for telling in tellings]
    rows = [
        Row(
            title,
            [{key: _pick(moments, field) for key, field in curves.items()} for moments in told],
            from_zero=title != "Price, $",
        )
        for title, curves in PANELS.items()
    ]
    columns = ["present rules" if each.rules == "present" else f"rules of {each.rules[:7]}" for each in tellings]
    shade = (OUTAGE_BEGINS / 4, (OUTAGE_BEGINS + OUTAGE) / 4) if STORIES[name].weather.silence[1] else None
    return draw(STORIES[name].title, columns, _pick(told[0], "hours"), rows, shade, "no report")


def _pick(moments: Sequence[Moment], field: str) -> list[float]:
    return [getattr(moment, field) for moment in moments]


def draw_all(folder: Path) -> None:
    """Pictures and page, from the curves in the folder."""
    earlier, present = read(folder / EARLIER), read(folder / PRESENT)
    check_pair(earlier, present)
    for name in STORIES:
        (folder / f"{name}.svg").write_text(draw_story(name, (earlier, present)))
    (folder / "README.md").write_text(write_page(earlier, present))


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, keep and draw."""
    parser = argparse.ArgumentParser(description="Bad days in the market laboratory, beside earlier rules.")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--earlier", type=Path, metavar="CHECKOUT", help="play the rules of this work tree as well")
    parser.add_argument("--redraw", action="store_true", help="play nothing")
    parser.add_argument("--traders", type=int, default=TRADERS, help="pairs of them (default %(default)s)")
    parser.add_argument("--made-up", action="store_true", help="prices that need no download, few reports")
    parsed = parser.parse_args(arguments)
    try:
        if not parsed.redraw:
            record = None if parsed.made_up else fetch_prices()
            parsed.folder.mkdir(parents=True, exist_ok=True)
            if parsed.earlier:
                commit = read_commit(parsed.earlier)
                told = tell_all(play_earlier(parsed.earlier), commit, record, parsed.traders)
                write(parsed.folder / EARLIER, told)
            write(parsed.folder / PRESENT, tell_all(play_present, "present", record, parsed.traders))
        draw_all(parsed.folder)
    except ConfigError as error:
        parser.exit(2, f"{error}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
