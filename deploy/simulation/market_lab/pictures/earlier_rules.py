"""The rules as they were before they were reworked, as a flow meets them: a script, run on a checkout of that time.

    python earlier_rules.py CHECKOUT < FLOW > SIGHTS

`setoff` is the checkout in this process (commit 9a1829e, or one near it), so nothing of the present packages is
imported, and nothing here but the standard library before that is settled. An action a line comes in, as JSON
(`flow.py`); out go a line that says which terms those rules do not know, a line for every look, and one with the
outcomes of all inputs.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO


def map_packages(checkout: Path) -> None:
    """Let `setoff` be the folders of the checkout, whatever is installed. Raises SystemExit where that is none."""
    package = ModuleType("setoff")
    package.__path__ = [str(checkout)]
    sys.modules["setoff"] = package
    try:
        machine = load("shared.machine.machine")
    except ImportError as error:
        raise SystemExit(f"{checkout} is no checkout of the earlier rules: {error}") from None
    if not Path(str(machine.__file__)).is_relative_to(checkout) or not hasattr(load("shared.codec.records"), "TICK"):
        raise SystemExit(f"{checkout} is no checkout of the earlier rules")


def load(name: str) -> Any:
    """A module of the checkout."""
    return importlib.import_module(f"setoff.{name}")


class EarlierRules:
    """A machine of that time. (A twin of `PresentRules`.)"""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.errors, self.records = load("shared.errors"), load("shared.codec.records")
        self.kinds, self.keys = load("shared.machine.machine"), load("shared.state.keys")
        self.scene = load("deploy.scene").Scene()
        self.machine = self.kinds.Machine.genesis(self.scene.domain)
        self.machine.begin(0, self.scene.time)
        self.closed: Counter[int] = Counter()
        self.withdrawn: Counter[int] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.number = 0

    def deposit(self, account: int, amount: int) -> None:
        """Money from L1."""
        self._expect(self.scene.deposit(account, amount), is_message=True)

    def list_market(self, terms: Mapping[str, int]) -> None:
        """Market 1, by the terms that there were."""
        known = set(self.records.ListMarketBody._fields)
        self._say({"unknown_terms": sorted(set(terms) - known)})
        listed = {name: value for name, value in terms.items() if name in known}
        self._expect(self.scene.list_market(1, **listed), is_message=True)

    def set_signer(self, number: int, quorum: int, max_age: int) -> None:
        """An oracle signer."""
        self._expect(self.scene.set_signer(number, quorum, max_age), is_message=True)

    def stake(self, account: int, amount: int) -> None:
        """At once."""
        self._expect(self.scene.stake(account, amount))

    def order(self, account: int, side: str, price: int, size: int, slot: int, flags: Sequence[str]) -> None:
        """An order."""
        bits = sum(getattr(self.records, flag) for flag in flags)
        self._take(self.scene.order(account, getattr(self.records, side), price, size, flags=bits, place=slot))

    def stop(self, account: int, price: int, limit: int, size: int) -> None:
        """Below the mark."""
        flags = self.records.BELOW | self.records.REDUCE_ONLY | self.records.IOC
        self._take(self.scene.order(account, self.records.SELL, limit, size, flags=flags, trigger=price, place=201))

    def quote(self, account: int, quotes: Sequence[tuple[str, int, int]]) -> None:
        """All anew."""
        legs = []
        for slot, (side, price, size) in enumerate(quotes):
            flags = self.records.POST_ONLY | (self.records.SELL_LEG if side == "SELL" else 0)
            legs.append(self.records.Leg(flags, 1, slot, price, size))
        self._take(self.scene.cancel_all(account))
        for body in self.scene.bulk(account, legs):
            self._take(body)

    def withdraw(self, account: int, amount: int) -> None:
        """To L1."""
        if self._take(self.scene.withdraw(account, amount)) == "accepted":
            self.withdrawn[account] += amount

    def report(self, signer: int, price: int) -> None:
        """Of now."""
        self._take(self.scene.report(signer, price))

    def crank(self) -> None:
        """Of market 1; it was called a tick."""
        self._take(self.scene.tick(1))

    def wait(self, seconds: int) -> None:
        """A new batch."""
        self.scene.time += seconds
        self.number += 1
        self.machine.begin(self.number, self.scene.time)

    def look(self) -> None:
        """The figures of `moments.Sight`."""
        market, kinds = self.machine.state.market(1), self.kinds
        accounts = []
        for number in (self.keys.BACKSTOP, *range(1, self.machine.regs.accounts + 1)):
            account = self.machine.state.account(number)
            held = next(((p.size, p.funding) for p in account.positions if p.market == 1), (0, 0))
            accounts.append((account.collateral, *held))
        names = ("index", "mark", "open_interest", "insurance", "pool", "funding")
        figures: dict[str, Any] = {name: getattr(market, name) for name in names}
        figures["closed"] = [self.closed[kind] for kind in (kinds.LIQUIDATION, kinds.TAKEOVER, kinds.DELEVERAGE)]
        figures |= {"withdrawn": self.withdrawn, "accounts": accounts}
        self._say(figures)

    def finish(self) -> None:
        """Say what became of all inputs."""
        self._say({"outcomes": dict(self.outcomes)})

    def _say(self, line: Mapping[str, Any]) -> None:
        self.out.write(json.dumps(line, separators=(",", ":")) + "\n")

    def _expect(self, body: bytes, *, is_message: bool = False) -> None:
        outcome = self._run(body, is_message)
        if outcome != "accepted":
            raise SystemExit(f"the set-up was refused: {outcome}")

    def _take(self, body: bytes) -> str:
        outcome = self._run(body, False)
        while self.machine.is_busy:
            self._run(self.records.encode_tick(0), False)
        return outcome

    def _run(self, body: bytes, is_message: bool) -> str:
        outcome = str(self.errors.OUTCOMES[self.machine.take(body, is_message)])
        self.outcomes[outcome] += 1
        for fill in self.machine.fills:
            self.closed[fill.kind] += fill.size
        return outcome


def main(arguments: Sequence[str]) -> None:
    """Play what comes in."""
    map_packages(Path(arguments[0]).resolve())
    rules = EarlierRules(sys.stdout)
    for line in sys.stdin:
        name, values = json.loads(line)
        getattr(rules, name)(*values)
    rules.finish()


if __name__ == "__main__":
    main(sys.argv[1:])
