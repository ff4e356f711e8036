"""The parser of the command line: help of at most 80 columns, and errors that say what to do next."""

from __future__ import annotations

import argparse
import difflib
import re
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, Final, NoReturn

WIDTH: Final = 80
"""Columns of help, at most."""

WRONG_USE: Final = 2
"""Exit code where nothing was done because the command line or a setting is wrong."""

_COLUMN: Final = re.compile(r" +\S+(?: \S+)*  +")
"""What stands before the second column of a list."""

_CHOICE: Final = re.compile(r"argument [^:]*: invalid choice: '([^']*)' \(choose from (.*)\)")


class Formatter(argparse.HelpFormatter):
    """Wraps paragraphs; of lists and examples, whose lines begin with two spaces, each line for itself."""

    def __init__(self, prog: str, **options: Any) -> None:
        width = min(shutil.get_terminal_size().columns, WIDTH)
        super().__init__(prog, **{"width": max(width, 40), "max_help_position": 26, **options})

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        wrapped = (_wrap(each, width) for each in text.strip("\n").split("\n\n"))
        return textwrap.indent("\n\n".join(wrapped), indent)


def _wrap(paragraph: str, width: int) -> str:
    lines: list[str] = []
    plain: list[str] = []
    for line in [*paragraph.splitlines(), "  "]:
        if not line.startswith("  "):
            plain.append(line)
            continue
        if plain:
            lines += textwrap.wrap(" ".join(plain), width, break_long_words=False, break_on_hyphens=False)
            plain = []
        lines += _wrap_item(line, width)
    return "\n".join(lines[:-1])


def _wrap_item(line: str, width: int) -> list[str]:
    """A line of a list; what does not fit stands under the last of its columns."""
    if len(line) <= width:
        return [line]
    column = _COLUMN.match(line)
    indent = " " * (column.end() if column else 6)
    return textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


class Parser(argparse.ArgumentParser):
    """A parser whose sub-parsers are of its kind."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": Formatter, "allow_abbrev": False, **options})

    def add_subparsers(self, **options: Any) -> Any:
        """A group of sub-commands."""
        return super().add_subparsers(**{"help": "one of these:", **options})

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in a line, and where help is; ends with exit code 2."""
        wrong = _CHOICE.search(message)
        if wrong is not None:
            known = [each.strip("'") for each in wrong[2].split(", ")]
            near = difflib.get_close_matches(wrong[1], known, 1)
            message = f"there is no '{wrong[1]}'" + (f"; did you mean '{near[0]}'?" if near else f": {wrong[2]}")
        print(f"{self.prog}: {message}", file=sys.stderr)
        print(f"next: `{self.prog} --help`", file=sys.stderr)
        sys.exit(WRONG_USE)


def describe_groups(parser: argparse.ArgumentParser) -> None:
    """Every sub-command that has no description gets what its group says of it."""
    for group in (action for action in parser._actions if isinstance(action, argparse._SubParsersAction)):
        for listed in group._choices_actions:
            sub = group.choices[listed.dest]
            if listed.help and not sub.description:
                sub.description = listed.help[0].upper() + listed.help[1:] + "."
            describe_groups(sub)


def list_leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers of all commands that can be run: those without sub-commands, and those that need none."""
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not any(group.required for group in groups):
        yield parser
    for group in groups:
        for sub in group.choices.values():
            yield from list_leaves(sub)
