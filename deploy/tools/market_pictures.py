"""Pictures of the market laboratory's stories: price, open interest, closings, insurance and backstop over time.

    python -m setoff.deploy.tools.market_pictures FOLDER [--format svg] [--made-up]

Draws with matplotlib, the extra `plot`. The prices are real ones, downloaded once, unless they are made up.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from setoff.deploy.simulation.market_lab.pictures.prices import fetch_prices
from setoff.deploy.simulation.market_lab.pictures.stories import STORIES, Moment, tell_story

PANELS = {
    "price, ticks": ("price", "index", "mark"),
    "open interest, lots": ("open_interest",),
    "closed so far, lots": ("liquidated", "taken", "deleveraged"),
    "insurance, $": ("insurance",),
    "backstop's equity, $": ("backstop",),
}
"""Titles, and the figures of a moment that are drawn under each."""


def draw(title: str, moments: Sequence[Moment]) -> Figure:
    """A panel for each kind of figure, one below the other."""
    figure = Figure(figsize=(9, 11), layout="constrained")
    figure.suptitle(title)
    hours = [moment.hours for moment in moments]
    panels = figure.subplots(len(PANELS), 1, sharex=True)
    for axes, (name, fields) in zip(panels, PANELS.items(), strict=True):
        for field in fields:
            axes.plot(hours, [getattr(moment, field) for moment in moments], label=field.replace("_", " "), linewidth=1)
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
        if len(fields) > 1:
            axes.legend(loc="best", fontsize="small")
    panels[-1].set_xlabel("hours of the record")
    return figure


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw them all."""
    parser = argparse.ArgumentParser(description="Pictures of bad days in the market laboratory.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--format", choices=("png", "svg"), default="svg")
    parser.add_argument("--traders", type=int, default=60, help="pairs of them (default 60)")
    parser.add_argument("--made-up", action="store_true", help="prices that need no download")
    parsed = parser.parse_args(arguments)
    parsed.folder.mkdir(parents=True, exist_ok=True)
    record = [] if parsed.made_up else fetch_prices()
    for name, story in STORIES.items():
        hours = story.make_up() if parsed.made_up else story.choose(record)
        moments = tell_story(name, hours, parsed.traders)
        path = parsed.folder / f"{name}.{parsed.format}"
        draw(story.title, moments).savefig(path)
        last = moments[-1]
        print(
            f"{path}: {last.liquidated:,} lots liquidated, {last.taken:,} taken over, "
            f"{last.deleveraged:,} deleveraged; "
            f"backstop ${moments[0].backstop:,.0f} to ${last.backstop:,.0f}, insurance ${last.insurance:,.0f}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
