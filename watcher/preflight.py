"""What a watcher makes sure of before its processes start: that L1 answers, and that its settings can win a dispute."""

from __future__ import annotations

import logging
import threading
from typing import Final

from setoff.contracts.verification import check_deployment
from setoff.shared.errors import ChainError
from setoff.shared.l1.account import open_account
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtContract
from setoff.shared.l1.patience import try_until
from setoff.watcher.settings import WatcherSettings

log = logging.getLogger(__name__)

TRY: Final = 0.5
"""Seconds that one look for the node takes, beside one request's own time."""

ANSWER: Final = 3.0
"""Seconds that a node has to answer one request; several nodes that all are silent have no more together, so that it is
said soon what is waited for."""


def wait_for_l1(settings: WatcherSettings, stop: threading.Event) -> L1 | None:
    """A connection to the node of the settings as soon as it answers, None if `stop` is set before that.

    Says at once, and now and then, what it waits for. Raises ConfigError if no wait can help: the deployment's file is
    unusable, or the node serves another chain.
    """
    deployment = settings.load_deployment()
    soon = ANSWER / (settings.rpc_url.count(",") + 1)
    try_until(L1(settings.rpc_url, chain_id=deployment.chain_id, patience=TRY, timeout=soon).check_chain, stop)
    if stop.is_set():
        return None
    return L1(settings.rpc_url, chain_id=deployment.chain_id, patience=settings.l1_patience, timeout=ANSWER)


def check_preflight(settings: WatcherSettings, l1: L1) -> None:
    """Raises ConfigError if this watcher must not start: another chain, other contracts, a key that is none, or
    not its remote signer's, patience that its clocks do not have; ChainError if L1 does not answer. A remote signer
    that is away is said, and no reason not to start.
    """
    deployment = settings.load_deployment()
    check_deployment(l1, deployment)
    if settings.key:
        try:
            open_account(settings)
        except ChainError as error:  # of a remote signer: what there is to watch does not wait for it
            log.warning("nothing can be disputed yet: %s", error.detail)
        settings.check_terms(CourtContract(l1, deployment.court).terms)
