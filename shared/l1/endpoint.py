"""One URL of an L1 node: a request, an answer; and what its refusals mean.

Nodes have no common list of errors. So words decide nothing but what is certain without them as well: a contract's
refusal carries its data, a missing method its number. Whatever else a node says may be another tomorrow, and is for the
caller to try again (`rpc.py`), narrower or elsewhere.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from eth_abi.abi import decode

from setoff.shared.errors import ChainError, ConfigError
from setoff.shared.l1.session import Line, read_whole
from setoff.shared.monotonic import LONG_AGO
from setoff.shared.wire.json_text import read_json

ERROR_SELECTOR: Final = bytes.fromhex("08c379a0")
"""Of `Error(string)`, with which a contract reverts."""
PANIC_SELECTOR: Final = bytes.fromhex("4e487b71")
"""Of `Panic(uint256)`, with which one that fails reverts."""

POOR: Final = (
    "insufficient fund",
    "insufficient balance",
    "insufficient sender balance",
    "exceeds account balance",
    "lack of fund",
    "lackoffund",
    "outoffund",
    "have enough fund",
)
"""What nodes say of an account that cannot pay."""

NO_SUCH_METHOD: Final = -32601

ABSENT: Final = ("method not found", "not supported", "unsupported", "does not exist/is not available")
"""What nodes say of a method that they do not have, where they do not say it by number."""

TOO_MANY: Final = 429
"""HTTP status of a request that was turned away."""

BUSY_CODES: Final = frozenset({429, -32005, -32007, -32029, -32090, -32097})
"""What providers call too many requests."""

WORDS: Final = 200
"""Characters of a node's own words that are passed on."""

MOST_BYTES: Final = 1 << 28
"""Of an answer: more than nodes give, less than a memory holds."""

LONGEST_REST: Final = 10.0
"""Seconds for which a node that asks for a pause is left alone, at most."""

SPLIT_TOLD: Final = 3600.0
"""Seconds for which it counts that a node has answered of two branches at once."""


class Refused(ChainError):
    """The node answered with an error; `message` is its own, `data` what a contract returned."""

    def __init__(self, reason: str, message: str, data: bytes = b"") -> None:
        super().__init__(reason, message)
        self.message = message
        self.data = data
        self.was_lost = False
        """Whether somebody was asked the same before, and has not answered: what was sent may be with him."""


class Reverted(Refused):
    """A contract refused the call; `reason` is the string it gave."""


class Unsupported(Refused):
    """The node does not have this method."""


class Unanswered(Exception):
    """There was no answer, or one that says that there is none now."""

    def __init__(self, complaint: str, pause: float = 0.0, *, is_untouched: bool = False) -> None:
        """`pause`: seconds that the node asked for; `is_untouched`: it is certain that it did nothing."""
        super().__init__(complaint)
        self.pause = pause
        self.is_untouched = is_untouched


class Endpoint:
    """One URL. May be shared by threads."""

    def __init__(self, url: str, timeout: float) -> None:
        """`timeout`: seconds for one request. Raises ConfigError for what is no http(s) URL."""
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ConfigError("bad_config", "the L1 node's address is not an http(s) URL")
        # Paths and credentials are often keys: they are never shown.
        self.host = urlsplit(url).netloc.rpartition("@")[2]
        self.rests_until = 0.0
        """Until when it is to be left alone, monotonic."""
        self.complaint = ""
        """What was wrong with its last answer; empty: nothing."""
        self.suspicion = ""
        """Why its answers count for less than others'; empty: they do not."""
        self.refuted = ""
        """What it has said of events that L1 has otherwise: from then on it is asked last. Empty: nothing."""
        self.split_at = LONG_AGO
        """When it was last seen to answer of two branches at once, monotonic."""
        self._line = Line(url, timeout)

    def ask(self, method: str, params: Sequence[Any]) -> Any:
        """The `result` of one JSON-RPC call. Raises Unanswered, Refused."""
        call: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        try:
            answer = self._line.post(json.dumps(call).encode())
            body = read_whole(answer, MOST_BYTES)
            if not answer.ok or answer.is_redirect:
                raise _read_failure(answer, body)
            content = read_json(body)
        except (requests.RequestException, OSError) as failure:
            # Where there was no connection nothing was sent, either.
            is_untouched = "NewConnectionError" in repr(failure)
            raise Unanswered(type(failure).__name__, is_untouched=is_untouched) from None
        except (ValueError, RecursionError) as failure:  # what a broken answer does to its decoder
            raise Unanswered(f"no JSON-RPC answer ({type(failure).__name__})") from None
        return _read(content)

    def is_split(self) -> bool:
        """Whether it was seen not long ago to answer of two branches at once."""
        return time.monotonic() - self.split_at < SPLIT_TOLD

    def rest(self, seconds: float) -> None:
        """Leave it alone for a while."""
        self.rests_until = max(self.rests_until, time.monotonic() + min(seconds, LONGEST_REST))


def _read_failure(answer: requests.Response, body: bytes) -> Exception:
    """What an HTTP error means, which may have a JSON-RPC answer for a body."""
    pause = _read_pause(answer.headers.get("Retry-After"))
    try:
        error = read_json(body).get("error")
    except (ValueError, AttributeError):
        error = None
    status = f"HTTP status {answer.status_code}"
    if error is None:
        words = " ".join(body[:WORDS].decode(errors="replace").split())  # a page of the web has lines
        return Unanswered(f"{status} {words}".strip(), pause, is_untouched=answer.status_code == TOO_MANY)
    try:
        refusal = read_refusal(error)
    except Unanswered as busy:
        return Unanswered(f"{status}: {busy}", pause, is_untouched=True)
    return refusal if isinstance(refusal, Reverted) else Unanswered(f"{status}: {refusal.message}", pause)


def read_refusal(error: Any) -> Refused:
    """The exception for the `error` of a JSON-RPC answer. Raises Unanswered if it says that the node is busy."""
    if not isinstance(error, Mapping):
        return Refused("rpc_refused", str(error)[:WORDS])
    message, code, data = str(error.get("message", ""))[:WORDS], error.get("code"), error.get("data")
    if isinstance(data, Mapping):
        data = data.get("data")
    returned = b""
    if isinstance(data, str) and data.startswith("0x"):
        try:
            returned = bytes.fromhex(data[2:])
        except ValueError:
            returned = b""
    if isinstance(code, int) and code in BUSY_CODES:
        raise Unanswered(message or f"error {code}", is_untouched=True)
    if not returned and any(words in message.lower() for words in POOR):
        return Refused("insufficient_funds", message)
    if returned or code == 3 or "revert" in message.lower():
        return Reverted(_read_reason(returned), message, returned)
    if code == NO_SUCH_METHOD or any(words in message.lower() for words in ABSENT):
        return Unsupported("rpc_refused", message)
    return Refused("rpc_refused", message)


def _read(response: Any) -> Any:
    if not isinstance(response, Mapping):
        raise Unanswered("the answer is no JSON-RPC object")
    if response.get("error") is not None:
        raise read_refusal(response["error"])
    if "result" not in response:
        raise Unanswered("the answer has neither result nor error")
    return response["result"]


def _read_pause(text: str | None) -> float:
    """Seconds of a Retry-After header; of one that names a date, none."""
    try:
        return min(max(float(text or 0), 0.0), LONGEST_REST)
    except ValueError:
        return 0.0


def _read_reason(returned: bytes) -> str:
    """The reason string in a contract's revert data; "transaction_reverted" if it gave none."""
    try:
        if returned[:4] == ERROR_SELECTOR:
            return str(decode(["string"], returned[4:])[0])
        if returned[:4] == PANIC_SELECTOR:
            return f"panic_{int.from_bytes(returned[4:36], 'big'):#04x}"
    except Exception:
        return "transaction_reverted"
    return "transaction_reverted"
