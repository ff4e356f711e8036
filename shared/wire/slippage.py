"""How far from the mark a market order may trade where nobody says it: by the client as by the command line."""

from __future__ import annotations

from typing import Final

SLIPPAGE: Final = 10_000
"""Parts per million of the mark."""
