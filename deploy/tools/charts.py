"""Panels of curves as SVG, side by side, that can be read on a light and on a dark page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 980
LEFT: Final = 70
"""Pixels for the numbers beside the left column."""
GAP: Final = 22
RIGHT: Final = 16
HEIGHT: Final = 104
"""Of a panel's curves."""
ABOVE: Final = 40
"""Over each row of panels: its title, and what its colours mean."""
HEAD: Final = 62
FOOT: Final = 44
TOLERANCE: Final = 0.3
"""Pixels by which a curve may miss a point."""

STYLE: Final = """
svg { background: #ffffff; font-family: system-ui, sans-serif; font-size: 12px; }
text { fill: #4a4a48; } .title, .name { fill: #1c1c1a; font-weight: 600; } .title { font-size: 16px; }
.page { fill: #ffffff; } .panel { fill: none; stroke: #d5d4cf; } .grid { stroke: #ebeae6; }
.shade { fill: #8a897f; opacity: .16; }
.curve { fill: none; stroke-width: 1.6; stroke-linejoin: round; } .key { stroke-width: 3; }
.c0 { stroke: #2a6fdb; } .c1 { stroke: #d9541e; } .c2 { stroke: #15925e; }
@media (prefers-color-scheme: dark) {
svg { background: #161615; } text { fill: #bcbbb4; } .title, .name { fill: #f4f3ee; }
.page { fill: #161615; } .panel { stroke: #474743; } .grid { stroke: #2b2b29; } .shade { fill: #d0cfc6; }
.c0 { stroke: #5b9bf5; } .c1 { stroke: #f08a5a; } .c2 { stroke: #3fc48d; }
}
"""
"""Two sets of colours; whoever shows the picture chooses by the reader's scheme."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Row:
    """One figure in every column. curves: by column, then by name of the curve, its values; all columns have one scale.

    from_zero: the scale has zero on it.
    """

    title: str
    curves: Sequence[dict[str, Sequence[float]]]
    from_zero: bool = True


def thin(points: Sequence[Point], tolerance: float = TOLERANCE) -> list[Point]:
    """The points without those that lines between the others miss by no more than that (Ramer, Douglas, Peucker)."""
    kept = {0, len(points) - 1}
    open_ranges = [(0, len(points) - 1)]
    while open_ranges:
        first, last = open_ranges.pop()
        (x0, y0), (x1, y1) = points[first], points[last]
        length = math.hypot(x1 - x0, y1 - y0) or 1.0
        worst, furthest = 0.0, first
        for number in range(first + 1, last):
            x, y = points[number]
            distance = abs((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) / length
            if distance > worst:
                worst, furthest = distance, number
        if worst > tolerance:
            kept.add(furthest)
            open_ranges += [(first, furthest), (furthest, last)]
    return [points[number] for number in sorted(kept)]


def choose_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers from `low` to `high`, about so many."""
    raw = (high - low) / count or 1.0
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * part for part in (1, 2, 2.5, 5, 10) if size * part >= raw)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def format_tick(value: float) -> str:
    """With a comma for thousands, and no more decimals than it has."""
    return f"{value:,.0f}" if value == round(value) else f"{value:,.2f}".rstrip("0")


def draw(
    title: str,
    columns: Sequence[str],
    hours: Sequence[float],
    rows: Sequence[Row],
    shade: tuple[float, float] | None = None,
    shaded: str = "",
    axis: str = "hours of the record",
    label: Callable[[float], str] = format_tick,
) -> str:
    """The picture: a row of panels for each figure, a column each; `shade`: hours that are marked as `shaded`.

    axis, label: what is to the right, where that is not `hours`, and how a number of it is written.
    """
    height = HEAD + len(rows) * (ABOVE + HEIGHT) + FOOT
    width = (WIDTH - LEFT - RIGHT - GAP * (len(columns) - 1)) / len(columns)
    lefts = [LEFT + number * (width + GAP) for number in range(len(columns))]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img"><title>{escape(title)}</title><style>{STYLE}</style>',
        f'<rect class="page" width="{WIDTH}" height="{height}"/>',
        f'<text class="title" x="{LEFT}" y="26">{escape(title)}</text>',
        *(
            f'<text class="name" x="{left:.0f}" y="54">{escape(name)}</text>'
            for left, name in zip(lefts, columns, strict=True)
        ),
    ]
    for number, row in enumerate(rows):
        parts += _draw_row(row, lefts, width, HEAD + number * (ABOVE + HEIGHT) + ABOVE, hours, shade)
    bottom = height - FOOT
    for left in lefts:
        for tick in choose_ticks(hours[0], hours[-1], 6):
            x = left + (tick - hours[0]) / (hours[-1] - hours[0]) * width
            parts.append(f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{label(tick)}</text>')
        note = f"{axis}{f'; grey: {shaded}' if shade else ''}"
        parts.append(f'<text x="{left + width / 2:.0f}" y="{bottom + 34}" text-anchor="middle">{escape(note)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _draw_row(
    row: Row,
    lefts: Sequence[float],
    width: float,
    top: float,
    hours: Sequence[float],
    shade: tuple[float, float] | None,
) -> Iterator[str]:
    values = [value for column in row.curves for curve in column.values() for value in curve]
    low, high = min(values), max(values)
    if row.from_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    high = high if high > low else low + 1
    room = (high - low) * 0.06
    low, high = low - room, high + room

    def find_x(left: float, hour: float) -> float:
        return left + (hour - hours[0]) / (hours[-1] - hours[0]) * width

    def find_y(value: float) -> float:
        return top + HEIGHT - (value - low) / (high - low) * HEIGHT

    yield f'<text class="name" x="{lefts[0]:.0f}" y="{top - 10}">{escape(row.title)}</text>'
    yield from _draw_keys(row, lefts[0] + width, top - 10)
    for left, column in zip(lefts, row.curves, strict=True):
        if shade:
            x0, x1 = (find_x(left, hour) for hour in shade)
            yield f'<rect class="shade" x="{x0:.1f}" y="{top}" width="{x1 - x0:.1f}" height="{HEIGHT}"/>'
        for tick in choose_ticks(low, high):
            y = find_y(tick)
            yield f'<line class="grid" x1="{left:.1f}" y1="{y:.1f}" x2="{left + width:.1f}" y2="{y:.1f}"/>'
            if left == lefts[0]:
                yield f'<text x="{left - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{format_tick(tick)}</text>'
        yield f'<rect class="panel" x="{left:.1f}" y="{top}" width="{width:.1f}" height="{HEIGHT}"/>'
        for number, curve in enumerate(column.values()):
            points = thin([(find_x(left, hour), find_y(value)) for hour, value in zip(hours, curve, strict=True)])
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            yield f'<polyline class="curve c{number}" points="{path}"/>'


def _draw_keys(row: Row, x: float, y: float) -> Iterator[str]:
    """What the colours of a row mean, from `x` to the right; nothing where there is one."""
    names = list(row.curves[0])
    if len(names) < 2:
        return
    x += GAP
    for number, name in enumerate(names):
        yield f'<line class="key c{number}" x1="{x:.0f}" y1="{y - 4}" x2="{x + 16:.0f}" y2="{y - 4}"/>'
        yield f'<text x="{x + 21:.0f}" y="{y}">{escape(name)}</text>'
        x += 36 + 6.6 * len(name)
