"""Posting in the operator's place: once the inbox is open to all, anybody may post batches of L1 messages."""

from __future__ import annotations

from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import StateError
from setoff.shared.l1.answers import TransactionReceipt
from setoff.shared.l1.connection import L1
from setoff.shared.l1.inbox import Inbox, encode_post
from setoff.shared.machine.batch import MAX_INPUTS


def post_waiting(l1: L1, deployment: Deployment) -> TransactionReceipt:
    """Post the next batch with all messages that wait (at most `MAX_INPUTS`) from the account of `l1`, at L1's time.

    Raises StateError("not_due") if nothing waits, StateError("too_early") while the operator alone may post,
    StateError("epoch_too_early") while the next epoch may not begin, Reverted if somebody else was faster, ChainError.
    """
    inbox = Inbox(l1, deployment)
    state = inbox.state()
    if not state.waiting:
        raise StateError("not_due", "no message waits to be posted")
    now, opens_at = l1.now(), inbox.opens_at()
    if now < opens_at:
        raise StateError("too_early", f"the operator alone may post for {opens_at - now} s more")
    if (paced_until := inbox.paced_until()) > now:
        raise StateError("epoch_too_early", f"the next epoch may begin in {paced_until - now} s")
    header = inbox.next_header(state, l1.head().timestamp, min(state.waiting, MAX_INPUTS))
    return l1.transact(deployment.inbox, encode_post(header))
