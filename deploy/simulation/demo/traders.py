"""Who signs in the demo: traders with keys, nonces and order slots of their own, and the oracle's signers."""

from __future__ import annotations

from collections import deque
from typing import Final

from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.state import keys

ORDER_SLOTS: Final = keys.MAX_ORDER_SLOT + 1
"""Order slots an account has."""


def derive_key(seed: int, role: str, number: int) -> bytes:
    """A 32-byte private key of a demo run, the same for the same seed."""
    return keccak(f"setoff demo {seed} {role} {number}".encode())


class Trader:
    """A trader: `account` is the vault's number for `address`, 0 before the first deposit."""

    def __init__(self, key: bytes, domain: bytes) -> None:
        self.key = key
        self.address = signatures.address_of(key)
        self.account = 0
        self._domain = domain
        self._nonce = 0
        self._free = deque(range(ORDER_SLOTS))

    def take_order_slot(self) -> int | None:
        """A free order slot, the one that was given back longest ago; None if there is none."""
        return self._free.popleft() if self._free else None

    def give_order_slot(self, order_slot: int) -> None:
        """Give an order slot back once its order is cancelled or gone."""
        self._free.append(order_slot)

    def sign_order(self, market: int, side: int, flags: int, order_slot: int, price: int, size: int) -> bytes:
        """A signed order, 124 bytes."""
        order = records.OrderBody(self.account, self._next_nonce(), market, side, flags, order_slot, price, size)
        return self._sign(records.encode(order))

    def sign_cancel(self, order_slot: int) -> bytes:
        """A signed cancel of the order in `order_slot`."""
        return self._sign(records.encode(records.CancelBody(self.account, self._next_nonce(), order_slot)))

    def sign_transfer(self, peer: int, amount: int) -> bytes:
        """A signed transfer of `amount` token units to account `peer`."""
        return self._sign(records.encode(records.TransferBody(self.account, self._next_nonce(), peer, amount)))

    def sign_withdraw(self, amount: int) -> bytes:
        """A signed withdrawal of `amount` token units."""
        return self._sign(records.encode(records.WithdrawBody(self.account, self._next_nonce(), amount)))

    def sign_backstop_deposit(self, amount: int) -> bytes:
        """A signed deposit of `amount` token units into the backstop vault."""
        return self._sign(records.encode(records.BackstopDepositBody(self.account, self._next_nonce(), amount)))

    def _next_nonce(self) -> int:
        self._nonce += 1
        return self._nonce

    def _sign(self, body: bytes) -> bytes:
        return body + signatures.sign(eip712.digest(self._domain, body), self.key)


class OracleSigner:
    """An oracle signer: number `number` of the registered set."""

    def __init__(self, number: int, key: bytes, domain: bytes) -> None:
        self.number = number
        self.key = key
        self.address = signatures.address_of(key)
        self._domain = domain

    def sign_report(self, time: int, market: int, price: int) -> bytes:
        """A signed price report: `price` ticks of `market` at `time` (unix seconds)."""
        body = records.encode(records.ReportBody(self.number, time, market, price))
        return body + signatures.sign(eip712.digest(self._domain, body), self.key)
