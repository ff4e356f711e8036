"""The market that is played, what a dollar and a lot are, and what an attack may earn before it counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from setoff.deploy import contracts
from setoff.deploy.contracts.listing import load_terms
from setoff.shared.params import MAINNET

BITCOIN: Final[dict[str, Any]] = load_terms(Path(contracts.__file__).parent / "presets" / "bitcoin.toml")
"""A lot at a price of one tick is 100 token units, a ten-thousandth of a dollar."""
USD: Final = 10**6
"""Token units of a dollar."""
PRICE: Final = 100_000
"""Ticks at which scenarios begin: a lot is ten dollars then."""
BACKSTOP_DELAY: Final = MAINNET.backstop_delay
"""Seconds that requests of the backstop wait."""
DUST: Final = 5 * USD
"""What attackers may end with above what they began with: rounding, on positions of some 400,000 dollars."""

FORCE_GAS: Final = 150_000
"""Gas of a record through the L1 queue, about (`deploy/run setoff bench gas`)."""
GAS_PRICE: Final = 1e-9
"""Ether a gas, as low as L1 has been: in the attacker's favour."""
ETHER_PRICE: Final = 2_500
FORCE_COST: Final = round(FORCE_GAS * GAS_PRICE * ETHER_PRICE * USD)
"""Token units that a forced record costs who sends it."""


def lot_value(lots: int, price: int = PRICE) -> int:
    """What lots are worth, token units."""
    return lots * price * int(BITCOIN["unit"])


def format_usd(units: int) -> str:
    """Dollars for people: whole ones from ten on, cents below."""
    dollars = units / USD
    return f"{dollars:,.0f}" if abs(dollars) >= 10 else f"{dollars:,.2f}"
