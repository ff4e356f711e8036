"""Figures in Prometheus' text exposition format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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

    @property
    def text(self) -> str:
        """The page."""
        return "\n".join(self._lines) + "\n"

    def _add(self, name: str, purpose: str, kind: str, samples: Iterable[Sample]) -> None:
        self._lines += [f"# HELP setoff_{name} {purpose}", f"# TYPE setoff_{name} {kind}"]
        for labels, value in samples:
            shown = ",".join(f'{label}="{_escape(str(text))}"' for label, text in labels.items())
            self._lines.append(f"setoff_{name}{{{shown}}} {value}" if shown else f"setoff_{name} {value}")


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
