"""Posting in the operator's place: once it has been silent for too long, anybody may post batches of L1 messages."""

from __future__ import annotations

from typing import Final

from eth_abi.abi import decode, encode

from setoff.shared.adapters.chain import POST, ChainReader
from setoff.shared.adapters.l1 import L1, Receipt
from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import StateError

MAX_MESSAGES: Final = 1024
"""Inputs of a batch."""


def find_waiting(reader: ChainReader) -> int:
    """How many messages of the queue no batch has consumed. Raises ChainError."""
    return reader.message_count() - read_inbox(reader, "messages_consumed()")


def get_open_time(reader: ChainReader) -> int:
    """From when on (unix seconds) anybody may post, unless the operator posts before. Raises ChainError."""
    return read_inbox(reader, "operator_posted_at()") + read_inbox(reader, "SILENCE()")


def post_waiting(l1: L1, reader: ChainReader, *, is_empty_allowed: bool = False) -> Receipt:
    """Post the next batch with all messages that wait (at most 1024) from the account of `l1`, at L1's time.

    A batch without messages lets time pass and fills an epoch: it is posted only where `is_empty_allowed`. Raises
    StateError("too_early") while the operator alone may post, StateError("not_due") if nothing waits, Reverted if
    somebody else was faster, ChainError.
    """
    waiting = min(find_waiting(reader), MAX_MESSAGES)
    if not waiting and not is_empty_allowed:
        raise StateError("not_due", "no message waits to be posted")
    now = l1.head().timestamp
    opens = get_open_time(reader)
    if now < opens:
        raise StateError("too_early", f"the operator alone may post for {opens - now} s more")
    arguments = [reader.batch_count(), now, waiting, b""]
    return l1.transact(reader.deployment.inbox, POST + encode(["uint256", "uint256", "uint256", "bytes"], arguments))


def read_inbox(reader: ChainReader, signature: str) -> int:
    """A number that the inbox shows. Raises ChainError."""
    returned = reader.l1.call(reader.deployment.inbox, keccak(signature.encode())[:4])
    return int(decode(["uint256"], returned)[0])
