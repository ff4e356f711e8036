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

from collections.abc import Mapping
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
ORDER_SLOT_OUT_OF_RANGE: Final = 13
ORDER_SLOT_TAKEN: Final = 14
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
AGENT_EXPIRED: Final = 25
SUB_ACCOUNT: Final = 26
ORDER_EXPIRED: Final = 27
NOT_REDUCING: Final = 28
UNFILLABLE: Final = 29
SELF_TRADE: Final = 30
STALE_PRICE: Final = 31
HALTED: Final = 32
MARKET_EXPIRED: Final = 33
OPEN_INTEREST_CAP: Final = 34
NOT_DUE: Final = 35
BUSY: Final = 36
WITHDRAWALS_LIMITED: Final = 37
WOULD_TRIGGER: Final = 38
WRONG_LEG_PAGE: Final = 39
WINDING_DOWN: Final = 40
PARKED: Final = 41
NONCE_TOO_FAR: Final = 42
WRONG_SESSION: Final = 43
OUT_OF_SCOPE: Final = 44
REQUEST_PENDING: Final = 45

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
    "order_slot_out_of_range",
    "order_slot_taken",
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
    "agent_expired",
    "sub_account",
    "order_expired",
    "not_reducing",
    "unfillable",
    "self_trade",
    "stale_price",
    "halted",
    "market_expired",
    "open_interest_cap",
    "not_due",
    "busy",
    "withdrawals_limited",
    "would_trigger",
    "wrong_leg_page",
    "winding_down",
    "parked",
    "nonce_too_far",
    "wrong_session",
    "out_of_scope",
    "request_pending",
)
"""Reason strings of the outcomes, by number."""

SERVICE_REASONS: Final[dict[str, str]] = {
    "malformed_json": "the body is not the JSON object this call takes",
    "missing_field": "a field of the request is missing or has the wrong type",
    "body_too_large": "the body is larger than the limit",
    "wrong_chain": "the typed data names another chain or another vault",
    "not_found": "no such account, order, batch or path",
    "not_ready": "the service is starting, stopping or has lost its store",
    "overloaded": "too many requests are waiting; try again",
    "paced": "the batches that L1 takes for now are full; records are taken again at the time named",
    "data_mismatch": "the data does not hash to what L1 commits to",
    "data_withheld": "nobody who was asked has the data of a posted batch",
    "bad_witness": "the witness does not fit its root",
    "bad_config": "a setting cannot work",
    "port_taken": "another process listens on that port",
    "rpc_unreachable": "the L1 node does not answer",
    "rpc_refused": "the L1 node refuses the request, in its own words",
    "transaction_reverted": "L1 refused the transaction",
    "pending": "it was sent and may still take effect: look before it is sent again",
    "insufficient_funds": "the account does not hold what the transaction takes",
    "receipt_broken": "a receipt of the operator's is wrong, worthless or was broken",
    "wrong_deployment": "the contracts on L1 are not the ones this configuration names",
}
"""Reasons of the API and of the Python library that the machine never records."""

CONTRACT_REASONS: Final[dict[str, str]] = {
    "witness_key": "the witness names another leaf than the step touches",
    "witness_leaves": "the witness has another number of leaves than the step touches",
    "witness_path": "a leaf's path does not lead to the running root",
    "witness_value": "a leaf's value is not of the length of its kind",
    "wrong_pre": "the state given does not hash to the machine hash before the step",
    "wrong_input": "the input given is not the one committed at this place of the batch",
    "wrong_phase": "the rule contract was asked for a phase it does not judge",
    # court: claims
    "claim_state": "the claim is not in a state that allows this call",
    "already_claimed": "this start already has a claim in this round",
    "claim_too_early": "nobody stands for this start as the end of the epoch before, or not for the claim interval",
    "epoch_not_posted": "not all batches of the epoch are posted",
    "start_contradicted": "the confirmed start of the epoch is another",
    "start_unknown": "the start of the epoch is not confirmed yet",
    "start_not_confirmed": "the claim's start is not the confirmed one, or not yet",
    "start_not_false": "the claim's start may still be, or is, the confirmed one",
    "already_advanced": "the next epoch has its confirmed start",
    "not_installed": "the claim from the confirmed start is not installed",
    "too_early": "the period that must pass before this call has not passed",
    "too_late": "the period for this call has passed",
    "wrong_end": "no standing history has that end, or it is not the claimed one",
    "ends_differ": "standing histories have several ends, or there is none",
    "one_end_stands": "the standing histories share one end",
    "zero_hash": "a machine hash is never zero",
    # court: histories and matches
    "not_disputed": "the claim's end needs no defence while nobody disputes it",
    "history_end": "the path does not prove the history's last leaf",
    "history_exists": "this history has joined already",
    "history_not_standing": "a history is not there or was eliminated",
    "history_standing": "other histories still stand",
    "history_not_held": "the history is not there or its bond was paid out",
    "same_history": "a history has no match with itself",
    "match_sealed": "the match has its two leaves: it takes a proof",
    "match_not_sealed": "the match has not reached its leaves",
    "not_on_turn": "the other history is on turn",
    "clock_run_out": "the clock of the history on turn has run out",
    "clock_runs": "the clock of the history on turn has not run out",
    "child_index": "a node has 32 children",
    "children_length": "an opening has 32 nodes, or is one leaf at the last level",
    "children_equal": "the two histories do not differ there",
    "wrong_opening": "the children and siblings do not lead to the two nodes of the match",
    # court: money
    "wrong_value": "the call takes exactly the stake, the bond, or nothing",
    "nothing_owed": "there is nothing to pay",
    "not_the_owner": "only the owner may",
    "stake_open": "the stake still has open claims",
    "stake_slashed": "the stake was slashed",
    # inbox, queue, vault, token
    "not_the_operator": "only the operator may post until the inbox is open to all, and records only it",
    "caller_has_code": "only an account without code may post, as its own transaction",
    "batch_number": "the next batch has another number",
    "epoch_too_early": "the batch begins an epoch, and the last epoch began less than the epoch interval ago",
    "batch_hash": "the inbox would make another batch than the sender expects: it has other batches or messages before",
    "batch_timestamp": "the timestamp is before the last batch's, in the future or too old",
    "batch_size": "a batch has at most 1024 inputs",
    "record_length": "a record has 124 bytes",
    "calldata_encoding": "the calldata is not the one encoding of its arguments",
    "no_such_module": "the inbox has no data availability module of that number",
    "data_commitment": "the data is not there, or not as the data availability module takes it",
    "message_left_out": "an old message was left out",
    "no_such_message": "the queue has no such message",
    "message_length": "a message has 124 bytes",
    "message_type": "the type byte is not one this call may queue",
    "not_the_vault": "only the vault may",
    "not_the_lister": "only the lister may",
    "quorum_too_small": "a price would take fewer oracle signers than this deployment asks for",
    "no_such_proposal": "there is no such proposal, or it was queued or taken back",
    "earlier_proposal": "an earlier proposal has to be queued or taken back first",
    "proposal_expired": "the week in which the proposal could be queued is over",
    "vault_short": "the vault holds less than it owes: it takes no deposits, and pays no part that is nothing",
    "deposit_cap": "the deposit is too large, or the vault would hold too much",
    "deposit_too_small": "the deposit is smaller than the least that the vault takes",
    "account_limit": "there is no account number left",
    "zero_amount": "the amount is zero",
    "zero_address": "the address is zero",
    "not_a_contract": "there is no contract at the address",
    "not_confirmed": "the end of the epoch is not confirmed",
    "wrong_machine_hash": "state root and registers do not hash to the confirmed machine hash",
    "withdrawal_leaf": "there can be no such withdrawal",
    "withdrawal_paid": "the withdrawal was paid",
    "token_transfer": "the token refused the transfer",
    "token_amount": "the token moved another amount than asked",
    "token_allowance": "the owner has not allowed so much",
    "token_balance": "the owner has not so much",
    "bad_terms": "the parameters of the deployment cannot work",
    # receipts
    "no_bond": "there is no bond",
    "exit_announced": "the exit is announced already",
    "exit_not_announced": "no exit is announced",
    "receipt_used": "the receipt has taken a bond before",
    "receipt_kept": "the posted batch keeps the receipt",
    "receipts_agree": "both receipts can be kept",
}
"""Reasons with which the contracts revert, beside the outcomes above."""


class SetoffError(Exception):
    """Base of every error raised on purpose; `reason` is one string of the shared list, `detail` is for people, and
    `numbers` are what it says in numbers, for programs."""

    def __init__(self, reason: str, detail: str = "", numbers: Mapping[str, str | int | None] | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.numbers = dict(numbers or {})


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
