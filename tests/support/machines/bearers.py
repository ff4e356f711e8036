"""Who bears what in a step: nobody falls below zero but by its own market, which keeps the debt."""

from dataclasses import dataclass
from typing import Self

from tests.support.machines.picture import Picture

from setoff.shared.codec.integers import div_ceil
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.rules.margin import compute_value


@dataclass
class Bearers:
    """What everybody has before a step, and which step it is.

    equities: token units, with the funding that is due. insurance: of each market.
    """

    phase: int
    account: int
    market: int
    trigger_market: int
    change: int
    equities: dict[int, int]
    sizes: dict[tuple[int, int], int]
    insurance: dict[int, int]
    revenue: dict[int, int]
    unwind: int

    @classmethod
    def of(cls, machine: Machine) -> Self:
        """Of the machine before its next step."""
        machine.state.commit()
        regs, picture = machine.regs, Picture.of(machine.state.tree.items())
        markets = picture.markets
        equities: dict[int, int] = {}
        sizes: dict[tuple[int, int], int] = {}
        for number, account in picture.accounts.items():
            equities[number] = account.collateral
            for position in picture.positions[number]:
                market = markets[position.market]
                due = div_ceil(position.size * (market.funding - position.funding), phases.FUNDING_ONE)
                equities[number] += compute_value(position.size, market.mark, market) - due
                sizes[number, position.market] = position.size
        swept = markets.get(regs.trigger_market)
        change = abs(swept.mark - regs.mark_before) * swept.unit if swept else 0
        insurance = {number: market.insurance for number, market in markets.items()}
        revenue = {number: market.revenue for number, market in markets.items()}
        place = (regs.phase, regs.account, regs.market, regs.trigger_market)
        return cls(*place, change, equities, sizes, insurance, revenue, regs.unwind)

    def check(self, after: "Bearers") -> None:
        """The step that led to `after` took from nobody what is not theirs to bear."""
        is_pricing = self.phase in (phases.REPORT, phases.CRANK)
        is_closing = self.phase in (phases.TAKEOVER, phases.DELEVERAGE)
        for number, before in self.equities.items():
            left = after.equities.get(number, 0)
            if before >= 0 > left:
                assert is_pricing and self.sizes.get((number, self.market))
            if is_closing and number != self.account and left < before:
                lots = abs(self.sizes.get((number, self.market), 0) - after.sizes.get((number, self.market), 0))
                assert self.market == self.trigger_market
                assert before - left <= lots * self.change
        for number, before in self.insurance.items():
            is_shared = self.phase == phases.UNWIND and number == self.unwind
            least = before - self.revenue[number] if is_shared else before
            is_drawn = self.phase == phases.SWEEP and number == self.trigger_market
            assert after.insurance[number] >= least or is_drawn
            assert after.revenue[number] >= 0 and (not is_shared or after.revenue[number] == 0)
