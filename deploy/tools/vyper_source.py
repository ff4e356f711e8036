"""Vyper's sources as trees, for whatever compares them with something: a part of `twins.py`."""

from functools import lru_cache

from vyper.ast import nodes as vy_ast
from vyper.ast import parse_to_ast


@lru_cache(maxsize=1)
def parse(source: str) -> vy_ast.Module:
    """The tree of a source, to be read and not changed. Who asks for the same one again gets the same one."""
    return parse_to_ast(source)
