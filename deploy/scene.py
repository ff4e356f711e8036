"""Inputs made by hand: traders and oracle signers with known keys, what they sign, and the batches it is posted in.

Conformance vectors, scenarios and tests play on it. Keys are derived from the account's number, so every run gives the
same bytes; they are worth nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.machine.batch import ZERO, Batch

CHAIN_ID: Final = 31337
VAULT: Final = keccak(b"setoff scene vault")[12:]
START_TIME: Final = 1_800_000_000  # seconds


def trader_key(account: int) -> bytes:
    """Private key (32 bytes) of the trader who owns `account`."""
    return keccak(b"setoff scene trader %d" % account)


def oracle_key(number: int) -> bytes:
    """Private key (32 bytes) of oracle signer `number`."""
    return keccak(b"setoff scene oracle %d" % number)


class Scene:
    """Signs records and seals batches. Nonces and order slots count up for each account unless they are given."""

    def __init__(self, chain_id: int = CHAIN_ID, vault: bytes = VAULT) -> None:
        self.domain = eip712.domain_separator(chain_id, vault)
        self.time = START_TIME
        self._nonces: dict[int, int] = {}
        self._places: dict[int, int] = {}
        self._parent = ZERO
        self._chain = ZERO
        self._number = 0
        self._messages = 0

    # --- messages ----------------------------------------------------------------------------------------------------

    def deposit(self, account: int, amount: int) -> bytes:
        """Deposit of `amount` token units for the trader of `account`."""
        owner = signatures.address_of(trader_key(account))
        return records.encode_deposit(records.DepositBody(account, owner, amount))

    def list_market(
        self,
        market: int = 1,
        unit: int = 10,
        initial_margin: int = 100_000,
        maintenance_margin: int = 50_000,
        taker_fee: int = 500,
        maker_fee: int = -200,
        band: int = 1_000_000,
    ) -> bytes:
        """Listing of a market; by default 10 token units a lot and tick, 10 % margin, 5 bp taker, -2 bp maker."""
        body = records.ListMarketBody(market, unit, initial_margin, maintenance_margin, taker_fee, maker_fee, band)
        return records.encode_list_market(body)

    def set_signer(self, number: int = 0, quorum: int = 1, max_age: int = 60) -> bytes:
        """Registration of oracle signer `number`."""
        owner = signatures.address_of(oracle_key(number))
        return records.encode_set_signer(records.SetSignerBody(number, owner, quorum, max_age))

    # --- records -----------------------------------------------------------------------------------------------------

    def sign(self, body: bytes, private_key: bytes) -> bytes:
        """The 124-byte record of a 60-byte body."""
        return body + signatures.sign(eip712.digest(self.domain, body), private_key)

    def next_nonce(self, account: int) -> int:
        """A nonce of `account` that this scene has not given out."""
        self._nonces[account] = self._nonces.get(account, 0) + 1
        return self._nonces[account]

    def order(
        self,
        account: int,
        side: int,
        price: int,
        size: int,
        *,
        market: int = 1,
        flags: int = records.GTC,
        place: int | None = None,
        nonce: int | None = None,
    ) -> bytes:
        """A signed order; `place` is the order slot after the account's last one unless given."""
        if place is None:
            place = self._places.get(account, 0)
        self._places[account] = (place + 1) % 256
        if nonce is None:
            nonce = self.next_nonce(account)
        body = records.OrderBody(account, nonce, market, side, flags, place, price, size)
        return self.sign(records.encode_order(body), trader_key(account))

    def cancel(self, account: int, place: int, nonce: int | None = None) -> bytes:
        """A signed cancel of the order in `place`."""
        nonce = self.next_nonce(account) if nonce is None else nonce
        return self.sign(records.encode_cancel(records.CancelBody(account, nonce, place)), trader_key(account))

    def transfer(self, account: int, peer: int, amount: int, nonce: int | None = None) -> bytes:
        """A signed transfer of `amount` token units."""
        nonce = self.next_nonce(account) if nonce is None else nonce
        body = records.TransferBody(account, nonce, peer, amount)
        return self.sign(records.encode_transfer(body), trader_key(account))

    def withdraw(self, account: int, amount: int, nonce: int | None = None) -> bytes:
        """A signed withdrawal of `amount` token units."""
        nonce = self.next_nonce(account) if nonce is None else nonce
        body = records.WithdrawBody(account, nonce, amount)
        return self.sign(records.encode_withdraw(body), trader_key(account))

    def report(self, number: int, price: int, *, market: int = 1, time: int | None = None) -> bytes:
        """Oracle signer `number`'s price; `time` is now unless given."""
        body = records.ReportBody(number, self.time if time is None else time, market, price)
        return self.sign(records.encode_report(body), oracle_key(number))

    # --- batches -----------------------------------------------------------------------------------------------------

    @property
    def chain(self) -> bytes:
        """The L1 queue's hash chain after the last sealed batch."""
        return self._chain

    def seal(self, messages: Sequence[bytes] = (), inputs: Sequence[bytes] = ()) -> Batch:
        """The next batch, at the present time: first the messages, then the records."""
        batch = Batch.seal(self._parent, self._number, self.time, self._messages, self._chain, messages, inputs)
        self._parent = batch.header.hash()
        self._chain = batch.header.messages
        self._messages += len(messages)
        self._number += 1
        return batch


def play_epoch(scene: Scene) -> list[Batch]:
    """Four batches in which every step of the rulebook occurs, and many inputs are refused.

    The first trades in one market; the second prunes makers and forces a record through L1; the third is empty; in the
    fourth one account has a place in eight markets, so that probing it touches as many leaves as a step can.
    """
    return [_open_market(scene), _prune_makers(scene), _do_nothing(scene), _fill_places(scene)]


def _open_market(scene: Scene) -> Batch:
    messages = [scene.deposit(account, 1_000_000) for account in range(1, 5)]
    messages += [scene.list_market(1), *(scene.set_signer(number, quorum=2) for number in range(3))]
    inputs = [
        scene.report(0, 100),
        scene.report(1, 102),
        scene.order(1, records.SELL, 101, 5),
        scene.order(2, records.SELL, 101, 5),
        scene.order(1, records.SELL, 103, 5),
        scene.order(3, records.BUY, 102, 8),
        scene.order(3, records.BUY, 102, 4, flags=records.IOC),
        scene.order(4, records.BUY, 99, 6, flags=records.POST_ONLY),
        scene.order(4, records.BUY, 103, 6, flags=records.POST_ONLY),
        scene.order(4, records.BUY, 103, 2**30),
        scene.withdraw(1, 250_000),
        scene.withdraw(1, 2_500_000),
        scene.transfer(2, 4, 1_234),
    ]
    return scene.seal(messages, inputs)


def _prune_makers(scene: Scene) -> Batch:
    scene.time += 10
    forced = scene.cancel(4, 0)
    inputs = [
        scene.order(5, records.SELL, 105, 10),
        *(scene.report(number, 110) for number in range(3)),
        scene.order(3, records.BUY, 105, 15),
        scene.order(3, records.SELL, 105, 2),
        scene.order(4, records.SELL, 106, 1, nonce=200),
        scene.order(4, records.SELL, 106, 1, nonce=201),
        scene.order(4, records.SELL, 106, 1, nonce=202),
        scene.cancel(4, 3),
        scene.cancel(4, 3),
        scene.report(1, 111),
        forced,
        bytes(124),
    ]
    return scene.seal([forced, scene.deposit(5, 1_010), scene.deposit(1, 0)], inputs)


def _do_nothing(scene: Scene) -> Batch:
    scene.time += 1
    return scene.seal()


def _fill_places(scene: Scene) -> Batch:
    scene.time += 1
    listings = [scene.list_market(market, unit=market) for market in range(2, 9)]
    inputs = [scene.report(number, 100 + market, market=market) for market in range(2, 9) for number in (0, 1)]
    inputs += [scene.order(2, records.SELL, 100 + market, market, market=market) for market in range(2, 9)]
    inputs.append(scene.order(4, records.BUY, 110, 2, market=5))
    return scene.seal(listings, inputs)
