"""The labels of the protocol's rules: `python -m setoff.deploy.tools.rule_labels [--fix]`.

A sentence of `shared/PROTOCOL.md` is a rule, and stands behind a label of its own, in small type, that links lead to:
`<sup id="8.FILL.3">8.FILL.3</sup>`. The first part is the section; the word, where the section has parts, the first of
the part's title. Whoever writes a rule leaves the label out and runs `--fix`, which gives the next free number of its
family, and never another to a rule that has one: a label says which rule is meant, and nothing of its place.

No rules are titles, tables, code, leading words in bold or italics, a sentence in parentheses, a quoted paragraph, and
sections or parts of them that begin with `INFORMATIVE`.

A citation is a label in brackets, in any page, source or test. In the pages of the protocol it is a link.

Exit code 1, and one line a fault, if a rule has no label, a label stands twice or was never given, or a citation leads
nowhere.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDERS: Final = ("operator", "watcher", "shared", "contracts", "deploy", "tests")
SUFFIXES: Final = (".py", ".vy", ".vyi", ".md", ".ts", ".toml")
PAGE: Final = Path("shared", "PROTOCOL.md")
LINKED: Final = (PAGE, Path("shared", "RATIONALE.md"))
"""Pages in which citations are links."""
WIDTH: Final = 120
INFORMATIVE: Final = "*Informative: no rules here.*"
"""The line with which a section or a part of one begins that only explains."""
GIVEN: Final = "<!-- labels given so far, by `deploy/run check --fix`:"
LINKS: Final = "<!-- links: made by `deploy/run check --fix` -->"

_NAME: Final = r"\d+\.(?:[A-Z]+\.)?\d+"
_LABEL: Final = re.compile(rf'<sup id="({_NAME})">\1</sup>')
_CITATION: Final = re.compile(r"\[([1-9]\d*\.(?:[A-Z]+\.)?\d+)\]")
_NUMBER: Final = re.compile(r"(\d+(?:\.[A-Z]+)?):(\d+)")
_ITEM: Final = re.compile(r"\s*(?:-|\d+\.) ")
_NO_PROSE: Final = re.compile(r"\s*(?:$|#|\||>|<!--|\[[^\]]+\]: |-->)")
_LEAD: Final = re.compile(r"(\*{1,2}[^*]+[.:?]\*{1,2}|\*{1,2}[^*]+\*{1,2}\.)(?:\s|$)")
_WORD: Final = re.compile(r'<sup id="[^"]+">[^<]+</sup>|\S+')
_BEGINS_A_BLOCK: Final = re.compile(r"[-+*>|#]|[-+]$|\d+[.)]$")


@dataclass
class Rule:
    """A sentence, as one line of text; the notes in parentheses behind it are part of it. No label: it needs one."""

    label: str
    text: str
    is_rule: bool = True


@dataclass
class Block:
    """A paragraph or an item of a list: lines `start` to `end` of the page, in the family of labels `family`."""

    start: int
    end: int
    family: str
    marker: str
    lead: str
    rules: list[Rule]

    def write(self) -> list[str]:
        """Its lines: the marker and leading words, then each rule from a line of its own on."""
        pieces = [self.lead] if self.lead else []
        for rule in self.rules:
            label = f'<sup id="{rule.label}">{rule.label}</sup> ' if rule.label else ""
            pieces.append(label + rule.text)
        indent = " " * len(self.marker)
        lines = [line for piece in pieces for line in wrap(piece, WIDTH - len(indent))]
        return [(indent if number else self.marker) + line for number, line in enumerate(lines)]


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most this width, none of which begins as an item, a quotation or a table does."""
    lines: list[list[str]] = [[]]
    for word in _WORD.findall(text):
        if lines[-1] and len(" ".join([*lines[-1], word])) > width:
            lines.append([])
            if _BEGINS_A_BLOCK.match(word) and not word.startswith(("**", "*")) and len(lines[-2]) > 1:
                lines[-1].append(lines[-2].pop())
        lines[-1].append(word)
    return [" ".join(line) for line in lines]


def split_sentences(text: str) -> list[str]:
    """A text as sentences: a note in parentheses belongs to the sentence before it, and what code says ends nothing."""
    ends, depth, in_code = [0], 0, False
    for found in re.finditer(r"[`()]|[.!?][*”\"]*(?=\s)|\.\)(?=\s)", text):
        mark = found[0]
        if mark == "`":
            in_code = not in_code
        if in_code or mark == "`":
            continue
        depth += {"(": 1, ")": -1, ".)": -1}.get(mark, 0)
        if mark not in "()" and depth == 0 and text[found.end() :].lstrip()[:1] != "(":
            ends.append(found.end())
    ends.append(len(text))
    return [part.strip() for part in (text[start:end] for start, end in pairwise(ends)) if part.strip()]


def strip_labels(text: str) -> str:
    """A page without its labels."""
    return re.sub(_LABEL.pattern + " ", "", text)


def read_blocks(page: str) -> Iterator[Block]:
    """The paragraphs and items that hold rules."""
    section = part = ""
    in_code = is_skipped = is_part_skipped = False
    lines = page.split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if line == GIVEN:
            return
        if line.startswith("```"):
            in_code = not in_code
        if in_code or line.startswith("```"):
            continue
        if title := re.match(r"## (\d+)\.", line):
            section, part, is_skipped, is_part_skipped = title[1], "", False, False
        elif title := re.match(r"### (?:Shared: )?(\w+)", line):
            part, is_part_skipped = title[1].upper(), False
        elif line == INFORMATIVE:
            is_skipped, is_part_skipped = is_skipped or not part, True
        if not section or is_skipped or is_part_skipped or _NO_PROSE.match(line):
            continue
        start = number - 1
        while number < len(lines) and not (_NO_PROSE.match(lines[number]) or _ITEM.match(lines[number])):
            number += 1
        item = _ITEM.match(line)
        marker = item[0] if item else line[: len(line) - len(line.lstrip())]
        text = " ".join(piece.strip() for piece in [line[len(marker) :], *lines[start + 1 : number]])
        lead = _LEAD.match(text)
        body = text[lead.end() :] if lead else text
        family = f"{section}.{part}" if part else section
        yield Block(start, number, family, marker, lead[1] if lead else "", list(_read_rules(body)))


def _read_rules(body: str) -> Iterator[Rule]:
    parts = _LABEL.split(body)
    for label, text in zip(["", *parts[1::2]], parts[::2], strict=True):
        for place, sentence in enumerate(split_sentences(text)):
            is_note = sentence.startswith("(") and split_sentences(sentence) == [sentence] and sentence.endswith(")")
            yield Rule(label if place == 0 else "", sentence, is_rule=not (is_note and not label))


def read_given(page: str) -> dict[str, int]:
    """The highest number given so far in each family, which may be of a rule that is gone."""
    given = _read_list(page)
    for label in _LABEL.findall(page):
        family, _, number = label.rpartition(".")
        given[family] = max(given.get(family, 0), int(number))
    return given


def _read_list(page: str) -> dict[str, int]:
    """The numbers in the list at the page's end."""
    return {family: int(number) for family, number in _NUMBER.findall(page.partition(GIVEN)[2].partition("-->")[0])}


def fix_page(page: str) -> str:
    """The page with a label for each rule that has none, and each rule on lines of its own."""
    given = read_given(page)
    lines = page.split("\n")
    written, done = [], 0
    for block in read_blocks(page):
        for rule in block.rules:
            if rule.is_rule and not rule.label:
                given[block.family] = given.get(block.family, 0) + 1
                rule.label = f"{block.family}.{given[block.family]}"
        written += [*lines[done : block.start], *block.write()]
        done = block.end
    body = "\n".join([*written, *lines[done:]]).partition(GIVEN)[0].partition(LINKS)[0].rstrip()
    text = " · ".join(f"{family}:{number}" for family, number in sorted(given.items(), key=_order))
    return "\n".join([body, "", GIVEN, *wrap(text, WIDTH), "-->", "", *write_links(body, ""), ""])


def _order(item: tuple[str, int]) -> tuple[int, str]:
    section, _, part = item[0].partition(".")
    return int(section), part


def _order_labels(label: str) -> tuple[int, str, int]:
    family, _, number = label.rpartition(".")
    return *_order((family, 0)), int(number)


def write_links(body: str, target: str) -> list[str]:
    """What makes the citations of a page links to rules of the page `target` (none: of its own)."""
    cited = sorted(set(_CITATION.findall(body)), key=_order_labels)
    return [LINKS, *(f"[{name}]: {target}#{name}" for name in cited)] if cited else []


def find_label_faults(root: Path, folders: tuple[str, ...] = FOLDERS, *, fix: bool = False) -> Iterator[str]:
    """What is wrong with labels and citations, a sentence each. With `fix`, the pages are written anew first."""
    if fix:
        _fix_pages(root)
    page = (root / PAGE).read_text()
    labels = Counter(_LABEL.findall(page))
    given = _read_list(page)
    for label, count in labels.items():
        family, _, number = label.rpartition(".")
        if count > 1:
            yield f"{PAGE}: the label {label} stands {count} times"
        if given.get(family, 0) < int(number):
            yield f"{PAGE}: the label {label} was made by hand, run `deploy/run check --fix`"
    for block in read_blocks(page):
        for rule in block.rules:
            if rule.is_rule and not rule.label:
                yield f"{PAGE}:{block.start + 1}: no label, run `deploy/run check --fix`: {rule.text[:60]}"
    yield from _find_stale_citations(root, folders, set(labels))


def _fix_pages(root: Path) -> None:
    """Write labels and links anew; a page that is as it should be stays untouched."""
    for path in LINKED:
        old = (root / path).read_text() if (root / path).exists() else ""
        new = fix_page(old) if path == PAGE else _link_page(old)
        if new != old:
            (root / path).write_text(new)


def _link_page(page: str) -> str:
    body = page.partition(LINKS)[0].rstrip()
    return "\n".join([body, "", *write_links(body, PAGE.name)]).rstrip() + "\n" if body else page


def _find_stale_citations(root: Path, folders: tuple[str, ...], labels: set[str]) -> Iterator[str]:
    files = {path for folder in folders for path in (root / folder).rglob("*") if path.suffix in SUFFIXES}
    for path in sorted({*files, *root.glob("*.md")}):
        if "node_modules" in path.parts:
            continue
        text = path.read_text()
        name = path.relative_to(root)
        for label in sorted(set(_CITATION.findall(text)) - labels):
            yield f"{name}: cites {label}, which {PAGE} has not"
        if name in LINKED:
            target = "" if name == PAGE else PAGE.name
            body, _, links = text.partition(LINKS)
            if write_links(body, target)[1:] != links.split("\n")[1:-1]:
                yield f"{name}: its links are stale, run `deploy/run check --fix`"


def main(arguments: list[str]) -> int:
    """Print what is wrong; 1 if anything is."""
    faults = list(find_label_faults(ROOT, fix="--fix" in arguments))
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
