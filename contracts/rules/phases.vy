# pragma version 0.4.3
"""
@title Phases of the machine and the bounds that keep every record short
@license MIT
@notice What follows what is drawn in the twin: `shared/rules/phases.py`.
"""

IDLE: constant(uint256) = 0
ADMIT: constant(uint256) = 1
MARGIN: constant(uint256) = 2
MATCH: constant(uint256) = 3
PROBE: constant(uint256) = 4
FILL: constant(uint256) = 5
UNLINK: constant(uint256) = 6
UNLIST: constant(uint256) = 7
SEEK: constant(uint256) = 8
REST: constant(uint256) = 9
LIST: constant(uint256) = 10
DROP: constant(uint256) = 11
TRANSFER: constant(uint256) = 12
WITHDRAW: constant(uint256) = 13
REPORT: constant(uint256) = 14

# Makers one order may visit; what is left then is given up.
MAX_MATCHES: constant(uint256) = 4096
# Real steps one record can take: six a maker visited (match, probe, fill, unlink, unlist, seek), and the fixed ones.
RECORD_STEP_BOUND: constant(uint256) = 6 * MAX_MATCHES + 16
# Real steps of a batch after which its records are refused (messages never are).
BATCH_STEP_CAP: constant(uint256) = 2**22
# Leaves the widest step touches (probe: order, account and eight markets).
MAX_LEAVES: constant(uint256) = 10

MAX_ORDER_SIZE: constant(uint256) = 2**40
MAX_POSITION: constant(uint256) = 2**42
MAX_AMOUNT: constant(uint256) = 2**96
MAX_UNIT: constant(uint256) = 2**32
MAX_FEE: constant(uint256) = 100_000
