"""Figures in Prometheus' text exposition format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate

from setoff.shared.wire.latency import BOUNDS, Latency

Sample = tuple[Mapping[str, object], float]
"""Labels and a value."""


class Metrics:
    """Collects figures, all named setoff_…; `text` is the page."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def gauge(self, name: str, purpose: str, samples: Iterable[Sample]) -> None:
        """A figure that goes up and down."""
        self._add(name, purpose, "gauge", samples)

    def counter(self, name: str, purpose: str, samples: Iterable[Sample]) -> None:
        """A figure that only grows, until its process is started anew."""
        self._add(name, purpose, "counter", samples)

    def histogram(self, name: str, purpose: str, samples: Iterable[tuple[Mapping[str, object], Latency]]) -> None:
        """How long something takes, in seconds."""
        self._add(name, purpose, "histogram", [])
        for labels, latency in samples:
            sums = list(accumulate(latency.counts))
            for bound, count in zip((*BOUNDS, "+Inf"), sums, strict=True):
                self._lines.append(_format(f"{name}_bucket", {**labels, "le": bound}, count))
            self._lines.append(_format(f"{name}_sum", labels, latency.seconds))
            self._lines.append(_format(f"{name}_count", labels, sums[-1]))

    @property
    def text(self) -> str:
        """The page."""
        return "\n".join(self._lines) + "\n"

    def _add(self, name: str, purpose: str, kind: str, samples: Iterable[Sample]) -> None:
        self._lines += [f"# HELP setoff_{name} {purpose}", f"# TYPE setoff_{name} {kind}"]
        self._lines += [_format(name, labels, value) for labels, value in samples]


def _format(name: str, labels: Mapping[str, object], value: float) -> str:
    shown = ",".join(f'{label}="{_escape(str(text))}"' for label, text in labels.items())
    return f"setoff_{name}{{{shown}}} {value}" if shown else f"setoff_{name} {value}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
