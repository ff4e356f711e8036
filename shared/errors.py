"""The one list of reason codes, and the tree of errors that carry them.

A reason is protocol: the same string names it in a Python error, in a contract's revert and in an answer of the API.
Reasons that the machine records (a *reject*) also have a number, which the register ``outcome`` holds; the twin of the
numbers is ``contracts/errors.vy``.

    SetoffError
    ├── InputError       what a caller sent cannot be taken (HTTP 4xx); nothing was changed
    ├── WitnessError     a witness, proof or snapshot does not fit its root
    ├── DataError        stored or received data differs from what L1 commits to
    ├── ChainError       L1 could not be read, or refused a transaction
    ├── ConfigError      a setting, parameter or environment that cannot work
    └── StateError       a call that the present state does not allow
"""

from __future__ import annotations

from typing import Final

# Outcomes of an input, as the register ``outcome`` holds them. The order is protocol: append only.
ACCEPTED: Final = 0
MALFORMED_RECORD: Final = 1
UNKNOWN_ACCOUNT: Final = 2
UNKNOWN_MARKET: Final = 3
BAD_SIGNATURE: Final = 4
NONCE_USED: Final = 5
NONCE_TOO_OLD: Final = 6
STEP_CAP: Final = 7
INSUFFICIENT_MARGIN: Final = 8
NO_PRICE: Final = 9
PRICE_OUT_OF_RANGE: Final = 10
PRICE_BAND: Final = 11
SIZE_OUT_OF_RANGE: Final = 12
SLOT_OUT_OF_RANGE: Final = 13
SLOT_TAKEN: Final = 14
TOO_MANY_POSITIONS: Final = 15
POSITION_LIMIT: Final = 16
WOULD_CROSS: Final = 17
UNKNOWN_ORDER: Final = 18
AMOUNT_OUT_OF_RANGE: Final = 19
SAME_ACCOUNT: Final = 20
UNKNOWN_SIGNER: Final = 21
STALE_REPORT: Final = 22
FUTURE_REPORT: Final = 23
BAD_PARAMETERS: Final = 24

#: Reason strings of the outcomes, by number.
OUTCOMES: Final[tuple[str, ...]] = (
    "accepted",
    "malformed_record",
    "unknown_account",
    "unknown_market",
    "bad_signature",
    "nonce_used",
    "nonce_too_old",
    "step_cap",
    "insufficient_margin",
    "no_price",
    "price_out_of_range",
    "price_band",
    "size_out_of_range",
    "slot_out_of_range",
    "slot_taken",
    "too_many_positions",
    "position_limit",
    "would_cross",
    "unknown_order",
    "amount_out_of_range",
    "same_account",
    "unknown_signer",
    "stale_report",
    "future_report",
    "bad_parameters",
)

#: Reasons of the API and of the Python library that the machine never records.
SERVICE_REASONS: Final[dict[str, str]] = {
    "malformed_json": "the body is not the JSON object this call takes",
    "missing_field": "a field of the request is missing or has the wrong type",
    "body_too_large": "the body is larger than the limit",
    "wrong_chain": "the typed data names another chain or another vault",
    "not_found": "no such account, order, batch or path",
    "not_ready": "the service is starting, stopping or has lost its store",
    "overloaded": "too many requests are waiting; try again",
    "data_mismatch": "the data does not hash to what L1 commits to",
    "bad_witness": "the witness does not fit its root",
    "bad_config": "a setting cannot work",
    "port_taken": "another process listens on that port",
    "rpc_unreachable": "the L1 node does not answer",
    "transaction_reverted": "L1 refused the transaction",
    "wrong_deployment": "the contracts on L1 are not the ones this configuration names",
}

#: Reasons with which the contracts revert, beside the outcomes above.
CONTRACT_REASONS: Final[dict[str, str]] = {
    "witness_key": "the witness names another leaf than the step touches",
    "witness_leaves": "the witness has another number of leaves than the step touches",
    "witness_path": "a leaf's path does not lead to the running root",
    "witness_value": "a leaf's value is not of the length of its kind",
    "wrong_pre": "the state given does not hash to the machine hash before the step",
    "wrong_input": "the input given is not the one committed at this place of the batch",
    "wrong_phase": "the rule contract was asked for a phase it does not judge",
}


class SetoffError(Exception):
    """Base of every error raised on purpose; `reason` is one string of the shared list, `detail` is for people."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class InputError(SetoffError):
    """What a caller sent cannot be taken; nothing was changed."""


class WitnessError(SetoffError):
    """A witness, proof or snapshot does not fit the root it is for."""


class DataError(SetoffError):
    """Data that was stored or received differs from what L1 commits to."""


class ChainError(SetoffError):
    """L1 could not be read, or refused a transaction."""


class ConfigError(SetoffError):
    """A setting, parameter or environment that cannot work."""


class StateError(SetoffError):
    """A call that the present state does not allow."""


def is_known_reason(reason: str) -> bool:
    """Whether `reason` is on the shared list."""
    return reason in OUTCOMES or reason in SERVICE_REASONS or reason in CONTRACT_REASONS
