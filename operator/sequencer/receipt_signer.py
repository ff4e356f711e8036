"""Signs the receipts of records that are durable, with the key that posts.

Sequence numbers and running hashes come from the journal, the deadline from the batch's timestamp, and signatures are
deterministic: after a crash the same record gets the same receipt again. So whatever happens to the process, no two
receipts of an honest operator contradict each other or what it posts.

One signature does for all records of a turn. So the groups are those of the turns, and a record may have other
siblings behind its signature after a crash; what it promises is the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from coincurve import PrivateKey

from setoff.operator.sequencer.exchange import SubmitResult
from setoff.operator.settings import OperatorSettings
from setoff.shared.codec import receipts, signatures
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ConfigError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.receipts import ReceiptsContract
from setoff.shared.wire.receipts import SignedReceipt, sign_group

_GROUP: Final = 1 << receipts.MAX_PATH

log = logging.getLogger(__name__)


class ReceiptSigner:
    """Signs for one deployment."""

    def __init__(self, key: bytes, domain: bytes, horizon: int) -> None:
        """`key`: 32 bytes; `horizon`: seconds from a batch's timestamp to its receipts' deadline."""
        self.horizon = horizon
        self._key = PrivateKey(key)
        self._domain = domain

    def attest(self, results: Sequence[SubmitResult]) -> list[SubmitResult]:
        """The answers to records that are durable, with a signed receipt for each of them and of their pages."""
        given = [
            receipts.Receipt(sequence, record, running, result.time + self.horizon)
            for result in results
            for sequence, (record, running) in enumerate(result.links, result.sequence)
        ]
        signed: list[SignedReceipt] = []
        for at in range(0, len(given), _GROUP):
            signed += sign_group(self._domain, given[at : at + _GROUP], self._key)
        rest = iter(signed)
        return [replace(result, signed=tuple(islice(rest, len(result.links)))) for result in results]


MakeSigner = Callable[[bytes, bytes, int], ReceiptSigner]
"""(key, domain, horizon) to who signs."""


def open_signer(
    settings: OperatorSettings, deployment: Deployment, l1: L1, make_signer: MakeSigner = ReceiptSigner
) -> ReceiptSigner | None:
    """The signer that the settings ask for, None if they want no receipts.

    Raises ConfigError without a key, or with another key than the operator's.
    """
    if not settings.receipts:
        return None
    key = settings.private_key()
    contract = ReceiptsContract(l1, deployment.receipts)
    if signatures.address_of(key) != contract.operator():
        raise ConfigError("bad_config", "operator.key: the inbox has another operator, whose receipts alone count")
    least = 2 * contract.max_skew()
    horizon = settings.receipt_horizon or contract.bond().exit_delay // 2
    if horizon < least:
        log.warning("receipt_horizon: a batch that waits for L1 for more than %d s could break a receipt", horizon)
    return make_signer(key, deployment.domain, horizon)
