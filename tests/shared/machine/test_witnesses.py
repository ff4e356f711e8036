"""Witness bundles: a batch is run again from its own part of the machine, and none of it can be left out or put in."""

import random
import zlib
from contextlib import suppress
from struct import pack, unpack_from

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setoff.deploy.simulation.sample_traffic import SampleTraffic, play_epoch
from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import WitnessError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.fragment import Fragment
from setoff.shared.machine.machine import EVERY_STEP, Machine
from setoff.shared.machine.witnesses import cut_bundle, open_bundle, run_bundle
from setoff.shared.rules import phases
from setoff.shared.state import keys
from setoff.shared.state.tree import EMPTY, LEAVES

MOST = 1 << 24


class Epoch:
    """The sample batches, with a bundle of each."""

    def __init__(self) -> None:
        traffic = SampleTraffic()
        self.batches: list[Batch] = play_epoch(traffic)
        self.batches.append(traffic.seal([], []))
        machine = Machine.genesis(traffic.domain)
        self.boundaries, self.fragments = [machine.hash()], []
        self.outcomes = []
        whole = machine.copy()
        for batch in self.batches:
            self.fragments.append(cut_bundle(machine, batch))
            self.boundaries.append(machine.hash())
            self.outcomes.append(tuple(whole.run_batch(batch)))
            assert whole.hash() == machine.hash()


EPOCH = Epoch()
LARGEST = max(range(len(EPOCH.batches)), key=lambda number: len(EPOCH.fragments[number].values))


def check(number: int, data: bytes, most: int = MOST) -> bytes:
    """The end to which a bundle leads, as somebody finds it who has nothing else."""
    return run_bundle(open_bundle(data, EPOCH.boundaries[number], most), EPOCH.batches[number]).end


@pytest.mark.parametrize("number", range(len(EPOCH.batches)))
def test_a_batch_runs_from_its_bundle_to_where_the_whole_machine_runs(number: int) -> None:
    data = EPOCH.fragments[number].encode()
    fragment = open_bundle(data, EPOCH.boundaries[number], MOST)
    rerun = run_bundle(fragment, EPOCH.batches[number])
    assert rerun.end == EPOCH.boundaries[number + 1] and rerun.outcomes == EPOCH.outcomes[number]
    assert Fragment.decode(fragment.encode()).encode() == data, "there is one form"


@pytest.mark.parametrize("number", range(len(EPOCH.batches)))
def test_the_bytes_are_those_of_the_protocol(number: int) -> None:
    """Read as section 26 has it, by nothing of the product's but keccak."""
    data, at = zlib.decompress(EPOCH.fragments[number].encode()), 32 * 95
    registers, leaves, hashes = data[:at], *unpack_from(">II", data, at)
    at += 8
    nodes: dict[int, bytes] = {}
    keys_found = []
    for _ in range(leaves):
        key, length = unpack_from(">QH", data, at)
        nodes[2**40 + key] = keccak(data[at + 10 : at + 10 + length])
        keys_found.append(key)
        at += 10 + length
    numbers = [unpack_from(">Q", data, at + 40 * place)[0] for place in range(hashes)]
    for place, node in enumerate(numbers):
        nodes[node] = data[at + 40 * place + 8 : at + 40 * place + 40]
    assert at + 40 * hashes == len(data)
    assert keys_found == sorted(set(keys_found)) and numbers == sorted(set(numbers))
    empty = [keccak(b"")]
    level = {node for node in nodes if node >= 2**40}
    for height in range(40):
        empty.append(keccak(empty[-1] + empty[-1]))
        for above in {node >> 1 for node in level}:
            nodes[above] = keccak(b"".join(nodes.get(2 * above + side, empty[height]) for side in (0, 1)))
        level = {node >> 1 for node in level} | {node for node in numbers if node >> (39 - height) == 1}
    root = nodes.get(1, empty[40])
    assert keccak(root + keccak(registers)) == EPOCH.boundaries[number]


def test_a_bundle_that_keeps_a_leaf_back_is_refused() -> None:
    number, original = LARGEST, EPOCH.fragments[LARGEST]
    kept_back = 0
    for key in original.values:
        # As a liar would: its hash goes to those beside the paths, so that the root is still the true one.
        values = {each: value for each, value in original.values.items() if each != key}
        whole = original.restore().state.tree
        beside = whole.cut(values)
        data = Fragment(original.registers, values, beside).encode()
        if open_bundle(data, EPOCH.boundaries[number], MOST):
            kept_back += 1
        with pytest.raises(WitnessError, match=r"keeps back|none to which the rules come|more steps than any"):
            check(number, data)
    assert kept_back == len(original.values)


def test_a_leaf_that_is_said_to_be_absent_is_refused() -> None:
    number, original = LARGEST, EPOCH.fragments[LARGEST]
    tree = original.restore().state.tree
    for key, value in original.values.items():
        if not value:
            continue
        # The hash of the leaf, or of a node above it, stands in for what is denied.
        for height in (0, 1, 7):
            node = LEAVES + key >> height
            digest = tree._nodes.get(node) if hasattr(tree, "_nodes") else EMPTY[1]
            false = Fragment(
                original.registers, original.values | {key: b""}, original.beside | {node: digest or EMPTY[1]}
            )
            with pytest.raises(WitnessError, match=r"not next to|is of the machine"):
                check(number, false.encode())


def test_what_is_added_moved_or_written_otherwise_is_refused() -> None:
    number, original = LARGEST, EPOCH.fragments[LARGEST]
    far = next(key for key in range(keys.account_key(5_000), LEAVES) if key not in original.values)
    beside = dict(sorted(original.beside.items()))
    node = next(iter(beside))
    for values, nodes in (
        ({far: b"\1" * 32}, {}),
        ({}, {1: EMPTY[40]}),
        ({}, {0: EMPTY[1]}),
        ({}, {2 * LEAVES + 1: EMPTY[1]}),
        ({}, {node << 1: EMPTY[0]}),
    ):
        false = Fragment(original.registers, original.values | values, original.beside | nodes)
        with pytest.raises(WitnessError):
            check(number, false.encode())
    registers = bytearray(original.registers)
    registers[-1] ^= 1
    with pytest.raises(WitnessError, match="is of the machine"):
        check(number, Fragment(bytes(registers), original.values, original.beside).encode())
    counted = original.registers + pack(">II", 2, 0) + 2 * pack(">QH", 1, 0)
    with pytest.raises(WitnessError, match="twice"):
        check(number, zlib.compress(counted))
    falling = original.registers + pack(">II", 2, 0) + pack(">QH", 2, 0) + pack(">QH", 1, 0)
    with pytest.raises(WitnessError, match="not in their order"):
        check(number, zlib.compress(falling))


def test_a_bundle_of_another_batch_is_refused() -> None:
    with pytest.raises(WitnessError, match="is of the machine"):
        check(1, EPOCH.fragments[2].encode())


def test_what_a_bundle_unpacks_to_is_bounded() -> None:
    with pytest.raises(WitnessError, match="more than 1000000 bytes"):
        check(0, zlib.compress(bytes(10**9), 9), 10**6)
    # Few bytes, and leaves that are as far from each other as can be: forty nodes each.
    count = 10_000
    far = b"".join(pack(">QH", number * (LEAVES // count), 0) for number in range(count))
    data = zlib.compress(EPOCH.fragments[0].registers + pack(">II", count, 0) + far)
    with pytest.raises(WitnessError, match="too far from each other"):
        check(0, data, 10**6)
    absent = b"".join(pack(">QH", number, 0) for number in range(90_000))
    data = zlib.compress(EPOCH.fragments[0].registers + pack(">II", 90_000, 0) + absent)
    with pytest.raises(WitnessError, match="more leaves than are due to 1000000 bytes"):
        check(0, data, 10**6)


def test_a_machine_to_which_the_rules_never_come_ends_in_words() -> None:
    """A server may choose boundaries as it likes, and machines that have them."""
    original = EPOCH.fragments[1]
    for name, value in (
        ("phase", phases.SWEEP),
        ("phase", 99),
        ("sweeping", 1),
        ("accounts", 2**63),
        ("cursor", 2**63),
    ):
        machine = original.restore()
        setattr(machine.regs, name, value)
        machine.many_accounts = EVERY_STEP
        fragment = Fragment(machine.regs.encode(), original.values, original.beside)
        with suppress(WitnessError):  # or it runs: registers of the input before are cleared by the next
            run_bundle(open_bundle(fragment.encode(), machine.hash(), MOST), EPOCH.batches[1])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_sent_is_refused_or_leads_to_the_true_end(data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(EPOCH.batches) - 1))
    plain = bytearray(zlib.decompress(EPOCH.fragments[number].encode()))
    rng = random.Random(data.draw(st.integers(0, 2**32)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = rng.randrange(len(plain))
        match data.draw(st.sampled_from(["flip", "cut", "insert", "swap"])):
            case "flip":
                plain[place] ^= 1 << rng.randrange(8)
            case "cut":
                del plain[place : place + rng.randrange(1, 60)]
            case "insert":
                plain[place:place] = rng.randbytes(rng.randrange(1, 60))
            case _:
                other = rng.randrange(len(plain))
                plain[place : place + 40], plain[other : other + 40] = (
                    plain[other : other + 40],
                    plain[place : place + 40],
                )
        if not plain:
            break
    try:
        end = check(number, zlib.compress(bytes(plain)))
    except WitnessError as error:
        assert error.reason == "bad_witness"
    else:
        assert end == EPOCH.boundaries[number + 1]
