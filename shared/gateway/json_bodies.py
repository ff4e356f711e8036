"""What bots send, read as JSON: no deeper than their API goes, and no numbers that are none."""

from __future__ import annotations

from typing import Any, Final, NoReturn

from setoff.shared.gateway.refusals import Misshapen
from setoff.shared.wire import json_text
from setoff.shared.wire.json_text import MAX_DEPTH

MAX_BODY: Final = 1 << 20
"""Bytes of a request."""


def read_json(body: bytes | str) -> Any:
    """What it says. Raises Misshapen for what is no JSON, more than MAX_BODY bytes, or nested deeper than MAX_DEPTH."""
    if len(body) > MAX_BODY:
        raise Misshapen(f"it has {len(body)} bytes, and may have {MAX_BODY}")
    try:
        return json_text.read_json(body, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Misshapen(f"no JSON of at most {MAX_DEPTH} levels: {error}") from None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON's")
