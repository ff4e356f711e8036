"""What a deployment file says beyond what services need: by whom, for whom and on which terms it was made."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from setoff.shared.errors import ConfigError
from setoff.shared.params import Params


@dataclass(frozen=True, slots=True)
class AddressBook:
    """Empty where the file was made before there was one; addresses are 0x-strings."""

    operator: str = ""
    lister: str = ""
    deployer: str = ""
    preset: str = ""
    """Name of the parameters, where they have one."""
    compiler: str = ""
    """That made the contracts' code."""
    parameters: Mapping[str, int] = field(default_factory=dict, hash=False)
    """All of `Params`, by name."""
    contracts: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Addresses of the contracts that no service asks for: rules, data availability modules."""
    modules: tuple[str, ...] = ()
    """Addresses of further data availability modules, which were there before."""

    @property
    def params(self) -> Params | None:
        """The parameters, None where none are told. Raises ConfigError."""
        return Params.from_dict(dict(self.parameters)) if self.parameters else None

    @classmethod
    def read(cls, data: Any) -> Self:
        """From the member `book` of a deployment file; None is an empty one. Raises ConfigError."""
        if data is None:
            return cls()
        if not isinstance(data, Mapping):
            raise ConfigError("bad_config", "deployment: 'book' is not a JSON object")
        kinds: dict[str, Any] = {"parameters": _numbers, "contracts": _names, "modules": _list}
        values = {}
        for item in dataclasses.fields(cls):
            if item.name in data:
                try:
                    values[item.name] = kinds.get(item.name, _text)(data[item.name])
                except ValueError:
                    raise ConfigError("bad_config", f"deployment: 'book' has no usable '{item.name}'") from None
        return cls(**values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _list(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError
    return tuple(map(_text, value))


def _names(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError
    return {_text(name): _text(entry) for name, entry in value.items()}


def _numbers(value: Any) -> dict[str, int]:
    if not isinstance(value, Mapping) or not all(type(entry) is int for entry in value.values()):
        raise ValueError
    return {_text(name): entry for name, entry in value.items()}
