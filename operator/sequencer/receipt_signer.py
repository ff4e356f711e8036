"""The notary: signs the receipts of records that are durable, with the key that posts.

Sequence numbers and running hashes come from the log, the deadline from the batch's timestamp, and signatures are
deterministic: after a crash the same record gets the same receipt again. So whatever happens to the process, no two
receipts of an honest operator contradict each other or what it posts.

Signing is done between two turns, in the thread of the event loop: it is short beside the work on a record, and a
thread of its own would have to wait for the interpreter at every signature.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Self

from coincurve import PrivateKey

from setoff.operator.sequencer.exchange import Exchange, Link, Receipt
from setoff.shared.codec import receipts, records, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.config.settings import Deployment, OperatorSettings
from setoff.shared.errors import ConfigError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.receipts import ReceiptsContract
from setoff.shared.wire.receipts import SignedReceipt

#: A receipt for the place before the record's own, which another record has.
BROKEN_RECEIPT: Final = "broken-receipt"
#: A record that gets a receipt and is thrown away.
OMITTED_RECORD: Final = "omitted-record"
#: The lies that the sequencer tells; all others are the publisher's.
RECEIPT_FAULTS: Final = (BROKEN_RECEIPT, OMITTED_RECORD)
MAINNET: Final = 1

log = logging.getLogger(__name__)


class Notary:
    """Signs for one deployment."""

    def __init__(self, key: bytes, domain: bytes, horizon: int, fault: str = "", fault_batch: int = 0) -> None:
        """`key`: 32 bytes; `horizon`: seconds from a batch's timestamp to its receipts' deadline.

        `fault`: one of RECEIPT_FAULTS, told once, about the first order from batch `fault_batch` on.
        """
        self._key = PrivateKey(key)
        self._domain = domain
        self._fault = fault
        self._fault_batch = fault_batch
        self.horizon = horizon

    @classmethod
    def open(cls, settings: OperatorSettings, deployment: Deployment, l1: L1) -> Self | None:
        """The notary that the settings ask for, None if they want no receipts.

        Raises ConfigError without a key, with another key than the operator's, or for a lie on a chain with real money.
        """
        if settings.fault in RECEIPT_FAULTS and l1.chain_id == MAINNET:
            raise ConfigError("bad_config", "fault: lies are for test networks")
        if not settings.receipts:
            return None
        key = settings.private_key()
        contract = ReceiptsContract(l1, deployment.receipts)
        if signatures.address_of(key) != contract.operator():
            raise ConfigError("bad_config", "operator.key: the inbox has another operator, whose receipts alone count")
        least = 2 * contract.max_skew()
        horizon = settings.receipt_horizon or least
        if horizon < least:
            log.warning("receipt_horizon: a batch that waits for L1 for more than %d s could break a receipt", horizon)
        fault = settings.fault if settings.fault in RECEIPT_FAULTS else ""
        return cls(key, deployment.domain, horizon, fault, settings.fault_batch)

    def attest(self, receipt: Receipt) -> Receipt:
        """The answer to a record that is durable, with a signed receipt for it and for each of its pages."""
        first = receipt.sequence - 1
        if self._is_due(BROKEN_RECEIPT, receipt.record, receipt.batch) and first > 0:
            self._fault = ""
            log.warning("lying about the place of record %d", first)
            first -= 1
        deadline = receipt.time + self.horizon
        return replace(receipt, signed=self._sign(first, receipt.links, deadline))

    def omit(self, exchange: Exchange, record: bytes) -> Receipt | None:
        """The lie about a record that nobody will see again: the answer to it, None if it is not the time to lie."""
        tail = exchange.tail
        if not self._is_due(OMITTED_RECORD, record, tail.number):
            return None
        self._fault = ""
        log.warning("omitting record %d", tail.records)
        hashed = keccak(record)
        link = Link(hashed, receipts.extend(tail.running, hashed))
        time = exchange.machine.regs.time
        receipt = Receipt(tail.records + 1, tail.number, exchange.inputs, record, (), 0, time=time, links=(link,))
        return self.attest(receipt)

    def _is_due(self, fault: str, record: bytes, batch: int) -> bool:
        return self._fault == fault and record[0] == records.ORDER and batch >= self._fault_batch

    def _sign(self, first: int, links: Sequence[Link], deadline: int) -> tuple[SignedReceipt, ...]:
        signed = []
        for sequence, (record, running) in enumerate(links, first):
            receipt = receipts.Receipt(sequence, record, running, deadline)
            raw = self._key.sign_recoverable(receipts.digest(self._domain, receipt), hasher=None)
            signature = signatures.compact(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"), raw[64])
            signed.append(SignedReceipt(receipt, signature))
        return tuple(signed)
