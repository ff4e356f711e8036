"""What an account has paid for gas, by what it paid for, since its process was started."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any, Final

from setoff.shared.l1.abi import NAMES, load_interface
from setoff.shared.l1.answers import TransactionReceipt

CREATION, TRANSFER, OTHER = "creation", "transfer", "other"
_SELECTOR: Final = 4


class Spending:
    """Transactions that are in a block. Stakes and bonds are not spent: they come back, or `at stake` shows them."""

    def __init__(self) -> None:
        self.transactions: Counter[str] = Counter()
        self.wei: Counter[str] = Counter()

    def add(self, to: str | None, data: bytes, receipt: TransactionReceipt, blob_gas: int = 0) -> None:
        """One more; `blob_gas`: of its blobs."""
        kind = name_kind(to, data)
        self.transactions[kind] += 1
        self.wei[kind] += receipt.gas_used * receipt.gas_price + blob_gas * receipt.blob_gas_price

    def to_json(self) -> dict[str, Any]:
        """For another process."""
        return {"transactions": dict(self.transactions), "wei": dict(self.wei)}


def name_kind(to: str | None, data: bytes) -> str:
    """The function that a transaction calls, of all our contracts'; else what else it is."""
    if to is None:
        return CREATION
    return _functions().get(data[:_SELECTOR], OTHER) if data else TRANSFER


@cache
def _functions() -> dict[bytes, str]:
    """Names by selector. Contracts that have the same function mean the same by it."""
    interfaces = [load_interface(name) for name in NAMES]
    return {each.selector: each.name for interface in interfaces for each in interface.functions.values()}
