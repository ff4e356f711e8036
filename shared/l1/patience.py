"""Starting although L1 does not answer yet."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from setoff.shared import advice
from setoff.shared.errors import ChainError

PAUSE: Final = 1.0
"""Seconds between two tries."""

REPEAT: Final = 30.0
"""Seconds after which it is said again what is waited for."""

T = TypeVar("T")

log = logging.getLogger(__name__)


def try_until(action: Callable[[], T], stop: threading.Event, next_step: str = advice.UNREACHABLE) -> T | None:
    """What `action` returns as soon as L1 lets it, None if `stop` is set before. Raises what is no ChainError.

    The first failure is said at once, with `next_step` for whoever reads it, and again each REPEAT seconds.
    """
    told_at = -REPEAT
    begun = time.monotonic()
    while not stop.is_set():
        try:
            return action()
        except ChainError as error:
            waited = time.monotonic() - begun
            if waited >= told_at + REPEAT:
                told_at = waited
                log.warning(
                    "L1, or who signs for it, does not answer (%s). It is waited for, now for %.0f s, and all goes on "
                    "by itself once it answers. If that is not what you want: %s",
                    error.detail,
                    waited,
                    next_step,
                )
            stop.wait(PAUSE)
    return None
