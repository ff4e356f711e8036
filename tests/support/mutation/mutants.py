"""Small changes of a source, one at a time: every comparison, constant, sign, rounding, assignment and condition.

What an annotation says of a field of a class (its first byte, its range) is changed, too.

A mutant is named by its file, the function that it is in, what is changed into what, and, where the same change can be
made at several places of the function, which of them it is: so a name outlives changes elsewhere.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]

_COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_OPERATORS: Final[dict[type[ast.operator], tuple[type[ast.operator], ...]]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitOr,),
}
_CALLS: Final[dict[str, tuple[str, ...]]] = {
    "min": ("max",),
    "max": ("min",),
    "any": ("all",),
    "all": ("any",),
    "div_up": ("div_floor",),
    "div_floor": ("div_ceil", "div_trunc"),
    "div_ceil": ("div_floor", "div_trunc"),
    "div_trunc": ("div_floor", "div_ceil"),
}
_ROUNDINGS: Final = "setoff.shared.codec.integers"
_FIELDS: Final[dict[str, str]] = {
    "stamp": "time",
    "index": "mark",
    "mark": "index",
    "bids": "asks",
    "asks": "bids",
    "bid": "ask",
    "ask": "bid",
    "initial_margin": "maintenance_margin",
    "maintenance_margin": "initial_margin",
    "taker_fee": "maker_fee",
    "maker_fee": "taker_fee",
    "sweep_time": "time",
    "lots": "size",
    "anchor": "mark_anchor",
    "mark_anchor": "anchor",
    "trigger_market": "market",
}
"""Fields that are near to each other, and what a reader may take one for."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`change` of the source `file` (from the work tree's root) in the function `where`, the `nth` of its kind there.

    where: as Python qualifies names, "" for what a module does itself; lines: those whose running it may change.
    """

    file: str
    where: str
    change: str
    nth: int
    lines: range
    is_loading: bool
    """Whether it is met when the module is loaded, and not in a function."""
    is_of_field: bool
    """Whether it changes what is said of a field of a class: its place, or what it may hold."""
    number: int
    """Among all of the file."""

    @property
    def name(self) -> str:
        nth = f" ({self.nth + 1})" if self.nth else ""
        return f"{self.file}: {self.where or 'module'}: {self.change}{nth}"


def list_mutants(file: str) -> list[Mutant]:
    """Every mutant of a source."""
    tree = ast.parse((ROOT / file).read_text())
    found: list[Mutant] = []
    seen: Counter[tuple[str, str]] = Counter()
    for number, site in enumerate(_walk(tree)):
        key = (site.where, site.change)
        found.append(Mutant(file, *key, seen[key], site.lines, site.is_loading, site.is_of_field, number))
        seen[key] += 1
    return found


def make_mutant(mutant: Mutant) -> ast.Module:
    """The whole source with the change; as it is, of a mutant whose number is -1."""
    tree = ast.parse((ROOT / mutant.file).read_text())
    if mutant.number == -1:
        return tree
    for number, site in enumerate(_walk(tree)):
        if number == mutant.number:
            site.apply()
            return ast.fix_missing_locations(tree)
    raise AssertionError(f"no mutant {mutant.number} of {mutant.file}")


PROBE: Final = "__probe__"


def make_probe(mutant: Mutant) -> ast.Module:
    """The whole source, in which every comparison of two numbers around the change tells PROBE what it compares: a
    number of its own, and the two. PROBE gives back the first of them."""
    tree = ast.parse((ROOT / mutant.file).read_text())
    found: ast.AST = tree
    for name in mutant.where.split("."):
        body = getattr(found, "body")  # noqa: B009
        found = next(each for each in body if isinstance(each, (ast.FunctionDef, ast.ClassDef)) and each.name == name)
    _Prober(mutant.lines).visit(found)
    return ast.fix_missing_locations(tree)


class _Prober(ast.NodeTransformer):
    def __init__(self, lines: range) -> None:
        self.lines = lines
        self.count = 0

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        sides = [node.left, *node.comparators]
        for place, op in enumerate(node.ops):
            if node.lineno in self.lines and not isinstance(op, (ast.In, ast.NotIn, ast.Is, ast.IsNot)):
                sides[place] = self.tell(sides[place], sides[place + 1])
        node.left, node.comparators = sides[0], sides[1:]
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        is_chosen = isinstance(node.func, ast.Name) and node.func.id in ("min", "max") and len(node.args) > 1
        if is_chosen and node.lineno in self.lines:
            for place in range(len(node.args) - 1):
                node.args[place] = self.tell(node.args[place], node.args[place + 1])
        return node

    def tell(self, left: ast.expr, right: ast.expr) -> ast.expr:
        self.count += 1
        return ast.Call(ast.Name(PROBE, ast.Load()), [ast.Constant(self.count), left, right], [])


@dataclass(frozen=True, slots=True)
class _Site:
    where: str
    change: str
    lines: range
    is_loading: bool
    is_of_field: bool
    apply: Callable[[], None]


def _walk(tree: ast.Module) -> Iterator[_Site]:
    yield from _Walker("", is_loading=True).visit_block(tree, "body")


class _Walker:
    """Finds the places of one function, or of what is run when a module is loaded."""

    def __init__(self, where: str, *, is_loading: bool) -> None:
        self.where = where
        self.is_loading = is_loading
        self.is_of_field = False
        self.lines = range(0)

    def visit_block(self, owner: ast.AST, block: str) -> Iterator[_Site]:
        for statement in list(getattr(owner, block, [])):
            yield from self.visit_statement(owner, block, statement)

    def visit_statement(self, owner: ast.AST, block: str, node: ast.stmt) -> Iterator[_Site]:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield from self.visit_definition(node)
            return
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Assert, ast.Pass, ast.Global)) or _is_text(node):
            return
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        is_simple = not hasattr(node, "body")
        self.lines = _lines(node) if is_simple else range(0)
        if not self.is_loading and _is_removable(node):
            yield self.exchange(owner, block, node, ast.Pass(), f"{_cut(ast.unparse(node))} is gone")
        if isinstance(node, ast.AugAssign):
            for operator in _OPERATORS.get(type(node.op), ()):
                yield self.exchange(owner, block, node, ast.AugAssign(node.target, operator(), node.value))
            yield self.exchange(owner, block, node, ast.Assign([node.target], node.value))
        if isinstance(node, ast.Break):
            yield self.exchange(owner, block, node, ast.Continue())
        if isinstance(node, ast.Continue):
            yield self.exchange(owner, block, node, ast.Break())
        if isinstance(node, ast.Raise):
            return
        if isinstance(node, ast.If):
            for value in (True, False):
                test = ast.unparse(node.test)
                yield self.replace(node, "test", node.test, ast.Constant(value), f"if {_cut(test)} → if {value}")
        if isinstance(node, ast.AnnAssign) and self.is_loading and ast.unparse(node.annotation).startswith("Annotated"):
            self.is_of_field = True
            yield from self.visit_expression(node, "annotation", node.annotation)
            self.is_of_field = False
        is_assignment = isinstance(node, (ast.AnnAssign, ast.Assign))
        for name, value in ast.iter_fields(node):
            if isinstance(value, ast.expr) and not (is_assignment and name in ("annotation", "target")):
                yield from self.visit_expression(node, name, value)
        for name in ("body", "orelse", "finalbody"):
            yield from self.visit_block(node, name)
        for handler in getattr(node, "handlers", []):
            yield from self.visit_block(handler, "body")

    def visit_definition(self, node: ast.FunctionDef | ast.ClassDef) -> Iterator[_Site]:
        inner = f"{self.where}.{node.name}" if self.where else node.name
        is_function = isinstance(node, ast.FunctionDef)
        if isinstance(node, ast.FunctionDef):
            self.lines = range(node.lineno, node.body[0].lineno)
            for name in ("defaults", "kw_defaults"):
                for default in getattr(node.args, name):
                    if default is not None:
                        yield from self.visit_expression(node.args, name, default)
        yield from _Walker(inner, is_loading=self.is_loading and not is_function).visit_block(node, "body")

    def exchange(self, owner: ast.AST, block: str, old: ast.stmt, new: ast.stmt, change: str = "") -> _Site:
        """The site that puts one statement where another is."""
        new = ast.fix_missing_locations(ast.copy_location(new, old))
        change = change or f"{_cut(ast.unparse(old))} → {_cut(ast.unparse(new))}"

        def apply() -> None:
            found: list[ast.stmt] = getattr(owner, block)
            found[next(place for place, each in enumerate(found) if each is old)] = new

        return _Site(self.where, change, self.lines or _lines(old), self.is_loading, self.is_of_field, apply)

    def replace(self, owner: ast.AST, field: str, old: ast.expr, new: ast.expr, change: str = "") -> _Site:
        """The site that puts one expression where another is."""
        new = ast.fix_missing_locations(ast.copy_location(new, old))
        change = change or f"{_cut(ast.unparse(old))} → {_cut(ast.unparse(new))}"

        def apply() -> None:
            value = getattr(owner, field)
            if isinstance(value, list):
                value[next(place for place, each in enumerate(value) if each is old)] = new
            else:
                setattr(owner, field, new)

        return _Site(self.where, change, self.lines or _lines(old), self.is_loading, self.is_of_field, apply)

    def visit_expression(self, owner: ast.AST, field: str, node: ast.expr) -> Iterator[_Site]:
        for new in _variants(node):
            # A number that others stand on is changed in one way: loading them all again takes its time.
            if not (self.is_loading and isinstance(new, ast.Constant) and _is_less(new.value, node)):
                yield self.replace(owner, field, node, new)
        if isinstance(node, ast.JoinedStr):
            return
        if isinstance(node, (ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)):
            for generator in node.generators:
                yield from self.visit_expression(generator, "iter", generator.iter)
                for condition in generator.ifs:
                    yield self.replace(generator, "ifs", condition, ast.Constant(True))
                    yield from self.visit_expression(generator, "ifs", condition)
        for name, value in ast.iter_fields(node):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, ast.keyword):
                    yield from self.visit_expression(each, "value", each.value)
                elif isinstance(each, ast.expr):
                    yield from self.visit_expression(node, name, each)


def _is_less(value: object, node: ast.expr) -> bool:
    before = node.value if isinstance(node, ast.Constant) else None
    return type(value) is int and type(before) is int and value < before


def _lines(node: ast.stmt | ast.expr) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_removable(node: ast.stmt) -> bool:
    """Whether its name would not be missing; of assignments those to attributes and places."""
    if isinstance(node, (ast.AugAssign, ast.Raise, ast.Expr, ast.Return, ast.Continue)):
        return True
    targets = node.targets if isinstance(node, ast.Assign) else []
    return bool(targets) and all(isinstance(target, (ast.Attribute, ast.Subscript)) for target in targets)


def _variants(node: ast.expr) -> Iterator[ast.expr]:
    """What an expression may be changed to."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int):
            yield ast.Constant(node.value + 1)
            yield ast.Constant(node.value - 1)
        elif isinstance(node.value, bytes):
            yield ast.Constant(node.value + b"\1")
    elif isinstance(node, ast.Compare):
        for place, op in enumerate(node.ops):
            for other in _COMPARISONS[type(op)]:
                ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
                yield ast.Compare(node.left, ops, node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        for place in range(len(node.values)):
            rest = node.values[:place] + node.values[place + 1 :]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub, ast.Invert)):
        yield node.operand
    elif isinstance(node, ast.BinOp):
        for operator in _OPERATORS.get(type(node.op), ()):
            yield ast.BinOp(node.left, operator(), node.right)
        if isinstance(node.op, ast.FloorDiv):
            yield ast.UnaryOp(ast.USub(), ast.BinOp(ast.UnaryOp(ast.USub(), node.left), ast.FloorDiv(), node.right))
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        name = node.func.id
        for other_name in _CALLS.get(name, ()):
            function: ast.expr = ast.Name(other_name, ast.Load())
            if other_name.startswith("div"):
                module = ast.Call(ast.Name("__import__", ast.Load()), [ast.Constant(_ROUNDINGS)], [])
                module.keywords = [ast.keyword("fromlist", ast.List([ast.Constant("x")], ast.Load()))]
                function = ast.Attribute(module, other_name, ast.Load())
            yield ast.Call(function, node.args, node.keywords)
        if name in ("abs", "reversed", "sorted"):
            yield node.args[0]
        if name in ("min", "max") and len(node.args) > 1:
            for place in range(len(node.args)):
                rest = node.args[:place] + node.args[place + 1 :]
                yield rest[0] if len(rest) == 1 else ast.Call(node.func, rest, [])
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr in _FIELDS:
        yield ast.Attribute(node.value, _FIELDS[node.attr], ast.Load())


def _cut(text: str) -> str:
    text = " ".join(text.split()).replace("__import__('setoff.shared.codec.integers', fromlist=['x']).", "")
    return text if len(text) <= 100 else f"{text[:60]} … {text[-37:]}"
