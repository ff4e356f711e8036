# pragma version 0.4.3
"""
@title The registers: everything in flight that is not a leaf
@license MIT
@notice 28 words, hashed in this order; machine hash = keccak(state root || registers hash). An idle machine keeps the
        values of its last input; the next fetch clears those from `kind` on. Twin: `shared/state/registers.py`.
"""


struct Registers:
    domain: bytes32         # EIP-712 domain separator, fixed at genesis
    time: uint256           # seconds: timestamp of the batch
    batch: uint256          # number of the batch
    slot: uint256           # slot of the last input fetched
    phase: uint256          # what the next step does
    outcome: uint256        # reason number of the last finished input
    steps: uint256          # real steps of this batch so far
    sequence: uint256       # orders accepted so far
    accounts: uint256       # highest account id
    markets: uint256        # highest market id
    withdrawals: uint256    # withdrawals granted so far
    kind: uint256           # type byte of the input in flight
    account: uint256        # its account (for a report: the signer's index)
    signer: address         # recovered from its signature, or the owner a message names
    nonce: uint256          # its nonce (for a report: its time)
    market: uint256
    side: uint256
    flags: uint256
    place: uint256          # order slot of the account
    price: uint256          # ticks
    size: uint256           # lots still to trade
    peer: uint256           # the other account of a transfer
    amount: uint256         # token units
    cursor: uint256         # handle of the order the next step works on
    tick: uint256           # tick of the level the next step works on
    level_side: uint256     # side of the book that level is on
    matches: uint256        # makers visited so far
    resume: uint256         # phase to go on with after a shared phase


@internal
@pure
def clear(regs: Registers) -> Registers:
    """
    @return The registers without the input in flight.
    """
    cleared: Registers = empty(Registers)
    cleared.domain = regs.domain
    cleared.time = regs.time
    cleared.batch = regs.batch
    cleared.slot = regs.slot
    cleared.phase = regs.phase
    cleared.outcome = regs.outcome
    cleared.steps = regs.steps
    cleared.sequence = regs.sequence
    cleared.accounts = regs.accounts
    cleared.markets = regs.markets
    cleared.withdrawals = regs.withdrawals
    return cleared


@internal
@pure
def hash(regs: Registers) -> bytes32:
    """
    @return keccak of the 28 words.
    """
    return keccak256(abi_encode(regs))


@internal
@pure
def machine_hash(state_root: bytes32, registers_hash: bytes32) -> bytes32:
    """
    @return keccak(state root || registers hash): the one hash that stands for a whole machine.
    """
    return keccak256(concat(state_root, registers_hash))
