"""What is written in Python and in C does the same: hashes, signatures, the nodes of the state tree, leaves' bytes,
funding."""

from __future__ import annotations

import importlib.util
import pickle
import random
import struct
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from setoff.shared import build
from setoff.shared.codec.layout import Field
from setoff.shared.codec.signatures import CURVE_ORDER, HALF_ORDER, address_of, sign
from setoff.shared.state import leaves, registers
from setoff.shared.state.layout import Layout
from setoff.shared.state.tree import Tree

TRIALS = 150
LAST_KEY = 2**40 - 1
DOMAIN = bytes(range(32))
PREFIX = b"\x19\x01" + DOMAIN
KEYS = [bytes([number]) * 32 for number in range(1, 9)]


def load_python(name: str) -> ModuleType:
    """A module from its Python source, beside whichever one is imported."""
    path = build.SHARED.joinpath(*name.split(".")[2:]).with_suffix(".py")
    return load(importlib.util.spec_from_file_location(f"{name}_in_python", path))


def load_c(name: str) -> ModuleType:
    """The same, from what is compiled of the sources as they are."""
    found = build.find_build()
    if found.folder is None:
        pytest.skip(found.reason)
    return load(build.CompiledFinder(found.folder, [name]).find_spec(name))


def load(spec: Any) -> ModuleType:
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=[0, 1, 4, 8], ids="at most {} side by side".format)
def hashings(request: pytest.FixtureRequest) -> Iterator[tuple[ModuleType, ModuleType]]:
    """The two, the one in C as on processors that have less than this one."""
    name = "setoff.shared.codec.hashing"
    in_c = load_c(name)
    in_c._limit_width(request.param)
    yield load_python(name), in_c
    in_c._limit_width(8)


@pytest.fixture(scope="module")
def nodes() -> tuple[ModuleType, ModuleType]:
    return load_python("setoff.shared.state.nodes"), load_c("setoff.shared.state.nodes")


@pytest.fixture(scope="module")
def recoveries() -> tuple[ModuleType, ModuleType]:
    return load_python("setoff.shared.codec.recovery"), load_c("setoff.shared.codec.recovery")


def test_every_source_in_c_has_a_twin() -> None:
    twins = build.list_twins(build.list_sources())
    assert [name.removeprefix("setoff.shared.") for name in twins] == [
        *("codec.hashing", "codec.recovery", "state.fields", "state.nodes", "machine.settling")
    ]
    assert set(twins) <= set(build.list_modules(build.list_sources()))


# --- hashes -----------------------------------------------------------------------------------------------------------


def test_hashes_are_the_same_of_any_length(hashings: tuple[ModuleType, ModuleType]) -> None:
    python, in_c = hashings
    draw = random.Random(1)
    for length in [*range(300), 544, 704, 5_000]:
        data = draw.randbytes(length)
        assert in_c.keccak(data) == python.keccak(data)
    for _ in range(20):
        left, right = draw.randbytes(32), draw.randbytes(draw.choice((32, 32, 31, 0)))
        assert in_c.hash_pair(left, right) == python.hash_pair(left, right)
    for count in (0, 1, 2, 3, 5, 8, 9, 70, 200):
        messages = [draw.randbytes(draw.choice((64, 64, 64, 136, 0))) for _ in range(count)]
        assert in_c.keccak_all(messages) == python.keccak_all(messages) == [python.keccak(each) for each in messages]
    for pairs in range(70):
        layer = draw.randbytes(64 * pairs)
        assert in_c.hash_pairs(layer) == python.hash_pairs(layer)
        with pytest.raises(ValueError, match="no row of pairs"):
            in_c.hash_pairs(layer + b"1")
        with pytest.raises(ValueError, match="no row of pairs"):
            python.hash_pairs(layer + b"1")


def test_what_is_no_bytes_is_refused(hashings: tuple[ModuleType, ModuleType]) -> None:
    wrong = {"keccak": ("text",), "hash_pair": (1, b""), "hash_pairs": ("1" * 64,), "keccak_all": (["ab"],)}
    for module in hashings:
        for function, arguments in wrong.items():
            with pytest.raises(TypeError):
                getattr(module, function)(*arguments)


# --- the tree ---------------------------------------------------------------------------------------------------------


class Drawn:
    """Random keys, many of them neighbours, and changes of a tree."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)

    def key(self) -> int:
        kind = self.draw.randrange(4)
        if kind == 0:
            return self.draw.randrange(12)
        if kind == 1:
            return LAST_KEY - self.draw.randrange(4)
        if kind == 2:
            return self.draw.randrange(2**40)
        return self.draw.randrange(3) << 36 | self.draw.randrange(64) << 12 | self.draw.randrange(3)

    def value(self) -> bytes:
        length = self.draw.choice((1, 32, 64, 64, 135, 136, 137, 320, 704))
        return b"" if self.draw.random() < 0.35 else self.draw.randbytes(length)

    def changes(self, tree: Any) -> dict[int, bytes]:
        found = {self.key(): self.value() for _ in range(self.draw.choice((0, 1, 2, 5, 20)))}
        for key, value in list(tree.items())[: self.draw.randrange(6)]:
            found[key] = self.draw.choice((value, b"", self.value()))
        return dict.fromkeys((key for key, _ in tree.items()), b"") if self.draw.random() < 0.1 else found


@pytest.mark.parametrize("seed", range(4))
def test_trees_are_the_same_after_any_changes(nodes: tuple[ModuleType, ModuleType], seed: int) -> None:
    python, in_c = nodes
    assert in_c.EMPTY == python.EMPTY and in_c.DEPTH == python.DEPTH
    drawn = Drawn(seed)
    for _ in range(TRIALS):
        one, other = python.Nodes(), in_c.Nodes()
        copies = []
        for _ in range(drawn.draw.randrange(1, 10)):
            changes = drawn.changes(one)
            if drawn.draw.random() < 0.4:
                copies.append((one.copy(), other.copy(), one.root, dict(one.items())))
            assert other.update(changes) == one.update(changes) == other.root
            assert dict(other.items()) == dict(one.items())
            for first, count in ((0, 2**40), (drawn.key(), drawn.draw.randrange(5))):
                assert other.part(first, count) == one.part(first, count)
            for key in [*list(changes)[:5], drawn.key()]:
                assert other.get(key) == one.get(key) and other.path(key) == one.path(key)
        for one, other, root, values in copies:
            assert other.root == one.root == root and dict(other.items()) == values
            assert other.update({drawn.key(): b"x"}) == one.update(dict(other.items()))


@pytest.mark.parametrize("seed", range(4))
def test_cuts_of_trees_are_the_same(nodes: tuple[ModuleType, ModuleType], seed: int) -> None:
    drawn = Drawn(seed)
    for _ in range(TRIALS):
        tree = Tree()
        for _ in range(3):
            tree.update(drawn.changes(tree))
        wanted = {drawn.key() for _ in range(3)} | {key for key, _ in list(tree.items())[:3]}
        beside = tree.cut(wanted)
        cuts = [module.Nodes.of_cut({key: tree.get(key) for key in wanted}, beside) for module in nodes]
        for _ in range(4):
            for cut in cuts:
                assert cut.root == tree.root
                assert all(cut.path(key) == tree.path(key) and cut.get(key) == tree.get(key) for key in wanted)
            changes = {key: drawn.value() for key in wanted if drawn.draw.random() < 0.7}
            for each in (tree, *cuts):
                each.update(changes)
    assert [module.Nodes.of_cut({}, {1: bytes(32)}).root for module in nodes] == [bytes(32)] * 2


def test_a_tree_goes_to_other_processes(nodes: tuple[ModuleType, ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    _, in_c = nodes
    monkeypatch.setitem(sys.modules, "setoff.shared.state.nodes", in_c)
    whole = in_c.Nodes()
    whole.update(dict.fromkeys((0, 1, 77, LAST_KEY), b"value"))
    _, siblings = whole.path(1)
    for tree in (whole, in_c.Nodes.of_cut({1: b"value"}, {2**40: siblings[0], 2**39 + 1: bytes(32)})):
        twin = pickle.loads(pickle.dumps(tree))
        assert twin.root == tree.root and dict(twin.items()) == dict(tree.items()) and twin.path(1) == tree.path(1)


def test_keys_beyond_40_bits_change_nothing(nodes: tuple[ModuleType, ModuleType]) -> None:
    for module in nodes:
        tree = module.Nodes()
        tree.update({1: b"one"})
        root = tree.root
        for key in (-1, LAST_KEY + 1, 2**64, 2**200):
            with pytest.raises(ValueError, match="40 bits"):
                tree.update({2: b"x", key: b"x"})
            with pytest.raises(ValueError, match="40 bits"):
                tree.path(key)
            with pytest.raises(ValueError, match="40 bits"):
                module.check_key(key)
            with pytest.raises(ValueError, match="40 bits"):
                module.Nodes.of_cut({key: b"x"}, {})
            assert tree.get(key) == b""
        for beside in ({0: bytes(32)}, {2**41: bytes(32)}, {1: bytes(31)}):
            with pytest.raises(ValueError, match="hashes by heap number"):
                module.Nodes.of_cut({}, beside)
        assert (tree.root, tree.get(2)) == (root, b"") and module.check_key(LAST_KEY) is None


# --- signatures -------------------------------------------------------------------------------------------------------


def make_edges(draw: random.Random) -> list[tuple[bytes, bytes]]:
    """Digests with signatures, sound ones and such on either side of each boundary."""
    found = []
    for key in KEYS:
        digest = draw.randbytes(32)
        good = sign(digest, key)
        r, word = good[:32], int.from_bytes(good[32:], "big")
        found += [(digest, good), (draw.randbytes(32), good), (digest, r + (word ^ 1 << 255).to_bytes(32, "big"))]
        for s in (0, 1, HALF_ORDER, HALF_ORDER + 1, CURVE_ORDER - 1, CURVE_ORDER, 2**255 - 1):
            found += [(digest, r + (s | parity << 255).to_bytes(32, "big")) for parity in (0, 1)]
        for number in (0, 1, 5, CURVE_ORDER - 1, CURVE_ORDER, CURVE_ORDER + 1, 2**256 - 1):
            found.append((digest, number.to_bytes(32, "big") + good[32:]))
        found += [(bytes(32), good), (CURVE_ORDER.to_bytes(32, "big"), good), (b"\xff" * 32, good)]
        found += [(digest, draw.randbytes(64)) for _ in range(4)]
        found += [(digest, wrong) for wrong in (good[:63], good + b"\0", b"")]
        found += [(wrong, good) for wrong in (digest[:31], digest + b"1")]
    return found


def test_signers_are_the_same(recoveries: tuple[ModuleType, ModuleType]) -> None:
    python, in_c = recoveries
    edges = make_edges(random.Random(1))
    found = [python.recover(*edge) for edge in edges]
    assert found == [in_c.recover(*edge) for edge in edges]
    assert {address_of(key) for key in KEYS} < {*found} and found.count(None) > len(KEYS) * 10


@pytest.mark.parametrize("threads", [0, 1, 3])
@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 200])
def test_signers_of_many_are_those_of_each(recoveries: tuple[ModuleType, ModuleType], threads: int, count: int) -> None:
    draw = random.Random(count)
    messages = [draw.randbytes(draw.choice((96, 96, 448, 0))) for _ in range(count)]
    hashing = load_python("setoff.shared.codec.hashing")
    digests = [hashing.keccak(PREFIX + hashing.keccak(message)) for message in messages]
    signatures = [sign(digest, draw.choice(KEYS)) if draw.random() < 0.8 else draw.randbytes(64) for digest in digests]
    signatures = [signature if draw.random() < 0.95 else signature[1:] for signature in signatures]
    expected = [recoveries[0].recover(*each) for each in zip(digests, signatures, strict=True)]
    for module in recoveries:
        signers = module.Signers(PREFIX, messages, signatures)
        helpers = [threading.Thread(target=signers.run) for _ in range(threads)]
        for helper in helpers:
            helper.start()
        assert [signers.get(place) for place in range(count)] == expected
        for helper in helpers:
            helper.join()
        signers.run()
        assert [signers.get(place) for place in reversed(range(count))] == expected[::-1]
        for beyond in (-1, count):
            with pytest.raises(IndexError, match="no message"):
                signers.get(beyond)


def test_each_message_needs_a_signature(recoveries: tuple[ModuleType, ModuleType]) -> None:
    for module in recoveries:
        with pytest.raises(ValueError, match="2 messages, 1 signatures"):
            module.Signers(PREFIX, [b"", b""], [bytes(64)])


# --- fields of leaves -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def codecs() -> tuple[ModuleType, ModuleType]:
    return load_python("setoff.shared.state.fields"), load_c("setoff.shared.state.fields")


LAYOUTS = [each for module in (leaves, registers) for each in vars(module).values() if isinstance(each, Layout)]


def draw_value(draw: random.Random, field: Field) -> int | bytes:
    if field.is_bytes:
        return draw.choice((bytes(field.size), draw.randbytes(field.size)))
    low, high = field.limits.start, field.limits.stop - 1
    edges = (
        0,
        0,
        1,
        low,
        high,
        low + 1,
        high - 1,
        2**63 - 1,
        2**63,
        2**64 - 1,
        2**64,
        -1,
        -(2**63),
        -(2**63) - 1,
        -(2**64),
    )
    return draw.choice([value for value in (*edges, draw.randint(low, high)) if low <= value <= high])


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.leaf.__name__)
def test_leaves_are_the_same_bytes(codecs: tuple[ModuleType, ModuleType], layout: Layout[Any]) -> None:
    python, in_c = (module.Codec(layout.leaf, layout.size, layout.fields) for module in codecs)
    names = [field.name for field in layout.fields]
    getters = [module.make_getter(layout.leaf, names) for module in codecs]
    draw = random.Random(1)
    for trial in range(60):
        leaf = python.decode(b"")
        for field in layout.fields if trial else ():
            setattr(leaf, field.name, draw_value(draw, field))
        value = python.pack(leaf)
        assert in_c.pack(leaf) == value and in_c.encode(leaf) == python.encode(leaf) == (value if any(value) else b"")
        values = getters[0](leaf)
        assert getters[1](leaf) == values
        for twin in (in_c.decode(value), in_c.copy(leaf), in_c.fill(in_c.decode(b""), value)):
            assert type(twin) is layout.leaf and getters[0](twin) == values
        in_c.clear(leaf)
        assert getters[0](leaf) == getters[0](python.decode(b"")) and in_c.encode(leaf) == b""


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.leaf.__name__)
def test_what_does_not_fit_is_refused(codecs: tuple[ModuleType, ModuleType], layout: Layout[Any]) -> None:
    for module in codecs:
        codec = module.Codec(layout.leaf, layout.size, layout.fields)
        for field in (each for each in layout.fields if not each.is_bytes):
            for number in (field.limits.start - 1, field.limits.stop, 2**600, -(2**600)):
                leaf = codec.decode(b"")
                setattr(leaf, field.name, number)
                with pytest.raises((OverflowError, struct.error)):
                    codec.pack(leaf)
        for refuse in (codec.decode, lambda value, codec=codec: codec.fill(codec.decode(b""), value)):  # type: ignore[misc]
            for value in (bytes(layout.size + 1), b"1" * (layout.size - 1)):
                with pytest.raises((ValueError, struct.error)):
                    refuse(value)
    for refuse in (codec.pack, codec.copy, codec.clear, module.make_getter(layout.leaf, ["x"])):
        with pytest.raises(TypeError, match="is wanted, not object"):
            refuse(object())


# --- funding ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def settlings() -> tuple[ModuleType, ModuleType]:
    return load_python("setoff.shared.machine.settling"), load_c("setoff.shared.machine.settling")


def make_markets(indices: list[int]) -> list[leaves.Market]:
    found = [leaves.decode_market(b"") for _ in indices]
    for number, (market, index) in enumerate(zip(found, indices, strict=True)):
        market.funding, market.pool = index, -number * 2**70
    return found


def test_funding_is_settled_alike(settlings: tuple[ModuleType, ModuleType]) -> None:
    draw = random.Random(1)
    edges = (0, 0, 1, -1, 2**32, 2**32 - 1, -(2**32) - 1, 2**63 - 1, -(2**63))
    for _ in range(80):
        indices = [0, *(draw.choice((0, -1, 2**32, 2**100 + 5, -(2**120), 2**126)) for _ in range(8))]
        values = []
        for _ in range(draw.choice((0, 1, 40))):
            account = leaves.Account(1, 2, bytes(range(20)), draw.choice((0, 1, -1, 10**12, -(2**119), 2**119)))
            for place, market in enumerate(draw.sample(range(9), 8)):
                due = draw.choice((*edges, draw.randint(-(2**50), 2**50)))
                size = draw.choice((0, 1, -1, 2**38, -(2**38), draw.randint(-1_000, 1_000)))
                if market:
                    account.positions[place] = leaves.Position(market, size, 3, 4, -5, indices[market] - due)
            values.append(leaves.encode_account(account))
        results = []
        for module in settlings:
            markets = make_markets(indices)
            results.append((module.settle(values, markets), [(each.pool, each.funding) for each in markets]))
        assert results[0] == results[1]


def test_funding_of_larger_numbers_is_refused_whole(settlings: tuple[ModuleType, ModuleType]) -> None:
    _, in_c = settlings
    for collateral, due in ((0, 2**63), (0, -(2**63) - 1), (2**127, 0), (-(2**127) - 1, 0), (2**127 - 1, -(2**32))):
        account = leaves.Account(collateral=collateral)
        account.positions[2] = leaves.Position(1, 1, 0, 0, 0, -due)
        fine = leaves.Account(collateral=5)
        fine.positions[2] = leaves.Position(1, 2**20, 0, 0, 0, -(2**32))
        markets = make_markets([0, 0])
        with pytest.raises(OverflowError, match="larger numbers"):
            in_c.settle([leaves.encode_account(fine), leaves.encode_account(account)], markets)
        assert markets[1].pool == -(2**70)
    with pytest.raises(ValueError, match="704 bytes"):
        in_c.settle([bytes(703)], make_markets([0]))
