"""What the members of the API's answers are, and in which unit: one a member.

A number that can pass 2^53 is a decimal string. Ticks, lots and token units are what is signed and counted; an answer
that has any has a member `decimal`, too, where the same names stand for the same things in decimals: a price in quote
per base, a size in base, an amount in the collateral's currency.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

Schema = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """What a value is; pydantic finds it in an annotation, and adds it to the JSON schema that it makes of the type."""

    name: str
    """The unit, or what kind of text it is."""
    schema: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __get_pydantic_json_schema__(self, core: Any, make: Callable[[Any], Schema]) -> Schema:
        """See pydantic's "Customizing JSON Schema"."""
        return make(core) | dict(self.schema) | {"x-unit": self.name}


INTEGER: Final = r"^-?(0|[1-9][0-9]*)$"
NATURAL: Final = r"^(0|[1-9][0-9]*)$"
DECIMAL: Final = r"^-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$"

TICKS: Final = Kind("ticks", {"minimum": 0})
LOTS: Final = Kind("lots", {"pattern": INTEGER})
TOKENS: Final = Kind("token units", {"pattern": INTEGER})
SCALED: Final = (TICKS, LOTS, TOKENS)
"""Units that `decimal` repeats."""

Ticks = Annotated[int, TICKS]
Lots = Annotated[str, LOTS]
Tokens = Annotated[str, TOKENS]
Ppm = Annotated[int, Kind("ppm")]
Part = Annotated[float, Kind("ppm")]
Seconds = Annotated[int, Kind("seconds", {"minimum": 0})]
Millis = Annotated[int, Kind("milliseconds", {"minimum": 0})]
Count = Annotated[int, Kind("count", {"minimum": 0})]
Large = Annotated[str, Kind("count", {"pattern": INTEGER})]
Nonce = Annotated[str, Kind("nonce", {"pattern": NATURAL})]
Shares = Annotated[str, Kind("shares", {"pattern": NATURAL})]
Decimal = Annotated[str, Kind("decimal", {"pattern": DECIMAL})]
Hash = Annotated[str, Kind("hash", {"pattern": "^0x[0-9a-f]{64}$"})]
Hex = Annotated[str, Kind("bytes", {"pattern": "^0x([0-9a-f]{2})*$"})]
Address = Annotated[str, Kind("address", {"pattern": "^0x[0-9a-fA-F]{40}$"})]
Symbol = Annotated[str, Kind("symbol", {"pattern": "^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$"})]
Decimals = Annotated[dict[str, str | None], Kind("decimals")]
"""What is beside it in ticks, lots or token units, under the same names."""
