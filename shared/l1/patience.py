"""Starting although L1 does not answer yet."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from setoff.shared.errors import ChainError

PAUSE: Final = 1.0
"""Seconds between two tries."""

REPEAT: Final = 30.0
"""Seconds after which it is said again what is waited for."""

T = TypeVar("T")

log = logging.getLogger(__name__)


def try_until(action: Callable[[], T], stop: threading.Event) -> T | None:
    """What `action` returns as soon as L1 lets it, None if `stop` is set before. Raises what is no ChainError."""
    silence = 0.0
    while not stop.is_set():
        try:
            return action()
        except ChainError as error:
            if silence <= 0:
                log.warning("L1, or who signs for it, does not answer, trying again (%s)", error.detail)
                silence = REPEAT
            silence -= PAUSE
            stop.wait(PAUSE)
    return None
