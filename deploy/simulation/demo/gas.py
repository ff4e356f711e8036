"""Gas of every transaction that went to our contracts, by kind, from the receipts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from setoff.deploy.contracts.events import addresses
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.l1.block_receipts import read_receipts
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import INTERFACE

CREATION: Final = "create"

_NAMES: Final = {
    contract: {function.selector: function.name for function in interface.functions.values()}
    for contract, interface in INTERFACE.items()
}
"""Of the functions of each contract, by selector."""


@dataclass(frozen=True, slots=True)
class Gas:
    """Gas of one kind of transaction."""

    kind: str
    """"court.move", say."""
    count: int
    failed: int
    least: int
    most: int
    total: int

    @property
    def mean(self) -> int:
        """Rounded."""
        return round(self.total / self.count)


def read_gas(l1: L1, deployment: Deployment) -> list[Gas]:
    """Gas by kind, of all blocks since the deployment; failed transactions count too."""
    names = addresses(deployment)
    used: dict[str, list[int]] = defaultdict(list)
    failed: dict[str, int] = defaultdict(int)
    for number in range(deployment.block, l1.head().number + 1):
        receipts = read_receipts(l1, l1.block(number))
        if not receipts:
            continue
        sent = l1.request("eth_getBlockByNumber", hex(number), True)["transactions"]
        for transaction, receipt in zip(sent, receipts, strict=True):
            if kind := _kind(names, transaction):
                used[kind].append(receipt.gas_used)
                failed[kind] += not receipt.succeeded
    return [Gas(kind, len(gas), failed[kind], min(gas), max(gas), sum(gas)) for kind, gas in sorted(used.items())]


def _kind(names: dict[str, str], transaction: dict[str, Any]) -> str | None:
    if transaction["to"] is None:
        return CREATION
    contract = names.get(transaction["to"].lower())
    if contract is None:
        return None
    selector = bytes.fromhex(transaction["input"][2:10])
    return f"{contract}.{_NAMES[contract].get(selector, '0x' + selector.hex())}"
