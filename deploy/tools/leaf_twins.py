"""Compares Vyper's reading and writing of leaves with their fields in Python: a part of `twins.py`.

`contracts/state/leaves.vy` and `contracts/state/registers.vy` are written by hand, for people to read. They say again
what fields there are, and where in its words each stands and how wide it is; here each is looked for in their source,
and whatever is missing, different or too much is a difference. So are the ranges of market parameters and what a change
of them takes over, in `contracts/rules/listing.vy`; and those of the exchange's terms, in `contracts/rules/fees.vy`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from vyper.ast import nodes as vy_ast

from setoff.deploy.tools.vyper_source import parse
from setoff.shared.codec import integers, records
from setoff.shared.codec.layout import Field, ranges_of
from setoff.shared.rules.fees import NAMES
from setoff.shared.rules.listing import CHANGEABLE
from setoff.shared.state import leaves, registers
from setoff.shared.state.layout import WORD, Layout

_BITS: Final = 8 * WORD
LAYOUTS: Final[dict[str, Layout[Any]]] = {
    "Account": leaves.ACCOUNT,
    "Position": leaves.POSITION,
    "Order": leaves.ORDER,
    "Level": leaves.LEVEL,
    "Bitmap": leaves.BITMAP,
    "Market": leaves.MARKET,
    "Oracle": leaves.REPORT,
    "Signers": leaves.SIGNERS,
    "Withdrawal": leaves.WITHDRAWAL,
    "Agent": leaves.AGENT,
    "Request": leaves.REQUEST,
    "Terms": leaves.TERMS,
    "Activity": leaves.ACTIVITY,
}
"""The layout of each leaf by the name of its class, and of what stands in another leaf many times."""
_LISTS: Final = {"prices": "price", "times": "time"}
"""What Vyper calls the fields of the reports in an oracle's leaf, each of which is a list there."""
_OTHERS: Final = {"positions", "owners", "body"}
"""Fields that are no part of a layout: lists of what has one, or of addresses, and a message."""


class _Bits(NamedTuple):
    """Bits of a word: which word, how far from its right end, how many (None: not said)."""

    word: int
    shift: int
    width: int | None = None


def find_leaf_differences(source: str) -> list[str]:
    """What differs between the text of `state/leaves.vy` and the layouts in `state/leaves.py`."""
    module = parse(source)
    structs = {node.name: node for node in module.body if isinstance(node, vy_ast.StructDef)}
    found: list[str] = []
    for name, layout in LAYOUTS.items():
        found += _compare_struct(name, structs.get(name), layout)
    written: dict[str, dict[str, _Bits]] = {name: {} for name in LAYOUTS}
    read: dict[str, dict[str, _Bits]] = {name: {} for name in LAYOUTS}
    for function in module.get_children(vy_ast.FunctionDef):
        action, _, kind = function.name.partition("_")
        if action in ("encode", "decode") and kind.title() in LAYOUTS:
            for leaf, field, bits in (_find_written if action == "encode" else _find_read)(function, kind.title()):
                (written if action == "encode" else read)[leaf][field] = bits
    for name, layout in LAYOUTS.items():
        found += _compare_places(f"{name} is written with", layout, written[name])
        found += _compare_places(f"{name} is read with", layout, read[name])
    return found


def find_register_differences(source: str) -> list[str]:
    """What differs between the text of `state/registers.vy` and the fields in `state/registers.py`."""
    module = parse(source)
    (struct,) = (node for node in module.body if isinstance(node, vy_ast.StructDef))
    found = list(_compare_struct("Registers", struct, registers.LAYOUT))
    (clear,) = (node for node in module.get_children(vy_ast.FunctionDef) if node.name == "clear")
    cleared = [node.target.attr for node in clear.get_children(vy_ast.Assign)]
    if cleared != list(registers.IN_FLIGHT):
        found.append(f"clear forgets {', '.join(cleared)}, instead of {', '.join(registers.IN_FLIGHT)}")
    return found


def find_listing_differences(source: str) -> list[str]:
    """What differs between the text of `rules/listing.vy` and the table of market parameters in `codec/records.py`."""
    return _compare_parameters(source, "set_parameters", records.MarketParameters, records.LIST_MARKET, CHANGEABLE)


def find_terms_differences(source: str) -> list[str]:
    """What differs between the text of `rules/fees.vy` and the table of the exchange's terms in `codec/records.py`."""
    return _compare_parameters(source, "set_terms", records.ExchangeTerms, records.SET_TERMS, NAMES)


def _compare_parameters(source: str, setter: str, group: type, number: int, names: Sequence[str]) -> list[str]:
    """What `setter` takes over, and what `are_in_range` asks, of the parameters that a message brings."""
    functions = {node.name: node for node in parse(source).get_children(vy_ast.FunctionDef)}
    taken = []
    for assignment in functions[setter].get_children(vy_ast.Assign):
        name = assignment.target.attr
        if name != assignment.value.attr:
            return [f"{setter} takes {name} from {assignment.value.attr}"]
        taken.append(name)
    found = []
    if taken != list(names):
        found.append(f"{setter} takes {', '.join(taken)}, instead of {', '.join(names)}")
    told = {_read_bound(node) for node in functions["are_in_range"].get_descendants(vy_ast.Compare)}
    limits = {field.name: field.limits for field in records.TYPES[number].fields}
    wanted = set()
    for name, bounds in ranges_of(group).items():
        if bounds.start != limits[name].start:
            wanted.add((name, "at least", bounds.start))
        if bounds.stop != limits[name].stop:
            wanted.add((name, "at most", bounds.stop - 1))
    found += [f"are_in_range does not ask that {n} is {b} {v}" for n, b, v in sorted(wanted - told)]
    found += [f"are_in_range asks that {n} is {b} {v}, which no Range says" for n, b, v in sorted(told - wanted)]
    return found


def _compare_struct(name: str, struct: Any, layout: Layout[Any]) -> Iterator[str]:
    """The fields of a struct: those of the layout in their order, and beside them only lists."""
    if struct is None:
        yield f"struct {name} is missing in Vyper"
        return
    told = {_LISTS.get(item.target.id, item.target.id): item.annotation for item in struct.body}
    names = [each for each in told if each not in _OTHERS]
    wanted = [field.name for field in layout.fields]
    if names != wanted:
        yield f"struct {name} has {', '.join(names)} in Vyper, {', '.join(wanted)} in Python"
        return
    for field in layout.fields:
        annotation = told[field.name]
        type = getattr(annotation.value if isinstance(annotation, vy_ast.Subscript) else annotation, "id", "nothing")
        if type != _vyper_type(field):
            yield f"struct {name} has {field.name} as {type} instead of {_vyper_type(field)}"


def _vyper_type(field: Field) -> str:
    return field.type if field.is_bytes else "int256" if field.is_signed else "uint256"


def _compare_places(what: str, layout: Layout[Any], places: dict[str, _Bits]) -> Iterator[str]:
    """Where the fields stand. Bits are counted from the right end of the whole, in a layout shorter than a word too."""
    for field in layout.fields:
        bits = places.get(field.name)
        if bits is None:
            yield f"{what} no {field.name}"
            continue
        end = min(WORD * (bits.word + 1), layout.size) - bits.shift // 8
        size = None if bits.width is None else bits.width // 8
        if end != field.start + field.size or bits.shift % 8 or size not in (field.size, None):
            told = "" if size is None else f"{size} bytes, "
            yield (
                f"{what} {field.name} elsewhere: {told}up to byte {end}, "
                f"instead of {field.size} bytes, up to byte {field.start + field.size}"
            )
    for name in places.keys() - {field.name for field in layout.fields} - _OTHERS:
        yield f"{what} {name}, which Python does not have"


# --- what an encoder writes -------------------------------------------------------------------------------------------


def _find_written(function: Any, kind: str) -> Iterator[tuple[str, str, _Bits]]:
    """(leaf, field, bits) of every field that an encoder puts into a word."""
    for number, expression in _find_words(function):
        for name, owner, shift, mask in _find_terms(expression, 0, None):
            leaf = {"leaf": kind, "p": "Position"}.get(owner)
            if leaf is not None:
                word = number - leaves.ACCOUNT.size // WORD if leaf == "Position" else number
                yield leaf, _LISTS.get(name, name), _Bits(word, shift, mask)


def _find_words(function: Any) -> Iterator[tuple[int, Any]]:
    """(number, expression) of every word that is made in a function; in a loop those of its first round."""
    for node in function.get_descendants((vy_ast.AnnAssign, vy_ast.Assign, vy_ast.Return)):
        target = getattr(node, "target", None)
        if isinstance(node, vy_ast.Return):
            if isinstance(node.value, vy_ast.Call) and isinstance(node.value.args[0], vy_ast.Attribute):
                yield 0, node.value.args[0]
        elif isinstance(node.value, vy_ast.List):
            yield from enumerate(node.value.elements)
        elif isinstance(target, vy_ast.Subscript):
            yield _count(target.slice), node.value
        elif isinstance(target, vy_ast.Name) and target.id in ("word", "report"):
            yield 0, node.value


def _find_terms(node: Any, shift: int, mask: int | None) -> Iterator[tuple[str, str, int, int | None]]:
    """(field, whose, how far left, width of its mask) of every field in an expression that makes a word."""
    if isinstance(node, vy_ast.Attribute) and isinstance(node.value, vy_ast.Name):
        yield node.attr, node.value.id, shift, mask
    elif isinstance(node, vy_ast.Subscript):
        yield from _find_terms(node.value, shift, mask)
    elif isinstance(node, vy_ast.Call):  # convert, _bits
        yield from _find_terms(node.args[0], shift, mask)
    elif isinstance(node, vy_ast.BinOp):
        if isinstance(node.op, vy_ast.LShift):
            yield from _find_terms(node.left, shift + _count(node.right), mask)
        elif isinstance(node.op, vy_ast.BitAnd):
            yield from _find_terms(node.left, shift, _width(node.right))
        elif isinstance(node.op, vy_ast.BitOr):
            yield from _find_terms(node.left, shift, mask)
            yield from _find_terms(node.right, shift, mask)


# --- what a decoder reads ---------------------------------------------------------------------------------------------


def _find_read(function: Any, kind: str) -> Iterator[tuple[str, str, _Bits]]:
    """(leaf, field, bits) of every field that a decoder takes out of a word."""
    local = {
        node.target.id: node.value
        for node in function.get_descendants(vy_ast.AnnAssign)
        if isinstance(node.value, vy_ast.Subscript)
    }
    for call in function.get_descendants(vy_ast.Call):
        struct = call.func.id if isinstance(call.func, vy_ast.Name) else ""
        if struct in LAYOUTS:
            for keyword in call.keywords:
                bits = _read_bits(keyword.value, local)
                word = bits.word - leaves.ACCOUNT.size // WORD if struct == "Position" else bits.word
                yield struct, keyword.arg, bits._replace(word=word)
    for node in function.get_descendants(vy_ast.Assign):
        target = node.target.value if isinstance(node.target, vy_ast.Subscript) else node.target
        if isinstance(target, vy_ast.Attribute) and target.attr not in _OTHERS:
            yield kind, _LISTS.get(target.attr, target.attr), _read_bits(node.value, local)


def _read_bits(node: Any, local: dict[str, Any]) -> _Bits:
    """The bits of a word that an expression reads."""
    if isinstance(node, vy_ast.Name):
        return _read_bits(local[node.id], local) if node.id in local else _Bits(0, 0, _BITS)
    if isinstance(node, vy_ast.Subscript):
        return _Bits(_count(node.slice), 0, _BITS)
    if isinstance(node, vy_ast.Call):
        called = node.func.attr if isinstance(node.func, vy_ast.Attribute) else node.func.id
        if called == "abi_decode":
            return _Bits(0, 0, _BITS)
        bits = _read_bits(node.args[0], local)
        width = {"_address": 160, "_number": _BITS}.get(called)
        return bits._replace(width=_count(node.args[1]) if width is None else width)
    if isinstance(node.op, vy_ast.BitAnd):
        return _read_bits(node.left, local)._replace(width=_width(node.right))
    bits = _read_bits(node.left, local)
    shift = bits.shift + _count(node.right)
    return bits._replace(shift=shift, width=_BITS - shift)


# --- numbers ----------------------------------------------------------------------------------------------------------


def _count(node: Any) -> int:
    """The value of a number, or of a sum or product of numbers, in which `i` is 0."""
    if isinstance(node, vy_ast.Int):
        return int(node.value)
    if isinstance(node, vy_ast.BinOp):
        left, right = _count(node.left), _count(node.right)
        operators = {vy_ast.Add: left + right, vy_ast.Sub: left - right, vy_ast.Mult: left * right}
        return operators[type(node.op)] if type(node.op) in operators else left // right
    return 0


def _width(node: Any) -> int:
    """How many bits a mask like `_U32` leaves."""
    return int(node.id.removeprefix("_U"))


def _read_bound(node: Any) -> tuple[str, str, int]:
    """(parameter, "at least" or "at most", number) of a comparison with `<=`."""
    if isinstance(node.left, vy_ast.Int):
        return node.right.attr, "at least", int(node.left.value)
    return node.left.attr, "at most", _constant(node.right)


def _constant(node: Any) -> int:
    """The value of another module's constant, converted or less a number."""
    if isinstance(node, vy_ast.Call):
        return _constant(node.args[0])
    if isinstance(node, vy_ast.BinOp):
        return _constant(node.left) - int(node.right.value)
    module = {"records": records, "integers": integers}[node.value.id]
    return int(getattr(module, node.attr))
