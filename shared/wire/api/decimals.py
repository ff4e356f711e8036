"""The member `decimal` of an answer: what it has in ticks, lots and token units, once more in decimals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, NotRequired, get_args, get_origin, get_type_hints

from setoff.shared.wire.api.units import LOTS, SCALED, TICKS, TOKENS, Kind
from setoff.shared.wire.scales import MarketScale, Step


class Scaled:
    """The members of an answer that `decimal` repeats, by their units."""

    def __init__(self, answer: type[Any]) -> None:
        units = find_units(answer)
        self.names: Final = {unit: [name for name, kind in units.items() if kind is unit] for unit in SCALED}

    def show(self, shown: Mapping[str, Any], scale: MarketScale) -> dict[str, str | None]:
        """The decimals of an answer about a market; a price of 0 is none."""
        found = self.show_tokens(shown, scale.tokens)
        for unit, step in ((TICKS, scale.tick), (LOTS, scale.lot)):
            for name in self.names[unit]:
                if name in shown:
                    value = shown[name]
                    is_none = value is None or (unit is TICKS and value == 0)
                    found[name] = None if is_none else step.show(int(value))
        return found

    def show_tokens(self, shown: Mapping[str, Any], tokens: Step) -> dict[str, str | None]:
        """The decimals of an answer that is about no one market."""
        return {name: tokens.show(int(shown[name])) for name in self.names[TOKENS] if name in shown}


def find_units(answer: type[Any]) -> dict[str, Kind]:
    """The members of an answer that ticks, lots or token units are in, with these."""
    found = {}
    for name, hint in get_type_hints(answer, include_extras=True).items():
        kind = _find_kind(hint)
        if kind in SCALED:
            found[name] = kind
    return found


def _find_kind(hint: Any) -> Kind | None:
    """The kind of a value that may be left out, or be None."""
    if get_origin(hint) is Annotated:
        return next((part for part in hint.__metadata__ if isinstance(part, Kind)), None)
    if get_origin(hint) is NotRequired:
        return _find_kind(get_args(hint)[0])
    if get_origin(hint) in (list, dict):
        return None
    return next((kind for part in get_args(hint) if (kind := _find_kind(part))), None)
