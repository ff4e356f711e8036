"""How a feeder is: facts that it tells, and what somebody has to look at, in words and as metrics."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from setoff.shared.params import ETHER
from setoff.shared.wire.metrics import Metrics

OPERATOR, L1_WAY = "operator", "L1"
"""The ways of a report."""


@dataclass
class MarketStatus:
    """One market, as it was in the last round."""

    market: str
    price: str = ""
    """In the collateral's currency; empty: there is none."""
    ticks: int = 0
    used: int = 0
    """Sources that made the price."""
    sources: dict[str, str] = field(default_factory=dict)
    """What each source said, or why that is not used."""
    reported_ticks: int = 0
    reported_at: int = 0
    """Unix seconds of L1's clock; 0: nothing was reported yet."""
    way: str = ""
    """Of the last report."""
    problem: str = ""
    l1_problem: str = ""
    """What kept its last report from going through L1."""


@dataclass
class FeederStatus:
    """A feeder. Numbers count since its start."""

    address: str
    numbers: list[int] = field(default_factory=list)
    """The oracle signers that L1 says its key is."""
    quorum: int = 0
    l1_time: int = 0
    """L1's clock, unix seconds."""
    l1_problem: str = ""
    operator_problem: str = ""
    balance_wei: int = 0
    waiting: int = 0
    """Own reports in L1's queue that no batch has consumed."""
    rounds: int = 0
    rejected: int = 0
    """Observations that were not used."""
    markets: dict[str, MarketStatus] = field(default_factory=dict)
    reports: dict[str, int] = field(default_factory=dict)
    """Taken by the operator, or put into L1's queue: by way."""
    refusals: dict[str, int] = field(default_factory=dict)
    """By reason: of the operator, or of L1."""
    failures: list[tuple[str, str, int]] = field(default_factory=list)
    """Market, source, and how often it has failed."""

    def find_problems(self) -> list[str]:
        """What somebody has to look at; nothing if all is well."""
        found = []
        if self.l1_problem:
            found.append(f"L1: {self.l1_problem}")
        elif not self.rounds:
            found.append("it has not begun yet")
        elif not self.numbers:
            found.append(tell_stranger(self.address))
        if self.operator_problem:
            found.append(f"the operator: {self.operator_problem}")
            if not self.balance_wei:
                found.append(f"{self.address} has no ether: nothing can be reported through L1")
        for name, each in self.markets.items():
            found += [f"{name}: {problem}" for problem in (each.problem, each.l1_problem) if problem]
        return found

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {**dataclasses.asdict(self), "problems": self.find_problems()}


def tell_stranger(address: str) -> str:
    """Of a key that is no signer's."""
    cure = "use a signer's key, or have the lister name this one (`setoff market signer`)"
    return f"L1 does not name {address} an oracle signer: {cure}"


def describe(status: dict[str, Any]) -> list[str]:
    """For people, of what `to_json` gives."""
    numbers = ", ".join(map(str, status["numbers"])) or "none"
    lines = [
        f"{status['address']}: oracle signer {numbers}; quorum {status['quorum']}",
        f"  has {status['balance_wei'] / ETHER:.4f} ETH for reports through L1; {status['waiting']} wait there",
    ]
    reports = [f"{count} {'to the operator' if way == OPERATOR else 'through L1'}"
               for way, count in status["reports"].items()]  # fmt: skip
    lines.append(f"  reports: {', '.join(reports) or 'none yet'}")
    lines += [f"  refused: {count} {reason}" for reason, count in status["refusals"].items()]
    for name, market in status["markets"].items():
        lines.append(f"{name}: {market['price'] or 'no price'}, reported {market['reported_ticks'] or 'nothing'} ticks")
        lines += [f"  {source}: {said}" for source, said in market["sources"].items()]
    return lines + [f"PROBLEM: {problem}" for problem in status["problems"]]


def to_prometheus(status: FeederStatus) -> str:
    """As metrics; what is not known yet is left out."""
    metrics = Metrics()
    markets = status.markets.items()
    metrics.gauge("oracle_problems", "things to look at", [({}, len(status.find_problems()))])
    metrics.gauge("oracle_price", "of a market, in the collateral's currency",
                  [({"market": n}, float(m.price)) for n, m in markets if m.price])  # fmt: skip
    metrics.gauge("oracle_used_sources", "sources that made the price", [({"market": n}, m.used) for n, m in markets])
    metrics.gauge("oracle_reported_ticks", "the price reported last, in ticks",
                  [({"market": n}, m.reported_ticks) for n, m in markets if m.reported_at])  # fmt: skip
    metrics.gauge("oracle_reported_at", "time of the last report, unix seconds of L1",
                  [({"market": n}, m.reported_at) for n, m in markets if m.reported_at])  # fmt: skip
    metrics.gauge("oracle_l1_time", "L1's clock, unix seconds", [({}, status.l1_time)] if status.l1_time else [])
    metrics.gauge("oracle_l1_up", "whether L1 answers", [({}, int(not status.l1_problem))])
    metrics.gauge("oracle_operator_up", "whether the operator takes reports", [({}, int(not status.operator_problem))])
    metrics.gauge("oracle_balance_wei", "ether of the signer's account", [({}, status.balance_wei)])
    metrics.gauge("oracle_waiting", "reports in L1's queue that no batch has consumed", [({}, status.waiting)])
    metrics.counter("oracle_rounds_total", "looks at the sources", [({}, status.rounds)])
    metrics.counter("oracle_rejected_total", "observations that were not used", [({}, status.rejected)])
    metrics.counter("oracle_reports_total", "reports, by the way that they went",
                    [({"way": way}, status.reports.get(way, 0)) for way in (OPERATOR, L1_WAY)])  # fmt: skip
    metrics.counter("oracle_refused_total", "reports refused, by reason",
                    [({"reason": reason}, count) for reason, count in status.refusals.items()])  # fmt: skip
    metrics.counter("oracle_source_failures_total", "times that a source did not answer",
                    [({"market": m, "source": source}, count) for m, source, count in status.failures])  # fmt: skip
    return metrics.text
