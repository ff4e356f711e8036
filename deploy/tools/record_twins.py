"""Compares Vyper's reading of records with their fields in Python: a part of `twins.py`.

`contracts/codec/records.vy` is written by hand, for people to read. Of every type of `records.TYPES` it says again the
size, the EIP-712 type, where each field stands and how wide it is, and what its struct hash is made of; here each is
looked for in its source, and whatever is missing, different or too much is a difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from vyper.ast import nodes as vy_ast

from setoff.deploy.tools.vyper_source import parse
from setoff.shared.codec import records
from setoff.shared.codec.layout import Field, fields_of

Place = tuple[int, int]
"""(first byte, how many) of a field."""

ENCODED: Final = {"encode_list_market": records.LIST_MARKET, "encode_set_terms": records.SET_TERMS}
"""What makes a message of a proposal, and of which type."""
_KINDS: Final = {
    **{body.__name__: fields_of(body, 1) for body in (each.body for each in records.TYPES.values())},
    records.Leg.__name__: fields_of(records.Leg),
}


def find_record_differences(source: str) -> list[str]:
    """What differs between the text of `codec/records.vy` and the fields in `codec/records.py`."""
    module = parse(source)
    functions = {node.name: node for node in module.body if isinstance(node, vy_ast.FunctionDef)}
    found = [*_compare_types(module), *_compare_sizes(functions["_size_of"])]
    structs = {node.name: node for node in module.body if isinstance(node, vy_ast.StructDef)}
    for name, function in functions.items():
        if name.startswith("decode_"):
            found += _compare_fields(function, structs)
    for name, kind in ENCODED.items():
        found += _compare_encoder(functions[name], kind)
    return found + list(_compare_hashes(functions["struct_hash"]))


def _compare_types(module: Any) -> Iterator[str]:
    """The constants with the EIP-712 types."""
    ours = {f"{kind.title}_TYPE": kind.type_string for kind in records.SIGNED.values()}
    theirs = {
        node.target.id: node.value.value
        for node in module.body
        if isinstance(node, vy_ast.VariableDecl) and node.target.id.endswith("_TYPE")
    }
    yield from _compare("constant", ours, theirs)


def _compare_sizes(function: Any) -> Iterator[str]:
    """The branches of `_size_of`."""
    ours = {kind.title: kind.size for kind in records.TYPES.values()}
    theirs = {branch.test.right.id: branch.body[0].value.value for branch in function.get_children(vy_ast.If)}
    yield from _compare("size of", ours, theirs)


def _compare_hashes(function: Any) -> Iterator[str]:
    """The branches of `struct_hash`, the last of which is an assertion and what follows it."""
    ours = {kind.title: f"{kind.title}_TYPE with decode_{kind.title.lower()}" for kind in records.SIGNED.values()}
    returns = [(branch.test, branch.body[0]) for branch in function.get_children(vy_ast.If)]
    returns += zip(
        (node.test for node in function.get_children(vy_ast.Assert)),
        function.get_children(vy_ast.Return),
        strict=True,
    )
    theirs = {}
    for test, result in returns:
        type_hash, fields = result.value.args[0].args
        theirs[test.right.id] = f"{type_hash.args[0].id} with {fields.func.attr}"
    yield from _compare("struct hash of", ours, theirs)


def _compare_fields(function: Any, structs: dict[str, Any]) -> Iterator[str]:
    """Where a decoder finds each field of the struct it returns, and what that struct makes of it."""
    (result,) = function.get_children(vy_ast.Return)
    name = result.value.func.id
    if name not in _KINDS:
        yield f"{function.name} returns {name}, which is no body"
        return
    fields, types = _KINDS[name], {item.target.id: item.annotation for item in structs[name].body}
    local = {node.target.id: node.value for node in function.get_children(vy_ast.AnnAssign)}
    places = {}
    for keyword in _find_keywords(result.value, structs, types):
        value = keyword.value
        places[keyword.arg] = _find_place(local.get(value.id) if isinstance(value, vy_ast.Name) else value)
    ours = {field.name: f"bytes {field.start} to {field.start + field.size - 1}" for field in fields}
    theirs = {key: f"bytes {start} to {start + size - 1}" for key, (start, size) in places.items()}
    yield from _compare(f"{function.name}:", ours, theirs)
    if list(places) != [field.name for field in fields]:
        yield f"{function.name} reads the fields in another order"
    for field in fields:
        if (told := _name_of(types.get(field.name))) != _vyper_type(field):
            yield f"struct {name} has {field.name} as {told} instead of {_vyper_type(field)}"


def _find_keywords(call: Any, structs: dict[str, Any], types: dict[str, Any]) -> Iterator[Any]:
    """The fields that a struct is made with, those of a struct in it for that one; `types` gets theirs."""
    for keyword in call.keywords:
        value = keyword.value
        inner = structs.get(getattr(getattr(value, "func", None), "id", ""))
        if inner is None:
            yield keyword
        else:
            types |= {item.target.id: item.annotation for item in inner.body}
            yield from _find_keywords(value, structs, types)


def _compare_encoder(function: Any, number: int) -> Iterator[str]:
    """The fields that the encoder of a type of message puts behind each other, and their widths."""
    (result,) = function.get_children(vy_ast.Return)
    _, *parts = result.value.args
    theirs, end = {}, 1
    for part in parts:
        size = int(part.args[-1].id.removeprefix("bytes"))  # of convert(…, bytes4) as of empty(bytes32)
        for node in part.get_descendants(vy_ast.Attribute):
            theirs[node.attr] = f"bytes {end} to {end + size - 1}"
        end += size
    kind = records.TYPES[number]
    ours = {field.name: f"bytes {field.start} to {field.start + field.size - 1}" for field in kind.fields}
    yield from _compare(f"{function.name}:", ours, theirs)
    if end != records.RECORD_BYTES:
        yield f"{function.name} makes a message of another length"


def _find_place(node: Any) -> Place:
    """The bytes that an expression of a decoder reads."""
    if isinstance(node, vy_ast.BinOp):
        return _find_bits(node)
    called = node.func.attr if isinstance(node.func, vy_ast.Attribute) else node.func.id
    if called == "_read":
        return node.args[1].value, node.args[2].value
    if called == "extract32":
        return node.args[1].value, 32
    if called == "slice":
        return node.args[1].value, getattr(records, node.args[2].id)
    if called in ("convert", "concat"):
        return _find_place(node.args[0])
    raise ValueError(f"line {node.lineno}: {called} is no way to read a field")


def _find_bits(node: Any) -> Place:
    """The bytes of a leg's integer that shifts and masks leave: `leg >> 72 & 255`, `leg >> 80`, `leg & (2**40 - 1)`."""
    mask, shifted = (_number(node.right), node.left) if isinstance(node.op, vy_ast.BitAnd) else (None, node)
    shift = _number(shifted.right) // 8 if isinstance(shifted, vy_ast.BinOp) else 0
    size = records.LEG_BYTES - shift if mask is None else mask.bit_length() // 8
    return records.LEG_BYTES - shift - size, size


def _number(node: Any) -> int:
    """The value of a number, or of `2**n - 1`."""
    if isinstance(node, vy_ast.Int):
        return int(node.value)
    base, exponent, less = (int(part.value) for part in (node.left.left, node.left.right, node.right))
    return int(base**exponent) - less


def _vyper_type(field: Field) -> str:
    if field.type == "bytes60":
        return "Bytes"  # with room for a signature
    return field.type if field.is_bytes else "int256" if field.type.startswith("int") else "uint256"


def _name_of(annotation: Any) -> str:
    return str(
        annotation.value.id if isinstance(annotation, vy_ast.Subscript) else getattr(annotation, "id", "nothing")
    )


def _compare(what: str, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            yield f"{what} {name} is {ours.get(name, 'missing')!r} in Python, {theirs.get(name, 'missing')!r} in Vyper"
