"""What the exit codes of `setoff` mean, and which error ends with which."""

from __future__ import annotations

from typing import Final

from setoff.shared.build import BuildError
from setoff.shared.errors import ConfigError, SetoffError

DONE: Final = 0
ANSWER_IS_NO: Final = 1
WRONG_USE: Final = 2
NOT_POSSIBLE: Final = 3
PENDING: Final = 4
BUG: Final = 70
"""EX_SOFTWARE of sysexits.h."""

INTERRUPTED: Final = 130
"""128 and the number of SIGINT, as shells have it."""

MEANINGS: Final[dict[int, str]] = {
    DONE: "it was done; what was asked for holds",
    ANSWER_IS_NO: "the answer is no: exchange, machine or L1 refused, a promise was broken, ends differ, an alert",
    WRONG_USE: "nothing was done: the command line or a setting is wrong",
    NOT_POSSIBLE: "it could not be done or not be judged: L1, exchange or store does not answer as it must; try again",
    PENDING: "it was sent, and what becomes of it is not known yet: look before you send it again",
    BUG: "a fault of this program: SETOFF_TRACE=1 shows where",
    INTERRUPTED: "interrupted",
}
UNABLE: Final = frozenset({
    "bad_witness", "data_mismatch", "data_withheld", "not_ready", "overloaded", "paced", "rpc_refused",
    "rpc_unreachable",
})  # fmt: skip
"""Reasons that are no answer: another attempt may bring one."""

ELSEWHERE: Final = frozenset({"wrong_chain", "wrong_deployment"})
"""Reasons that say that settings do not fit each other."""


def find_exit_code(error: SetoffError | BuildError) -> int:
    """The exit code of a command that ended with this error."""
    if not isinstance(error, BuildError) and error.reason in UNABLE:
        return NOT_POSSIBLE
    if not isinstance(error, BuildError) and error.reason == "pending":
        return PENDING
    is_wrong = isinstance(error, ConfigError | BuildError) or error.reason in ELSEWHERE
    return WRONG_USE if is_wrong else ANSWER_IS_NO
