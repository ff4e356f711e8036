"""What a request names: the parameters of an operation, what they may look like, and how they are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from setoff.shared.errors import InputError


@dataclass(frozen=True)
class Form:
    """What a parameter looks like; `is_number`: it is read as one."""

    pattern: str
    about: str
    is_number: bool = False
    digits: int = 0


NUMBER: Final = Form(r"[0-9]{1,18}", "a whole number of at most 18 digits", is_number=True, digits=18)
MARKET: Final = Form(
    r"([0-9]{1,18}|[A-Za-z][A-Za-z0-9]{0,30}(-[A-Za-z0-9]{1,30}){0,3})", "a market's symbol, as BTC-PERP, or its number"
)
ACCOUNT: Final = Form(
    r"([0-9]{1,18}|0x[0-9a-fA-F]{40})(\.[0-9]{1,18})?",
    "an account's number or its owner's address (0x and 40 hexadecimal digits), with \".2\" behind it for sub 2",
)
LARGE: Final = Form(r"[0-9]{1,20}", "a whole number of at most 20 digits", is_number=True, digits=20)
NAME: Final = Form(r"[a-z0-9_]{1,30}", "a name of small letters and digits")
NAMES: Final = Form(r"[a-z_]{1,30}(,[a-z_]{1,30}){0,30}", "names with commas between them")


@dataclass(frozen=True)
class Parameter:
    """One of them; in the path it has no default and has to be there. In the query, None stands for one left out."""

    name: str
    form: Form
    about: str
    default: int | str | None = None

    def read(self, text: str) -> int | str:
        """Its value. Raises InputError("missing_field")."""
        if not (text.isascii() and re.fullmatch(self.form.pattern, text)):
            raise InputError("missing_field", f"'{self.name}' is {self.form.about}")
        return int(text) if self.form.is_number else text

    @property
    def schema(self) -> dict[str, Any]:
        """For the document."""
        schema: dict[str, Any] = {"type": "string", "pattern": f"^{self.form.pattern}$"}
        if self.form.is_number:
            schema = {"type": "integer", "minimum": 0, "maximum": 10**self.form.digits - 1}
        return schema if self.default is None else schema | {"default": self.default}


def read_parameters(
    parameters: Iterable[Parameter], path: Mapping[str, str], query: Iterable[tuple[str, str]]
) -> dict[str, Any]:
    """The values of all parameters by name. Raises InputError("missing_field") for what cannot be read, is not known
    or is given twice."""
    known = {parameter.name: parameter for parameter in parameters}
    values: dict[str, Any] = {name: parameter.default for name, parameter in known.items()}
    values |= {name: known[name].read(text) for name, text in path.items()}
    seen = set(path)
    for name, text in query:
        if name not in known or name in path:
            names = ", ".join(other for other in known if other not in path) or "none"
            raise InputError("missing_field", f"there is no parameter '{name[:40]}': the query may have {names}")
        if name in seen:
            raise InputError("missing_field", f"'{name}' is given twice")
        seen.add(name)
        values[name] = known[name].read(text)
    return values
