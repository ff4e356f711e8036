"""How a server of ours answers what it refuses: {"reason": …, "detail": …} with a reason of the shared list.

4xx: nothing was changed. 503: try again; what is "pending" with the same bytes alone, for it may have been taken.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web
from redis.exceptions import RedisError

from setoff.shared.errors import SERVICE_REASONS, InputError, SetoffError, StateError

STATUSES: Final[dict[str, int]] = {
    "malformed_json": 400,
    "missing_field": 400,
    "body_too_large": 413,
    "wrong_chain": 400,
    "not_found": 404,
    "not_ready": 503,
    "overloaded": 503,
    "paced": 503,
    "pending": 503,
}
"""HTTP status of a reason."""
REFUSED: Final = 422
"""That of every other: what the machine refuses, what is not signed."""
RETRY_SECONDS: Final = 1

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger(__name__)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into a reason and a status."""
    try:
        return await handler(request)
    except SetoffError as error:
        return answer(error)
    except web.HTTPRequestEntityTooLarge:
        return answer(InputError("body_too_large", f"a body has at most {request.client_max_size} bytes"))
    except web.HTTPException as other:
        if other.status == 405:
            refusal = answer(InputError("not_found", f"{request.path[:80]} does not take {request.method[:20]}"), 405)
            refusal.headers["Allow"] = other.headers.get("Allow", "")
            return refusal
        if 400 <= other.status < 500:
            return answer(InputError("not_found", f"there is nothing at {request.path[:80]}"), other.status)
        raise
    except RedisError as error:
        log.error("the store does not answer: %s", error)
        return answer(StateError("not_ready", "the store does not answer"))
    except (ConnectionError, asyncio.CancelledError):
        raise
    except Exception:
        log.exception("a request failed: %s %s", request.method, request.path)
        return answer(StateError("not_ready", "the request failed inside"), 500)


def answer(error: SetoffError, status: int | None = None) -> web.Response:
    """The response that tells of a refusal."""
    status = STATUSES.get(error.reason, REFUSED) if status is None else status
    again = error.numbers.get("retry_after") or RETRY_SECONDS
    headers = {"Retry-After": str(again)} if status == 503 else None
    return web.json_response(show_error(error), status=status, headers=headers)


def show_error(error: SetoffError) -> dict[str, Any]:
    """Its JSON."""
    detail = error.detail or SERVICE_REASONS.get(error.reason, "")
    shown: dict[str, Any] = {"reason": error.reason, "detail": detail or "the machine refuses the record"}
    return shown | {"numbers": error.numbers} if error.numbers else shown
