# pragma version 0.4.3
"""
@title The registers: everything in flight that is not a leaf
@license MIT
@notice 95 words, hashed in this order; machine hash = keccak(state root || registers hash). An idle machine keeps the values
        of its last input (they are part of the hash); the next fetch clears those from `kind` on.
        Twin: `shared/state/registers.py`.
"""


struct Registers:
    domain: bytes32          # EIP-712 domain separator, fixed at genesis
    # Seconds from a request for shares of the backstop, or for its money, to its price, fixed at genesis.
    backstop_delay: uint256
    time: uint256            # seconds: timestamp of the batch
    batch: uint256           # number of the batch
    input_index: uint256     # of the last input fetched, in its batch
    phase: uint256           # what the next step does
    outcome: uint256         # reason number of the last finished input
    steps: uint256           # real steps of this batch so far
    sequence: uint256        # orders accepted so far
    accounts: uint256        # highest account id
    markets: uint256         # highest market id
    withdrawals: uint256     # withdrawals granted so far
    owed: uint256            # token units: deposits less withdrawals, all that the vault owes
    limited_since: uint256   # seconds: when the last limit on withdrawals began
    draw_hour: uint256       # hour (seconds // 3600) of the draws below
    drawn: uint256           # token units drawn in that hour
    winding_since: uint256   # seconds: when the wind-down began, 0 while there is none
    last_gap_end: uint256    # seconds: when batches last came again after LONG_GAP without one
    stamp: uint256           # seconds: when the queue took the last input fetched; 0 if it is from no queue
    started: uint256         # `steps` when that input was fetched
    has_work: uint256        # 1 while the machine has work left for the next input, which goes on in `next_phase`
    parked_first: uint256    # the first parked record, the next to be taken
    parked_end: uint256      # the number the next one to be parked gets
    sweeping: uint256        # 1 while holders are left to visit after a change of price
    sweep_end: uint256       # account behind the word of holders that was read last
    sweep_word: uint256      # those of that word who are left to visit, the next of them the lowest bit
    skip_account: uint256    # 1 if nothing can be done for the account under the sweep: it is passed over
    trigger_market: uint256  # market whose price has changed: its holders and armed orders are looked at, 0 for none
    mark_before: uint256     # ticks: its mark before that change
    sweep_time: uint256      # seconds: when the change came, by which prices are fresh for the whole sweep
    unwind: uint256          # market in which the backstop offers its position, 0 for none
    settling: uint256        # 1 while requests of the backstop that may be due are left to settle
    first_request: uint256   # the account that asked first of those whose requests wait, 0 for none
    last_request: uint256    # the one that asked last
    deleveraging: uint256    # 1 while lots in flight are to be closed against the other side
    ranking: uint256         # 1 while holders are left to rank for that
    rank_end: uint256        # account behind the word of holders that was read last
    rank_word: uint256       # those of that word who are left to rank, the next of them the lowest bit
    rank_market: uint256     # market of those ranked, 0 for none in this sweep
    rank_side: uint256       # side on which those are closed who are closed against them
    ranked0: uint256         # the first of the ranking, by score << 24 | 2**24 - 1 - account, 0 for nobody
    ranked1: uint256         # and so on
    ranked2: uint256
    ranked3: uint256
    ranked4: uint256
    ranked5: uint256
    ranked6: uint256
    ranked7: uint256
    bulk: bytes32            # hash of the leg page that must come next, zero for none
    bulk_account: uint256    # account of that bulk record
    bulk_pages: uint256      # leg pages it may still have
    bulk_scope: uint256      # `scope` of the agent who signed it
    bulk_until: uint256      # seconds: from when on that agent has expired, 0 if the owner signed it
    legs0: uint256           # legs still to run, two of 11 bytes a word
    legs1: uint256
    legs2: uint256
    legs3: uint256
    kind: uint256            # type byte of the input in flight
    account: uint256         # its account (for a report: the signer's index)
    signer: address          # address recovered from its signature, or the owner a message names
    agent: uint256           # which of the account's agents signed it, 0 its owner
    scope: uint256           # what that agent may trade: its limits (16 bits), sub-accounts (16), markets (64), 0 for everything
    nonce: uint256           # its nonce (for a report: its time)
    market: uint256
    side: uint256
    flags: uint256
    order_slot: uint256      # order slot of the account
    price: uint256           # ticks; of a crank the impact price of the asks, 0 for none
    size: uint256            # lots still to trade; of a crank those a side has to offer
    expiry: uint256          # seconds, 0 for never
    trigger: uint256         # ticks, 0 for none; of a crank the impact price of the bids, 0 for none
    client: uint256          # the trader's own id of the order
    # The other account of a transfer; handle of the order that a crank looks at, or that leaves an auction, next.
    peer: uint256
    amount: uint256          # token units; of a crank lots times ticks counted on a side
    cursor: uint256          # handle of the order the next step works on
    lots: uint256            # lots of the next fill
    shares: uint256          # of the backstop, that a request came to
    enrol: uint256           # 1 + the account to be entered among the market's holders next, 0 for none
    enrol_next: uint256      # 1 + the one after it
    enrol_phase: uint256     # phase to go on with once they are
    level_market: uint256    # market of the level the next step works on
    tick: uint256            # tick of the level the next step works on
    level_side: uint256      # side of the book that level is on
    # Makers that a fill-or-kill order has counted; of an auction orders that vouched.
    matches: uint256
    scanning: uint256        # 1 while a fill-or-kill order only counts what it could trade
    fok_lots: uint256        # lots it could trade; of a crank those counted on a side
    bid: uint256             # of an auction, handle of the bid it looks at, or looks at next
    bid_tick: uint256        # tick of its level, 0 if there is none
    ask: uint256             # handle of the ask
    ask_tick: uint256        # tick of its level, above all ticks if there is none
    surplus: uint256         # lots counted on the other side than the one looked at, that have met none yet
    clearing: uint256        # ticks: the lowest price at which as many lots trade; then the price at which they do
    ceiling: uint256         # ticks: the highest such price, 0 once the clearing price is set
    next_phase: uint256      # phase to go on with after a shared phase, or with the next input
    return_phase: uint256    # phase to return to when the work in flight is done


@internal
@pure
def clear(regs: Registers) -> Registers:
    """
    @return The registers without the input in flight.
    """
    cleared: Registers = regs
    cleared.kind = 0
    cleared.account = 0
    cleared.signer = empty(address)
    cleared.agent = 0
    cleared.scope = 0
    cleared.nonce = 0
    cleared.market = 0
    cleared.side = 0
    cleared.flags = 0
    cleared.order_slot = 0
    cleared.price = 0
    cleared.size = 0
    cleared.expiry = 0
    cleared.trigger = 0
    cleared.client = 0
    cleared.peer = 0
    cleared.amount = 0
    cleared.cursor = 0
    cleared.lots = 0
    cleared.shares = 0
    cleared.enrol = 0
    cleared.enrol_next = 0
    cleared.enrol_phase = 0
    cleared.level_market = 0
    cleared.tick = 0
    cleared.level_side = 0
    cleared.matches = 0
    cleared.scanning = 0
    cleared.fok_lots = 0
    cleared.bid = 0
    cleared.bid_tick = 0
    cleared.ask = 0
    cleared.ask_tick = 0
    cleared.surplus = 0
    cleared.clearing = 0
    cleared.ceiling = 0
    cleared.next_phase = 0
    cleared.return_phase = 0
    return cleared


@internal
@pure
def get_stamp(regs: Registers) -> uint256:
    """
    @return Seconds: when the queue took the input in flight; the batch's time if it comes from no queue.
    """
    return regs.stamp if regs.stamp != 0 else regs.time


@internal
@pure
def finish(regs: Registers) -> Registers:
    """
    @return The registers when the work in flight is done.
    """
    finished: Registers = regs
    finished.phase = regs.return_phase
    return finished


@internal
@pure
def reject(regs: Registers, outcome: uint256) -> Registers:
    """
    @return The registers when the work in flight cannot be done. Only an input of its own has an outcome; the machine's own
            work has none.
    """
    rejected: Registers = regs
    if regs.return_phase == 0:
        rejected.outcome = outcome
    rejected.phase = regs.return_phase
    return rejected


@internal
@pure
def hash(regs: Registers) -> bytes32:
    """
    @return keccak of the 95 words.
    """
    return keccak256(abi_encode(regs))


@internal
@pure
def machine_hash(state_root: bytes32, registers_hash: bytes32) -> bytes32:
    """
    @return keccak(state root || registers hash): the one hash that stands for a whole machine.
    """
    return keccak256(concat(state_root, registers_hash))
