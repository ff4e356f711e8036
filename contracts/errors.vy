# pragma version 0.4.3
"""
@title Outcomes of an input, as the register `outcome` holds them
@license MIT
@notice The order is protocol: append only. Twin of the numbers in `shared/errors.py`; the reasons with which the
        contracts revert are strings, on the same page of Python.
"""

ACCEPTED: constant(uint256) = 0
MALFORMED_RECORD: constant(uint256) = 1
UNKNOWN_ACCOUNT: constant(uint256) = 2
UNKNOWN_MARKET: constant(uint256) = 3
BAD_SIGNATURE: constant(uint256) = 4
NONCE_USED: constant(uint256) = 5
NONCE_TOO_OLD: constant(uint256) = 6
STEP_CAP: constant(uint256) = 7
INSUFFICIENT_MARGIN: constant(uint256) = 8
NO_PRICE: constant(uint256) = 9
PRICE_OUT_OF_RANGE: constant(uint256) = 10
PRICE_BAND: constant(uint256) = 11
SIZE_OUT_OF_RANGE: constant(uint256) = 12
ORDER_SLOT_OUT_OF_RANGE: constant(uint256) = 13
ORDER_SLOT_TAKEN: constant(uint256) = 14
TOO_MANY_POSITIONS: constant(uint256) = 15
POSITION_LIMIT: constant(uint256) = 16
WOULD_CROSS: constant(uint256) = 17
UNKNOWN_ORDER: constant(uint256) = 18
AMOUNT_OUT_OF_RANGE: constant(uint256) = 19
SAME_ACCOUNT: constant(uint256) = 20
UNKNOWN_SIGNER: constant(uint256) = 21
STALE_REPORT: constant(uint256) = 22
FUTURE_REPORT: constant(uint256) = 23
BAD_PARAMETERS: constant(uint256) = 24
AGENT_EXPIRED: constant(uint256) = 25
SUB_ACCOUNT: constant(uint256) = 26
ORDER_EXPIRED: constant(uint256) = 27
NOT_REDUCING: constant(uint256) = 28
UNFILLABLE: constant(uint256) = 29
SELF_TRADE: constant(uint256) = 30
STALE_PRICE: constant(uint256) = 31
HALTED: constant(uint256) = 32
MARKET_EXPIRED: constant(uint256) = 33
OPEN_INTEREST_CAP: constant(uint256) = 34
NOT_DUE: constant(uint256) = 35
BUSY: constant(uint256) = 36
WITHDRAWALS_LIMITED: constant(uint256) = 37
WOULD_TRIGGER: constant(uint256) = 38
WRONG_LEG_PAGE: constant(uint256) = 39
WINDING_DOWN: constant(uint256) = 40
PARKED: constant(uint256) = 41
NONCE_TOO_FAR: constant(uint256) = 42
WRONG_SESSION: constant(uint256) = 43
OUT_OF_SCOPE: constant(uint256) = 44
REQUEST_PENDING: constant(uint256) = 45
