"""How constants are documented: by a string literal on the lines after them, never by a comment.

A constant is what a module or a class sets once and for all. Where its name does not say all, the literal says what it
is, in which unit, and why it has this value.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_FOR_TOOLS: Final = re.compile(r"# (noqa|type:|fmt:)")
"""Comments that speak to a tool."""


def find_commented_constants(root: Path, folders: tuple[str, ...]) -> Iterator[str]:
    """Constants in the `folders` of a work tree that a comment documents; a line for each."""
    for module in sorted(module for folder in folders for module in (root / folder).rglob("*.py")):
        source = module.read_text()
        comments = dict(_read_comments(source))
        lines = {line for line, text in comments.items() if text.startswith("#:")}
        lines |= {line for line in _end_lines(ast.parse(source)) if line in comments}
        for line in sorted(lines):
            yield f"{module.relative_to(root)}:{line}: document a constant by a string literal on the lines after it"


def _read_comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not _FOR_TOOLS.match(token.string):
            yield token.start[0], token.string


def _end_lines(tree: ast.Module) -> Iterator[int]:
    """Where the constants of a module end that stand on one line: a comment there is about the whole of it."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.lineno == node.end_lineno:
            yield node.lineno
