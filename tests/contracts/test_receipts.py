"""The receipt bond: what takes it, what never does, and where the money goes."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.support.courts.arena import SINK, next_posting
from tests.support.evm import CHAIN_ID, ETHER, Chain, Contract, address, reverts
from tests.support.own_contracts import GREEDY

from setoff.shared.codec import eip712, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.receipts import Receipt, digest, digest_root, extend, hash_receipt, hash_sorted, recover
from setoff.shared.machine.batch import Header
from setoff.shared.machine.data import prove_record
from setoff.shared.wire.receipts import SignedReceipt, sign_group

KEY = keccak(b"the operator's key")
OTHER_KEY = keccak(b"another key")
OPERATOR = address(int.from_bytes(signatures.address_of(KEY), "big"))
VAULT = address("vault")
LISTER = address("lister")
PROSECUTOR = address("prosecutor")
PASSER_BY = address("passer-by")
BOND = 2 * ETHER + 1
EXIT_DELAY = 1000
HORIZON = 300

Signed = tuple[Receipt, bytes]


def bodies(count: int, seed: int = 0) -> list[bytes]:
    return [keccak(f"{seed} {number}".encode()).ljust(124, b"\7") for number in range(count)]


@dataclass
class Bench:
    """An inbox with a bonded operator, and every record that was posted."""

    chain: Chain
    queue: Contract
    inbox: Contract
    receipts: Contract
    domain: bytes
    records: list[bytes] = field(default_factory=list)
    batches: list[tuple[Header, list[bytes]]] = field(default_factory=list)

    def post(self, records: list[bytes], messages: int = 0) -> None:
        self.inbox.post(*next_posting(self.inbox, self.queue, b"".join(records), messages), sender=OPERATOR)
        (event,) = self.chain.last.named("BatchPosted")
        header = Header(*(event[name] for name in Header.__dataclass_fields__))
        self.records += records
        self.batches.append((header, records))

    def sign(self, receipt: Receipt, key: bytes = KEY) -> Signed:
        return receipt, signatures.sign(digest(self.domain, receipt), key)

    def receipt(
        self, sequence: int, record: bytes, deadline: int | None = None, running: bytes | None = None
    ) -> Signed:
        """A receipt whose running hash is that of the posted records before it, and the record, unless given."""
        if running is None:
            running = bytes(32)
            for body in [*self.records[:sequence], record]:
                running = extend(running, keccak(body))
        deadline = self.chain.now + HORIZON if deadline is None else deadline
        return self.sign(Receipt(sequence, keccak(record), running, deadline))

    def contradict(self, signed: Signed, batch: int, index: int, sender: str = PROSECUTOR, **changes: Any) -> None:
        header, records = self.batches[batch]
        record_page, siblings = prove_record(b"".join(records), index)
        self.receipts.prosecute_contradiction(
            *signed, as_tuple(header, **changes), record_page, siblings, sender=sender
        )

    def omit(self, signed: Signed, batch: int, sender: str = PROSECUTOR, **changes: Any) -> None:
        self.receipts.prosecute_omission(*signed, as_tuple(self.batches[batch][0], **changes), sender=sender)

    def conflict(self, first: Signed, second: Signed, sender: str = PROSECUTOR) -> None:
        self.receipts.prosecute_conflict(*first, *second, sender=sender)

    @property
    def bond(self) -> int:
        return int(self.receipts.bond())


def as_tuple(header: Header, **changes: Any) -> tuple[Any, ...]:
    return tuple(changes.get(name, getattr(header, name)) for name in Header.__dataclass_fields__)


@pytest.fixture
def bench() -> Bench:
    chain = Chain()
    queue = chain.deploy("queue", VAULT, chain.predict(1), LISTER, 10, 0, 1)
    inbox = chain.deploy("inbox", queue.address, OPERATOR, 100, 50, 10_000, 1, 0, [])
    receipts = chain.deploy("receipts", VAULT, inbox.address, BOND, EXIT_DELAY)
    chain.fund(OPERATOR, 100 * ETHER)
    receipts.deposit_bond(sender=OPERATOR, value=BOND)
    domain = eip712.domain_separator(CHAIN_ID, bytes.fromhex(VAULT[2:]))
    return Bench(chain, queue, inbox, receipts, domain)


def test_the_domain_is_the_records_own(bench: Bench) -> None:
    assert bench.receipts.DOMAIN() == bench.domain
    assert bench.receipts.OPERATOR() == OPERATOR
    assert bench.receipts.is_bonded()


# --- what takes the bond ---------------------------------------------------------------------------------------------


def test_another_record_in_the_receipts_place_takes_the_bond_before_the_deadline(bench: Bench) -> None:
    mine, others = bodies(1, 9)[0], bodies(12)
    signed = bench.receipt(9, mine)
    bench.post(others)
    bench.contradict(signed, 0, 9)
    assert bench.bond == 0 and not bench.receipts.is_bonded()
    (event,) = bench.chain.last.named("Slashed")
    assert (event["prosecutor"], event["sequence"]) == (PROSECUTOR, 9)
    assert event["receipt"] == digest(bench.domain, signed[0])


def test_the_place_is_counted_over_all_batches_and_past_the_messages(bench: Bench) -> None:
    queue = Contract(bench.chain, bench.inbox.QUEUE(), [])
    first, second, mine = bodies(5, 1), bodies(9, 2), bodies(1, 3)[0]
    signed = bench.receipt(5 + 8, mine)
    bench.post(first)
    force = keccak(b"force(bytes)")[:4] + (32).to_bytes(32, "big") + (124).to_bytes(32, "big")
    bench.chain.call(queue.address, force + b"\1" * 124 + bytes(4), sender=PASSER_BY)
    bench.post(second, messages=1)
    bench.contradict(signed, 1, 8)
    assert bench.bond == 0


def test_two_receipts_for_one_number_take_the_bond(bench: Bench) -> None:
    one, two = bodies(2)
    bench.conflict(bench.receipt(7, one), bench.receipt(7, two))
    assert bench.bond == 0


def test_two_histories_before_one_record_take_the_bond(bench: Bench) -> None:
    one = bodies(1)[0]
    bench.conflict(bench.receipt(7, one, running=keccak(b"a")), bench.receipt(7, one, running=keccak(b"b")))
    assert bench.bond == 0


def test_a_running_hash_that_does_not_continue_the_one_before_takes_the_bond(bench: Bench) -> None:
    one, two = bodies(2)
    bench.conflict(bench.receipt(7, one, running=keccak(b"a")), bench.receipt(8, two, running=keccak(b"b")))
    assert bench.bond == 0


def test_a_batch_after_the_deadline_that_does_not_reach_the_record_takes_the_bond(bench: Bench) -> None:
    signed = bench.receipt(3, bodies(1, 9)[0], deadline=bench.chain.now + HORIZON)
    bench.chain.warp(HORIZON + 1)
    bench.post(bodies(3))  # numbers 0, 1 and 2
    bench.omit(signed, 0)
    assert bench.bond == 0


def test_an_empty_batch_of_a_stranger_shows_a_silent_operators_omission(bench: Bench) -> None:
    signed = bench.receipt(0, bodies(1)[0])
    bench.chain.warp(10_000)
    bench.inbox.post(*next_posting(bench.inbox, bench.queue), sender=PASSER_BY)
    (event,) = bench.chain.last.named("BatchPosted")
    header = tuple(event[name] for name in Header.__dataclass_fields__)
    bench.receipts.prosecute_omission(*signed, header, sender=PROSECUTOR)
    assert bench.bond == 0


# --- receipts of a group ---------------------------------------------------------------------------------------------


def sign_numbers(bench: Bench, count: int, deadline: int | None = None) -> list[SignedReceipt]:
    """Receipts for the numbers from 0 on, none of which is posted like that, under one signature."""
    running, group = bytes(32), []
    for number, body in enumerate(bodies(count, 77)):
        running = extend(running, keccak(body))
        group.append(
            Receipt(number, keccak(body), running, bench.chain.now + HORIZON if deadline is None else deadline)
        )
    return sign_group(bench.domain, group, KEY)


@pytest.mark.parametrize("count", [2, 3, 5, 64, 2**10])
def test_every_receipt_of_a_group_takes_the_bond_as_one_by_itself(bench: Bench, count: int) -> None:
    group = sign_numbers(bench, count, deadline=bench.chain.now)
    bench.post(bodies(count)[:9])
    bench.chain.warp(1)
    bench.post([])
    for number in {0, 1, count // 2, count - 1}:
        bench.chain.fund(OPERATOR, 100 * ETHER)
        if number < 9:
            bench.contradict(group[number], 0, number)
        else:
            bench.omit(group[number], 1)
        (event,) = bench.chain.last.named("Slashed")
        assert event["receipt"] == digest(bench.domain, group[number].receipt)
        bench.receipts.deposit_bond(sender=OPERATOR, value=BOND)
    other = bench.receipt(count - 1, bodies(1)[0])
    if count - 1 >= 9:  # the receipt has taken a bond, in whichever group it is shown
        with reverts("receipt_used"):
            bench.conflict(bench.sign(group[-1].receipt), other)


def test_receipts_of_one_group_may_contradict_each_other(bench: Bench) -> None:
    first = Receipt(7, keccak(b"a"), keccak(b"a before"), 1)
    one, two = sign_group(bench.domain, [first, first._replace(record=keccak(b"b"))], KEY)
    bench.conflict(one, two)
    assert bench.bond == 0


@pytest.mark.parametrize(
    "flaw", ["a sibling is wrong", "one is left out", "one too many", "half a hash", "in another order", "too long"]
)
def test_a_way_that_does_not_lead_to_the_root_is_no_signature(bench: Bench, flaw: str) -> None:
    receipt, signature = sign_numbers(bench, 7)[2]
    path = [signature[at : at + 32] for at in range(64, len(signature), 32)]
    changed = {
        "a sibling is wrong": [path[0], keccak(path[1]), *path[2:]],
        "one is left out": path[1:],
        "one too many": [*path, path[0]],
        "half a hash": [*path, path[0][:16]],
        "in another order": [path[1], path[0], *path[2:]],
        "too long": [*path, *[bytes(32)] * 8],
    }[flaw]
    assert recover(bench.domain, receipt, signature) == signatures.address_of(KEY)
    wrong = signature[:64] + b"".join(changed)
    assert recover(bench.domain, receipt, wrong) != signatures.address_of(KEY)
    bench.post(bodies(7))
    with reverts("bad_signature" if flaw != "too long" else ""):
        bench.contradict((receipt, wrong), 0, 2)
    assert bench.bond == BOND


def test_a_node_is_no_receipt(bench: Bench) -> None:
    """What hashes to a node of a group's tree is two hashes and never the five words of a receipt."""
    receipt, signature = sign_numbers(bench, 2)[0]
    root = hash_sorted(hash_receipt(receipt), signature[64:])
    assert signatures.recover(digest_root(bench.domain, root), signature[:64]) == signatures.address_of(KEY)
    assert recover(bench.domain, receipt, signature[:64]) != signatures.address_of(KEY)


@pytest.mark.parametrize(("count", "most"), [(64, 10_000), (2**10, 16_000)])
def test_a_group_adds_little_gas(bench: Bench, count: int, most: int) -> None:
    """To a prosecution without the hashes of a group, whose calldata counts, too."""
    bench.post(bodies(3))
    deadline = bench.chain.now + HORIZON
    used: list[int] = []
    alone = bench.receipt(0, bodies(1, 77)[0])
    for signed in (bench.receipt(0, bodies(1, 7)[0]), alone, sign_numbers(bench, count, deadline + 1)[0]):
        bench.chain.cool()
        bench.contradict(signed, 0, 0)
        used.append(bench.chain.last.gas_used)
        bench.receipts.deposit_bond(sender=OPERATOR, value=BOND)
    assert 0 < used[2] - used[1] < most, used  # the first one makes the places for the money that is owed


# --- what never does -------------------------------------------------------------------------------------------------


def test_kept_receipts_take_nothing(bench: Bench) -> None:
    records = bodies(20)
    signed = []
    running = bytes(32)
    for number, body in enumerate(records):
        running = extend(running, keccak(body))
        signed.append(bench.sign(Receipt(number, keccak(body), running, bench.chain.now + HORIZON)))
    bench.post(records[:11])
    bench.post(records[11:])
    bench.chain.warp(HORIZON + 1)
    bench.post([])
    for number, receipt in enumerate(signed):
        with reverts("receipt_kept"):
            bench.contradict(receipt, number >= 11, number - 11 * (number >= 11))
        for batch in (1, 2):
            with reverts("receipt_kept" if batch == 2 else "too_early"):
                bench.omit(receipt, batch)
        with reverts("receipts_agree"):
            bench.conflict(receipt, receipt)
        if number:
            with reverts("receipts_agree"):
                bench.conflict(signed[number - 1], receipt)
            with reverts("receipts_agree"):
                bench.conflict(receipt, signed[number - 1])
    with reverts("receipts_agree"):
        bench.conflict(signed[3], signed[5])
    later = bench.sign(signed[3][0]._replace(deadline=bench.chain.now + 2 * HORIZON))
    with reverts("receipts_agree"):
        bench.conflict(signed[3], later)  # a longer promise beside a shorter one
    assert bench.bond == BOND


def test_a_deadline_that_a_batch_meets_exactly_is_kept(bench: Bench) -> None:
    signed = bench.receipt(3, bodies(1, 9)[0], deadline=bench.chain.now)
    bench.post(bodies(3))
    with reverts("too_early"):
        bench.omit(signed, 0)
    bench.chain.warp(1)
    bench.post([bodies(1, 9)[0]])  # late by a second, but the batch reaches it
    with reverts("receipt_kept"):
        bench.omit(signed, 1)
    assert bench.bond == BOND


@pytest.mark.parametrize("call", ["conflict", "contradiction", "omission"])
@pytest.mark.parametrize("flaw", ["other key", "other chain", "other vault", "malleable", "short", "empty", "changed"])
def test_only_the_operators_own_signature_counts(bench: Bench, call: str, flaw: str) -> None:
    mine = bodies(1, 9)[0]
    receipt, signature = bench.receipt(1, mine, deadline=bench.chain.now)
    if flaw == "other key":
        signature = signatures.sign(digest(bench.domain, receipt), OTHER_KEY)
    elif flaw == "other chain":
        other = eip712.domain_separator(CHAIN_ID + 1, bytes.fromhex(VAULT[2:]))
        signature = signatures.sign(digest(other, receipt), KEY)
    elif flaw == "other vault":
        signature = signatures.sign(digest(eip712.domain_separator(CHAIN_ID, b"\1" * 20), receipt), KEY)
    elif flaw == "malleable":  # the same point with n - s and the other parity
        word = int.from_bytes(signature[32:], "big")
        s, parity = word & (2**255 - 1), word >> 255
        twin = signatures.CURVE_ORDER - s
        signature = signature[:32] + ((parity ^ 1) << 255 | twin & (2**255 - 1)).to_bytes(32, "big")
    elif flaw == "short":
        signature = signature[:63]
    elif flaw == "empty":
        signature = b""
    else:
        receipt = receipt._replace(sequence=2)
    bench.post(bodies(1))
    bench.chain.warp(1)
    bench.post(bodies(1, 1))
    bench.post([])
    with reverts("bad_signature"):
        if call == "conflict":
            bench.conflict(bench.receipt(1, bodies(1)[0]), (receipt, signature))
        elif call == "contradiction":
            bench.contradict((receipt, signature), 1, 0)
        else:
            bench.omit((receipt, signature), 2)
    assert bench.bond == BOND


def test_a_header_that_was_not_posted_proves_nothing(bench: Bench) -> None:
    signed = bench.receipt(4, bodies(1, 9)[0], deadline=bench.chain.now)
    bench.chain.warp(1)
    bench.post(bodies(4))
    bench.post(bodies(2, 1))
    for changes in ({"first_record": 3}, {"timestamp": 2**255}, {"number": 2}, {"number": 0}, {"record_count": 0}):
        with reverts("wrong_input"):
            bench.omit(signed, 1, **changes)
        with reverts("wrong_input"):
            bench.contradict(signed, 1, 0, **changes)
    assert bench.bond == BOND


def test_a_place_outside_the_batch_proves_nothing(bench: Bench) -> None:
    before, behind = bench.receipt(3, bodies(1, 8)[0]), bench.receipt(6, bodies(1, 9)[0])
    far = bench.receipt(2**64 - 1, bodies(1, 9)[0])
    bench.post(bodies(4))
    bench.post(bodies(2, 1))
    for signed in (before, behind, far):
        for index in (0, 1):
            with reverts("wrong_input"):
                bench.contradict(signed, 1, index)
    with reverts("wrong_input"):  # another record of the batch than the receipt's
        header, records = bench.batches[0]
        record_page, siblings = prove_record(b"".join(records), 2)
        bench.receipts.prosecute_contradiction(*before, as_tuple(header), record_page[:-1] + b"\0", siblings)
    assert bench.bond == BOND


def test_the_last_number_has_no_next(bench: Bench) -> None:
    last, first = bench.receipt(2**64 - 1, bodies(1)[0], running=bytes(32)), bench.receipt(0, bodies(1)[0])
    with reverts("receipts_agree"):
        bench.conflict(last, first)
    assert bench.bond == BOND


# --- the money -------------------------------------------------------------------------------------------------------


def test_half_is_burnt_rounded_up_and_half_waits_for_the_prosecutor(bench: Bench) -> None:
    burnt = bench.chain.balance(SINK)
    one, two = bodies(2)
    bench.conflict(bench.receipt(7, one), bench.receipt(7, two))
    assert bench.chain.balance(SINK) - burnt == BOND - BOND // 2 == ETHER + 1
    assert bench.receipts.owed(PROSECUTOR) == BOND // 2 == bench.chain.balance(bench.receipts.address)
    before = bench.chain.balance(PROSECUTOR)
    bench.receipts.collect(PROSECUTOR, sender=PASSER_BY)
    assert bench.chain.balance(PROSECUTOR) - before == BOND // 2
    with reverts("nothing_owed"):
        bench.receipts.collect(PROSECUTOR, sender=PROSECUTOR)


def test_a_receipt_takes_a_bond_once(bench: Bench) -> None:
    mine, others = bodies(1, 9)[0], bodies(3)
    signed, second, third = bench.receipt(1, mine), bench.receipt(1, others[2]), bench.receipt(2, others[0])
    bench.post(others)
    bench.conflict(signed, second)
    with reverts("receipt_used"):
        bench.contradict(signed, 0, 1)
    with reverts("no_bond"):
        bench.contradict(third, 0, 2)
    bench.receipts.deposit_bond(sender=OPERATOR, value=BOND)
    for used in (signed, second):
        with reverts("receipt_used"):
            bench.contradict(used, 0, 1)
        with reverts("receipt_used"):
            bench.conflict(used, third)
    with reverts("receipt_used"):
        bench.conflict(signed, second)
    assert bench.bond == BOND
    bench.contradict(third, 0, 2)  # a broken receipt of its own
    assert bench.bond == 0


def test_without_a_bond_there_is_nothing_to_take(bench: Bench) -> None:
    bare = bench.chain.deploy("receipts", VAULT, bench.inbox.address, BOND, EXIT_DELAY)
    one, two = bodies(2)
    pair = (*bench.receipt(7, one), *bench.receipt(7, two))
    with reverts("no_bond"):
        bare.prosecute_conflict(*pair, sender=PROSECUTOR)
    assert not bare.is_bonded()
    with reverts("no_bond"):
        bare.announce_exit(sender=OPERATOR)
    bare.deposit_bond(sender=OPERATOR, value=BOND - 1)
    assert not bare.is_bonded()
    bare.prosecute_conflict(*pair, sender=PROSECUTOR)  # whatever is there goes, and the receipts are used up only now
    assert bare.owed(PROSECUTOR) == (BOND - 1) // 2


def test_the_smallest_bond_burns_all_of_an_odd_wei(bench: Bench) -> None:
    bare = bench.chain.deploy("receipts", VAULT, bench.inbox.address, BOND, EXIT_DELAY)
    bare.deposit_bond(sender=OPERATOR, value=1)
    burnt = bench.chain.balance(SINK)
    bare.prosecute_conflict(*bench.receipt(7, bodies(1)[0]), *bench.receipt(7, bodies(1, 1)[0]), sender=PROSECUTOR)
    assert (bare.owed(PROSECUTOR), bench.chain.balance(SINK) - burnt) == (0, 1)


def test_an_exit_takes_its_time_and_the_bond_can_be_slashed_meanwhile(bench: Bench) -> None:
    with reverts("exit_not_announced"):
        bench.receipts.withdraw_bond(sender=OPERATOR)
    bench.receipts.announce_exit(sender=OPERATOR)
    assert not bench.receipts.is_bonded()
    with reverts("exit_announced"):
        bench.receipts.announce_exit(sender=OPERATOR)
    bench.chain.warp(EXIT_DELAY - 1)
    with reverts("too_early"):
        bench.receipts.withdraw_bond(sender=OPERATOR)
    snapshot = bench.chain.snapshot()
    bench.chain.warp(1)
    # Even in the block in which the bond could leave: who comes first.
    bench.conflict(bench.receipt(7, bodies(1)[0]), bench.receipt(7, bodies(1, 1)[0]))
    with reverts("exit_not_announced"):
        bench.receipts.withdraw_bond(sender=OPERATOR)
    assert bench.receipts.owed(OPERATOR) == 0
    bench.chain.restore(snapshot)
    bench.receipts.withdraw_bond(sender=OPERATOR)
    assert bench.receipts.owed(OPERATOR) == BOND and bench.bond == 0
    with reverts("no_bond"):
        bench.conflict(bench.receipt(7, bodies(1)[0]), bench.receipt(7, bodies(1, 1)[0]))
    with reverts("exit_not_announced"):
        bench.receipts.withdraw_bond(sender=OPERATOR)
    before = bench.chain.balance(OPERATOR)
    bench.receipts.collect(OPERATOR, sender=PASSER_BY)
    assert bench.chain.balance(OPERATOR) - before == BOND


def test_a_new_deposit_calls_the_exit_off_and_does_not_inherit_its_time(bench: Bench) -> None:
    bench.receipts.announce_exit(sender=OPERATOR)
    bench.chain.warp(EXIT_DELAY)
    bench.receipts.deposit_bond(sender=OPERATOR, value=1)
    assert bench.receipts.is_bonded() and bench.bond == BOND + 1
    with reverts("exit_not_announced"):
        bench.receipts.withdraw_bond(sender=OPERATOR)
    bench.receipts.announce_exit(sender=OPERATOR)
    bench.conflict(bench.receipt(7, bodies(1)[0]), bench.receipt(7, bodies(1, 1)[0]))
    bench.receipts.deposit_bond(sender=OPERATOR, value=BOND)
    bench.chain.warp(EXIT_DELAY)
    with reverts("exit_not_announced"):
        bench.receipts.withdraw_bond(sender=OPERATOR)


def test_only_the_operator_handles_the_bond(bench: Bench) -> None:
    with reverts("not_the_owner"):
        bench.receipts.deposit_bond(sender=PROSECUTOR, value=0)
    with reverts("not_the_owner"):
        bench.receipts.announce_exit(sender=PROSECUTOR)
    with reverts("not_the_owner"):
        bench.receipts.withdraw_bond(sender=PROSECUTOR)
    with reverts("zero_amount"):
        bench.receipts.deposit_bond(sender=OPERATOR)


def test_a_prosecutor_that_calls_back_is_paid_once(bench: Bench) -> None:
    greedy = bench.chain.deploy(GREEDY)
    pair = (*bench.receipt(7, bodies(1)[0]), *bench.receipt(7, bodies(1, 1)[0]))
    other = (*bench.receipt(8, bodies(1)[0]), *bench.receipt(8, bodies(1, 1)[0]))
    again = bench.receipts.encode("prosecute_conflict", *other)
    for data in (bench.receipts.encode("collect", greedy.address), again):
        snapshot = bench.chain.snapshot()
        greedy.call_back(bench.receipts.address, data)
        greedy.forward(bench.receipts.address, bench.receipts.encode("prosecute_conflict", *pair))
        bench.receipts.collect(greedy.address, sender=PASSER_BY)
        assert (greedy.tries(), greedy.successes()) == (1, 0)
        assert bench.chain.balance(greedy.address) == BOND // 2
        assert bench.chain.balance(bench.receipts.address) == 0
        bench.chain.restore(snapshot)


def test_refuses_terms_that_cannot_work(bench: Bench) -> None:
    for bond, delay in ((0, 1), (1, 1), (2, 0)):
        with reverts("bad_terms"):
            bench.chain.deploy("receipts", VAULT, bench.inbox.address, bond, delay)
    zero = "0x" + "00" * 20
    for vault, inbox in ((zero, bench.inbox.address), (VAULT, zero)):
        with reverts("zero_address"):
            bench.chain.deploy("receipts", vault, inbox, 2, 1)
