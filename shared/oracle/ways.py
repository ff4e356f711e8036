"""The two ways of a report: to the operator's API, and through the queue on L1; each raises what stops it.

A report that goes both ways, or twice, counts once: the second is `stale_report`. Through L1 it costs gas each time, so
what is on its way there is left alone for `force_interval`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from setoff.shared.codec import records
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.l1.connection import L1
from setoff.shared.oracle.aside import call_aside
from setoff.shared.sdk.answers import Unavailable
from setoff.shared.sdk.client import SetoffClient
from setoff.shared.sdk.forced_inclusion import Forced, ForcedInclusion
from setoff.shared.sdk.signer import Signer

TIMEOUT = 5.0
"""Seconds that the operator has to answer one report."""


class Ways:
    """Signs reports, for the domain that the deployment file names, and sends them."""

    def __init__(self, client: SetoffClient, l1: L1, deployment: Deployment, signer: Signer) -> None:
        """`l1` has the key of whoever pays there."""
        self._client = client
        self._deployment = deployment
        self._signer = signer
        self._open_inclusion: Callable[[], ForcedInclusion] = lambda: ForcedInclusion(l1, deployment, signer)
        self._inclusion: ForcedInclusion | None = None

    def sign(self, signer: int, time: int, market: int, price: int) -> bytes:
        """A report of 124 bytes: `price` ticks of `market` at `time` (unix seconds) by oracle signer `signer`."""
        body = records.encode(records.ReportBody(signer, time, market, price))
        return body + self._signer.sign(self._deployment.chain_id, self._deployment.vault_bytes, body)

    async def submit(self, record: bytes) -> None:
        """To the operator. Raises Refusal, or Unavailable if it does not answer in time."""
        try:
            await asyncio.wait_for(self._client.submit(record), TIMEOUT)
        except TimeoutError:
            raise Unavailable("not_ready", f"no answer within {TIMEOUT:g} s") from None

    async def force(self, record: bytes) -> Forced:
        """Through L1. Raises ChainError, ConfigError."""
        return await call_aside(lambda: self._force(record))

    def _force(self, record: bytes) -> Forced:
        if self._inclusion is None:
            self._inclusion = self._open_inclusion()
        return self._inclusion.send_record(record)
