# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Judge
@license MIT
@notice The one step function on L1: what one micro-step of the machine leads to, from the state before it and a witness
        of the leaves it touches. It holds nothing and decides nothing: whatever does not fit reverts. Twin of the
        dispatch in `shared/rules/step.py` and of `Machine.step`.
@dev The rules themselves are in contracts of their own, fixed at deployment, so that each stays small. Any failure in
     one of them reverts here too: no failed call is ever read as a verdict.
"""

from codec import eip712
from codec import records
from court import batches
from rules import phases
from state import leaves
from state import registers
from state import witness


interface Inbox:
    def batch_hash(number: uint256) -> bytes32: view
    def check_record(
        header: batches.Header, input_index: uint256, record_page: Bytes[992], siblings: DynArray[bytes32, 7]
    ) -> Bytes[records.RECORD_BYTES]: view


interface Queue:
    def queue_hash(index: uint256) -> bytes32: view


interface Fetch:
    def take(
        regs: registers.Registers,
        body: Bytes[records.RECORD_BYTES],
        is_message: bool,
        keys: DynArray[uint256, phases.MAX_LEAVES],
        values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES],
    ) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]): pure


interface Rules:
    def apply(
        regs: registers.Registers,
        keys: DynArray[uint256, phases.MAX_LEAVES],
        values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES],
    ) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]): pure


struct Input:
    header: batches.Header                 # the batch's, where the step is the first of an input
    message: Bytes[records.MESSAGE_BYTES]  # a message with its time, and
    record_page: Bytes[992]                # or the page that a record is on, and
    siblings: DynArray[bytes32, 7]         # its path under the data root
    queue_hash: bytes32                    # (of a message) before it


struct Proof:
    state_root: bytes32
    regs: registers.Registers
    input: Input
    leaves: DynArray[witness.Leaf, phases.MAX_LEAVES]


INBOX: public(immutable(Inbox))
QUEUE: public(immutable(Queue))
FETCH: public(immutable(Fetch))
MESSAGES: public(immutable(Fetch))
ORDERS: public(immutable(Rules))
MARGIN: public(immutable(Rules))
MATCHING: public(immutable(Rules))
BOOK: public(immutable(Rules))
PAYMENTS: public(immutable(Rules))
ORACLE: public(immutable(Rules))
LIQUIDATION: public(immutable(Rules))
BACKSTOP: public(immutable(Rules))
WORK: public(immutable(Rules))
AUCTION: public(immutable(Rules))

PROOF_BYTES: constant(uint256) = 32768
MICRO_BITS: constant(uint256) = 20
INPUT_BITS: constant(uint256) = 10


@deploy
def __init__(
    inbox: address,
    queue: address,
    fetch: address,
    messages: address,
    orders: address,
    margin: address,
    matching: address,
    book: address,
    payments: address,
    oracle: address,
    liquidation: address,
    backstop: address,
    work: address,
    auction: address,
):
    """
    @param inbox Where batches are posted; `queue` where their messages come from; the rest are the rules.
    """
    INBOX = Inbox(inbox)
    QUEUE = Queue(queue)
    FETCH = Fetch(fetch)
    MESSAGES = Fetch(messages)
    ORDERS = Rules(orders)
    MARGIN = Rules(margin)
    MATCHING = Rules(matching)
    BOOK = Rules(book)
    PAYMENTS = Rules(payments)
    ORACLE = Rules(oracle)
    LIQUIDATION = Rules(liquidation)
    BACKSTOP = Rules(backstop)
    WORK = Rules(work)
    AUCTION = Rules(auction)


@external
@view
def version() -> String[1]:
    """
    @return The version of the rules that it judges by: that of the EIP-712 domain, which the machine's genesis holds.
    """
    return eip712.VERSION


@external
@view
def step(
    first_batch: uint256, batch_count: uint256, trace_position: uint256, pre: bytes32, proof: Bytes[PROOF_BYTES]
) -> bytes32:
    """
    @notice The machine hash after one micro-step.
    @param first_batch Number of the epoch's first batch; `batch_count` how many batches the epoch has.
    @param trace_position In the epoch's trace: batch << 30 | input index << 20 | micro-step.
    @param pre The machine hash before the step.
    @param proof ABI encoding of (state root, registers, input, witness).
    """
    p: Proof = self._decode(proof)
    assert registers.machine_hash(p.state_root, registers.hash(p.regs)) == pre, "wrong_pre"
    regs: registers.Registers = empty(registers.Registers)
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = []
    regs, values = self._run(first_batch, batch_count, trace_position, p)
    return registers.machine_hash(witness.apply_witness(p.state_root, p.leaves, values), registers.hash(regs))


@external
@view
def execute(
    first_batch: uint256, batch_count: uint256, trace_position: uint256, proof: Bytes[PROOF_BYTES]
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES], bytes32):
    """
    @notice As `step`, in full: the registers, the witness's new values and the state root after one micro-step.
    """
    p: Proof = self._decode(proof)
    regs: registers.Registers = empty(registers.Registers)
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = []
    regs, values = self._run(first_batch, batch_count, trace_position, p)
    return regs, values, witness.apply_witness(p.state_root, p.leaves, values)


@internal
@pure
def _decode(proof: Bytes[PROOF_BYTES]) -> Proof:
    p: Proof = empty(Proof)
    p.state_root, p.regs, p.input, p.leaves = abi_decode(
        proof, (bytes32, registers.Registers, Input, DynArray[witness.Leaf, phases.MAX_LEAVES])
    )
    return p


@internal
@view
def _run(
    first_batch: uint256, batch_count: uint256, trace_position: uint256, p: Proof
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @return The registers after the step at `trace_position`, and the new values of the witness's leaves, none of them
            checked against the state root yet.
    """
    keys: DynArray[uint256, phases.MAX_LEAVES] = []
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = []
    for leaf: witness.Leaf in p.leaves:
        keys.append(leaf.key)
        values.append(leaf.value)
    batch: uint256 = trace_position >> (INPUT_BITS + MICRO_BITS)
    input_index: uint256 = trace_position >> MICRO_BITS & (2**INPUT_BITS - 1)
    is_first: bool = trace_position & (2**MICRO_BITS - 1) == 0

    if batch < batch_count and is_first:
        return self._fetch(first_batch + batch, input_index, p, keys, values)
    if batch < batch_count and p.regs.phase != phases.IDLE:
        return self._apply_step(p.regs, keys, values)
    assert len(keys) == 0, "witness_leaves"
    return p.regs, values


@internal
@view
def _fetch(
    number: uint256,
    input_index: uint256,
    p: Proof,
    keys: DynArray[uint256, phases.MAX_LEAVES],
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES],
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice The first step of an input: the one at index 0 begins the batch, a used one is fetched (`step_fetch` in
            `shared/rules/fetch.py`).
    """
    header: batches.Header = p.input.header
    assert batches._hash_header(header) == staticcall INBOX.batch_hash(number), "wrong_input"
    regs: registers.Registers = p.regs
    if input_index == 0:
        regs = self._begin_batch(regs, header.number, header.timestamp)
    if input_index >= header.message_count + header.record_count:
        assert len(keys) == 0, "witness_leaves"
        return regs, values
    is_message: bool = input_index < header.message_count
    body: Bytes[records.RECORD_BYTES] = b""
    regs.stamp = 0
    if is_message:
        assert len(p.input.message) == records.MESSAGE_BYTES, "wrong_input"
        queue_hash: bytes32 = keccak256(concat(p.input.queue_hash, keccak256(p.input.message)))
        assert queue_hash == staticcall QUEUE.queue_hash(header.first_message + input_index + 1), "wrong_input"
        body, regs.stamp = records.split_message(p.input.message)
    else:
        body = staticcall INBOX.check_record(header, input_index, p.input.record_page, p.input.siblings)
    regs.input_index = input_index
    regs.started = regs.steps
    regs.steps += 1
    kind: uint256 = convert(slice(body, 0, 1), uint256)
    if kind >= records.FIRST_MESSAGE and kind != records.FORCED:
        return staticcall MESSAGES.take(regs, body, is_message, keys, values)
    return staticcall FETCH.take(regs, body, is_message, keys, values)


@internal
@pure
def _begin_batch(pre: registers.Registers, number: uint256, timestamp: uint256) -> registers.Registers:
    """
    @return The registers of a new batch.
    """
    regs: registers.Registers = pre
    regs.batch = number
    if timestamp > regs.time + phases.LONG_GAP:
        regs.last_gap_end = timestamp
    regs.time = timestamp
    regs.steps = 0
    return regs


@internal
@view
def _apply_step(
    pre: registers.Registers,
    keys: DynArray[uint256, phases.MAX_LEAVES],
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES],
) -> (registers.Registers, DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]):
    """
    @notice Run the phase the machine is in.
    """
    regs: registers.Registers = pre
    regs.steps += 1
    return staticcall self._rules_of(regs.phase).apply(regs, keys, values)


@internal
@view
def _rules_of(phase: uint256) -> Rules:
    """
    @return The contract that judges a phase.
    """
    if phase in [phases.ADMIT, phases.AMEND, phases.CLEAR, phases.DROP]:
        return ORDERS
    if phase in [phases.MARGIN, phases.PROBE, phases.DEPTH]:
        return MARGIN
    if phase in [phases.MATCH, phases.FILL, phases.PAIR, phases.CROSS]:
        return MATCHING
    if phase in [
        phases.UNLINK,
        phases.UNLIST,
        phases.SEEK,
        phases.REST,
        phases.LIST,
        phases.NEXT,
        phases.DESCEND,
        phases.APPROACH,
    ]:
        return BOOK
    if phase in [phases.TRANSFER, phases.WITHDRAW, phases.REQUEST, phases.SHARES, phases.CREDIT]:
        return PAYMENTS
    if phase in [phases.REPORT, phases.CRANK, phases.SAMPLE]:
        return ORACLE
    if phase in [phases.SWEEP, phases.LIQUIDATED, phases.RANK, phases.DELEVERAGE]:
        return LIQUIDATION
    if phase in [phases.TAKEOVER, phases.UNWIND]:
        return BACKSTOP
    if phase in [
        phases.WORK,
        phases.GATHER,
        phases.STRIKE,
        phases.ENROL,
        phases.TRIGGER,
        phases.FIRE,
        phases.LEG,
    ]:
        return WORK
    if phase in [phases.TALLY, phases.VOUCH]:
        return AUCTION
    raise "wrong_phase"
