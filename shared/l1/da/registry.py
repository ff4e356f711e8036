"""All data availability modules that this program knows. Another one is one more line here, and nothing elsewhere:
settings, deployment, verification, operator and watcher go by this list.
"""

from __future__ import annotations

from typing import Final

from setoff.shared.errors import ConfigError, DataError
from setoff.shared.l1.da.blobs import BLOBS
from setoff.shared.l1.da.calldata import CALLDATA
from setoff.shared.l1.da.module import DataAvailability

MODULES: Final[dict[int, DataAvailability]] = {module.number: module for module in (CALLDATA, BLOBS)}
"""By the inbox's numbers."""


def get_module(number: int) -> DataAvailability:
    """The module of that number. Raises DataError("data_mismatch") if this program knows none."""
    if number not in MODULES:
        raise DataError("data_mismatch", f"data availability module {number} is unknown here")
    return MODULES[number]


def find_module(name: str) -> DataAvailability:
    """The module that the setting `data` names. Raises ConfigError."""
    for module in MODULES.values():
        if module.name == name:
            return module
    raise ConfigError("bad_config", f"data: must be one of {', '.join(module.name for module in MODULES.values())}")


def own_contracts() -> dict[int, str]:
    """The contracts that belong to a deployment, by number from 1 on: the inbox has them in this order."""
    return {number: MODULES[number].contract for number in sorted(MODULES) if MODULES[number].contract}
