"""What a gateway counts, in Prometheus' text exposition format: requests, what came of them, how long they took."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, Final

from setoff.shared.wire.latency import Latency
from setoff.shared.wire.metrics import Metrics

KINDS: Final = ("info", "action")
OUTCOMES: Final = ("ok", "refused", "misshapen", "unavailable")
"""Of a request: answered, refused by a rule or the exchange, no request at all, or the exchange did not answer."""

OF_BOTS: Final = "bot"
"""The reason of what is refused in the words of the bots' API alone."""


class Figures:
    """Since the gateway was started."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str]] = Counter()
        """By kind and outcome."""
        self.refusals: Counter[str] = Counter()
        """By reason; "order": of single orders in an action that was answered."""
        self.latency: defaultdict[str, Latency] = defaultdict(Latency)
        """By kind, of all requests."""
        self.sockets = 0
        """Open now."""

    def end(self, kind: str, outcome: str, seconds: float, reason: str = "") -> None:
        """A request is answered; `reason`: of a refusal."""
        self.requests[kind, outcome] += 1
        self.latency[kind].add(seconds)
        if reason:
            self.refusals[reason] += 1


def count_refused_orders(answer: Any) -> int:
    """Orders that an answered action was refused for: each has a status of its own."""
    data = answer.get("data") if isinstance(answer, dict) else None
    statuses = data.get("statuses", []) if isinstance(data, dict) else []
    return sum(isinstance(status, dict) and "error" in status for status in statuses)


def to_prometheus(figures: Figures, *, is_exchange_up: bool) -> str:
    """All of them."""
    metrics = Metrics()
    metrics.gauge("gateway_exchange_up", "whether the exchange answers, and is the one it was", [
        ({}, int(is_exchange_up))
    ])  # fmt: skip
    metrics.gauge("gateway_sockets", "WebSockets of bots that are open", [({}, figures.sockets)])
    metrics.counter("gateway_requests_total", "requests of bots, over HTTP or a socket", [
        ({"kind": kind, "outcome": outcome}, figures.requests[kind, outcome]) for kind in KINDS for outcome in OUTCOMES
    ])  # fmt: skip
    metrics.counter("gateway_refused_total", "requests and orders that were refused, by reason", [
        ({"reason": reason}, count) for reason, count in sorted(figures.refusals.items())
    ])  # fmt: skip
    metrics.histogram("gateway_request_seconds", "until a request is answered", [
        ({"kind": kind}, figures.latency[kind]) for kind in KINDS
    ])  # fmt: skip
    return metrics.text
