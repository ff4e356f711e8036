"""Compares the rules in Python with their twins in Vyper: `python -m setoff.deploy.tools.twins`.

A twin has the same file name, and in it the same constants with the same values, the same structs with the same fields,
and the same functions, in the same order. What a file has on one side only is listed here, with the reason; names that
begin with an underscore are each side's own affair. That twins also *do* the same is shown by `tests/differential`.

Exit code 1, and one line a difference, if they have drifted apart.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from operator import add, floordiv, lshift, mul, or_, sub
from pathlib import Path
from typing import Any, Final

from vyper.ast import nodes as vy_ast

from setoff.contracts.compiler import ROOT as CONTRACTS
from setoff.deploy.tools.leaf_twins import (
    LAYOUTS,
    find_leaf_differences,
    find_listing_differences,
    find_register_differences,
    find_terms_differences,
)
from setoff.deploy.tools.record_twins import ENCODED, find_record_differences
from setoff.deploy.tools.vyper_source import parse
from setoff.shared import errors
from setoff.shared.codec import records

SHARED: Final = Path(errors.__file__).parent
FOLDERS: Final = ("codec", "state", "rules")

PYTHON_ONLY_FILES: Final[dict[str, str]] = {
    "codec/hashing": "keccak256 is built into Vyper",
    "codec/layout": "codec/records.vy says of each type what follows from this; see record_twins.py",
    "codec/merkle": "court/merkle.vy",
    "codec/recovery": "ecrecover is built into Vyper",
    "state/layout": "state/leaves.vy says of each leaf what follows from this; see leaf_twins.py",
    "state/fields": "as state/layout",
    "state/nodes": "L1 holds no tree",
    "state/tree": "L1 holds no tree; state/witness.vy folds paths",
    "rules/step": "the dispatch in judge.vy",
}
"""Python files without a twin of their name."""
VYPER_ONLY_FILES: Final[dict[str, str]] = {
    "state/witness": "fold in state/tree.py",
}
"""Vyper files without a twin of their name."""
PYTHON_ONLY: Final[dict[str, frozenset[str]]] = {
    "errors": frozenset(
        {
            "OUTCOMES",
            "SERVICE_REASONS",
            "CONTRACT_REASONS",
            "SetoffError",
            "InputError",
            "WitnessError",
            "DataError",
            "ChainError",
            "ConfigError",
            "StateError",
            "is_known_reason",
        }
    ),
    # L1 reads records, and never writes one; what it reads of each type is compared in `record_twins.py`.
    "codec/records": frozenset(
        {
            *("TYPES", "SIGNED", "UNUSED", "encode", "encode_crank", "encode_leg_page", "encode_struct", "decode"),
            *("LegPageBody", "SetMarketBody", "WindDownBody"),
        }
    ),
    # The separator is made in court/genesis.vy, once; typed data is for wallets.
    "codec/eip712": frozenset(
        {
            *("domain_separator", "recover_signer", "recover_ahead", "typed_data"),
            *("FoundSigners", "get", "find_signers", "note_signers"),
        }
    ),
    # L1 recovers a signer once, when it judges the step.
    "codec/signatures": frozenset({"sign", "compact", "address_of", "recover_ahead", "note_ahead"}),
    # A contract copies a struct by assigning it, and the ABI is its encoding.
    "state/registers": frozenset(
        {"FIELDS", "IN_FLIGHT", "LAYOUT", "InFlight", "Registers", "encode", "decode", "copy", "machine_hashes"}
    ),
    "state/leaves": frozenset({"clear", *LAYOUTS, *(name.upper() for name in LAYOUTS), "REPORT"}),
    # L1 sees one step: nothing to cache, undo or write together.
    "state/store": frozenset(
        {
            *("State", "encode_leaf", "values", "has_journal", "write", "begin_journal", "end_journal", "undo"),
            *("of", "restore", "commit", "trim"),
        }
    ),
    "rules/phases": frozenset({"NAMES"}),
    # What people and the columns of a sweep ask, and no step; and Vyper has no tuples to look in.
    "rules/margin": frozenset({"get_tiers", "PAYMENTS"}),
    "rules/liquidation": frozenset({"compute_liquidation_price"}),
    "rules/fees": frozenset({"NAMES", "compute_rate"}),
    "rules/listing": frozenset({"CHANGEABLE"}),
    # The judge's fetch: it chooses between the contracts of messages and of records.
    "rules/fetch": frozenset({"step_fetch"}),
}
"""Names of a Python file that L1 has no use for."""
VYPER_ONLY: Final[dict[str, frozenset[str]]] = {
    # In Python they follow from the fields.
    "codec/records": frozenset(f"{kind.title}_TYPE" for kind in records.SIGNED.values()) | ENCODED.keys(),
    # Compared in `leaf_twins.py`.
    "state/leaves": frozenset(LAYOUTS),
    "state/registers": frozenset({"Registers"}),
    "state/store": frozenset({"Witness", "check_count"}),
}
"""Names of a Vyper file that Python has no use for."""
TABLES: Final[dict[str, Callable[[str], list[str]]]] = {
    "codec/records": find_record_differences,
    "state/leaves": find_leaf_differences,
    "state/registers": find_register_differences,
    "rules/fees": find_terms_differences,
    "rules/listing": find_listing_differences,
}
"""Vyper files that say again what a table in Python says, and what compares them."""
JUDGES: Final = ("judge", "state/witness", "receipts")
"""Contracts beside the twins whose reasons must be on the shared list as well."""

_OPERATORS: Final[dict[str, Any]] = {
    "Add": add,
    "Sub": sub,
    "Mult": mul,
    "FloorDiv": floordiv,
    "Pow": pow,
    "LShift": lshift,
    "BitOr": or_,
}


@dataclass(slots=True)
class Outline:
    """What a source file defines, in order: constants with their values, structs with their fields, functions."""

    constants: dict[str, int | str] = field(default_factory=dict)
    structs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    functions: list[str] = field(default_factory=list)


def _is_public(name: str, excluded: frozenset[str]) -> bool:
    return not name.startswith("_") and name not in excluded


# --- Python ----------------------------------------------------------------------------------------------------------


def outline_python(source: str, excluded: frozenset[str] = frozenset()) -> Outline:
    """Outline of a Python module. Methods count as functions of the module; constants are numbers and strings."""
    outline = Outline()
    values: dict[str, Any] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            name = node.target.id
            value = _evaluate_python(node.value, values)
            values[name] = value
            if name.islower() and _is_public(name, excluded):
                outline.functions.append(name)  # one that another has made
            elif _is_public(name, excluded) and name.isupper():
                if not isinstance(value, int | str):
                    raise ValueError(f"{name} is neither a number nor a string")
                outline.constants[name] = value
        elif isinstance(node, ast.FunctionDef) and _is_public(node.name, excluded):
            outline.functions.append(node.name)
        elif isinstance(node, ast.ClassDef):
            _outline_class(node, values, outline, excluded)
    return outline


def _outline_class(node: ast.ClassDef, values: Mapping[str, Any], outline: Outline, excluded: frozenset[str]) -> None:
    fields: tuple[str, ...] = ()
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and _is_public(item.name, excluded):
            outline.functions.append(item.name)
        elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            fields += (item.target.id,)
    if _is_public(node.name, excluded):
        outline.structs[node.name] = fields


def _evaluate_python(node: ast.expr, values: Mapping[str, Any]) -> Any:
    """Value of a constant's expression, None if it is more than numbers, strings and tuples of them."""
    code = compile(ast.Expression(node), "constant", "eval")
    try:
        return eval(code, {"__builtins__": {}}, dict(values))
    except (NameError, TypeError, AttributeError):
        return None


# --- Vyper -----------------------------------------------------------------------------------------------------------


def outline_vyper(source: str, excluded: frozenset[str] = frozenset()) -> Outline:
    """Outline of a Vyper module."""
    outline = Outline()
    values: dict[str, int | str] = {}
    for node in parse(source).body:
        if isinstance(node, vy_ast.VariableDecl) and node.is_constant:
            name = node.target.id
            values[name] = _evaluate_vyper(node.value, values)
            if _is_public(name, excluded):
                if values[name] is None:
                    raise ValueError(f"{name} is neither a number nor a string")
                outline.constants[name] = values[name]
        elif isinstance(node, vy_ast.StructDef) and _is_public(node.name, excluded):
            outline.structs[node.name] = tuple(item.target.id for item in node.body)
        elif isinstance(node, vy_ast.FunctionDef) and _is_public(node.name, excluded):
            outline.functions.append(node.name)
    return outline


def _evaluate_vyper(node: Any, values: Mapping[str, int | str]) -> Any:
    """Value of a constant's expression, None if another module's constants are part of it."""
    if isinstance(node, vy_ast.Attribute):
        return None
    if isinstance(node, vy_ast.Int | vy_ast.Str):
        return node.value
    if isinstance(node, vy_ast.Name):
        return values[node.id]
    if isinstance(node, vy_ast.BinOp):
        left, right = _evaluate_vyper(node.left, values), _evaluate_vyper(node.right, values)
        if left is None or right is None:
            return None
        return _OPERATORS[type(node.op).__name__](left, right)
    raise ValueError(f"a constant that is neither a number nor a string, in line {node.lineno}")


def find_reasons(source: str) -> Iterator[tuple[int, str]]:
    """(line, reason) of every assertion and raise of a Vyper file; an assertion without a reason has ""."""
    for node in parse(source).get_descendants((vy_ast.Assert, vy_ast.Raise)):
        reason = node.msg if isinstance(node, vy_ast.Assert) else node.exc
        yield node.lineno, reason.value if isinstance(reason, vy_ast.Str) else ""


@cache
def find_unknown_reasons(source: str) -> tuple[str, ...]:
    """What a Vyper file reverts with although it is not on the shared list."""
    return tuple(
        f"line {line} of Vyper reverts with {reason!r}, which is not on the list in errors.py"
        for line, reason in find_reasons(source)
        if not errors.is_known_reason(reason)
    )


# --- comparison ------------------------------------------------------------------------------------------------------


@cache
def compare(name: str, python: str, vyper: str) -> tuple[str, ...]:
    """Differences between two sources that are twins under the file name `name` ("rules/margin").

    Remembered, as reading Vyper takes a tenth of a second a file: who changes one file and compares again waits for it
    alone.
    """
    left = outline_python(python, PYTHON_ONLY.get(name, frozenset()))
    right = outline_vyper(vyper, VYPER_ONLY.get(name, frozenset()))
    found: list[str] = []
    found += _compare_names("constant", list(left.constants), list(right.constants))
    for constant in left.constants.keys() & right.constants.keys():
        ours, theirs = left.constants[constant], right.constants[constant]
        if ours != theirs:
            found.append(f"constant {constant} is {ours!r} in Python, {theirs!r} in Vyper")
    found += _compare_names("struct", list(left.structs), list(right.structs))
    for struct in left.structs.keys() & right.structs.keys():
        fields, twins = left.structs[struct], right.structs[struct]
        if fields != twins:
            found.append(f"struct {struct} has {', '.join(fields)} in Python, {', '.join(twins)} in Vyper")
    found += _compare_names("function", left.functions, right.functions)
    found += _compare_record_types(python, vyper)
    if name in TABLES:
        found += TABLES[name](vyper)
    found += find_unknown_reasons(vyper)
    return tuple(f"{name}: {difference}" for difference in found)


def _compare_record_types(python: str, vyper: str) -> Iterator[str]:
    """The types that each names as `records.ORDER`: where one twin has a rule for a type, the other has as well.

    Both name a type as often, so that none is loaded without a first phase; but FORCED, which the judge sorts out.
    """
    titles = {kind.title for kind in records.TYPES.values()} - {"FORCED"}
    ours, theirs = (Counter(re.findall(r"\brecords\.([A-Z_]+)\b", source)) for source in (python, vyper))
    for title in sorted(titles):
        if ours[title] > theirs[title]:
            yield f"the record type {title} is not named in Vyper where it is in Python"
        elif theirs[title] > ours[title]:
            yield f"the record type {title} is not named in Python where it is in Vyper"


def _compare_names(kind: str, python: Sequence[str], vyper: Sequence[str]) -> Iterator[str]:
    for name in python:
        if name not in vyper:
            yield f"{kind} {name} is missing in Vyper"
    for name in vyper:
        if name not in python:
            yield f"{kind} {name} is missing in Python"
    common, twins = [n for n in python if n in vyper], [n for n in vyper if n in python]
    if common != twins:
        moved = next(ours for ours, theirs in zip(common, twins, strict=True) if ours != theirs)
        yield f"{kind} {moved} stands elsewhere in Vyper"


def list_files(root: Path, suffix: str) -> set[str]:
    """Names of the files that have, or could have, twins: "errors", "codec/records", …"""
    found = {f"{folder}/{path.stem}" for folder in FOLDERS for path in (root / folder).glob(f"*{suffix}")}
    return {"errors"} | {name for name in found if not name.endswith("/__init__")}


def find_differences(shared: Path = SHARED, contracts: Path = CONTRACTS) -> list[str]:
    """All differences between the rules in the folder `shared` and their twins in the folder `contracts`."""
    python = list_files(shared, ".py") - PYTHON_ONLY_FILES.keys()
    vyper = list_files(contracts, ".vy") - VYPER_ONLY_FILES.keys()
    found = [f"{name}: shared/{name}.py has no twin contracts/{name}.vy" for name in sorted(python - vyper)]
    found += [f"{name}: contracts/{name}.vy has no twin shared/{name}.py" for name in sorted(vyper - python)]
    for name in sorted(python & vyper):
        found += compare(name, (shared / f"{name}.py").read_text(), (contracts / f"{name}.vy").read_text())
    groups = sorted(f"rule_groups/{path.stem}" for path in (contracts / "rule_groups").glob("*.vy"))
    for name in (*JUDGES, *groups):
        found += [f"{name}: {line}" for line in find_unknown_reasons((contracts / f"{name}.vy").read_text())]
    return found


def main() -> int:
    """Print the differences; 1 if there are any."""
    found = find_differences()
    for difference in found:
        print(difference, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
