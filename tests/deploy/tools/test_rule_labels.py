"""Rules get labels, one each, for good; what cites a rule that is not there is found."""

from pathlib import Path

import pytest

from setoff.deploy.tools import rule_labels
from setoff.deploy.tools.rule_labels import find_label_faults, fix_page, split_sentences, strip_labels

PAGE = """# The page

An introduction.

## 1. Words

*Informative: no rules here.*

This explains.

## 2. Deeds

**Money.** It is counted. `a. b` is code (as is this. And this). (A note.) The next rule.

| a | table |
|---|---|
| 1 | 2 |

> Why so?

1. If so: do
   this.
   - Else that.

### Steps taken

A step.

### Shared: a part

*Informative: no rules here.*

It explains, too.

### Shared: the rest

A rule.
"""

LABELLED = """# The page

An introduction.

## 1. Words

*Informative: no rules here.*

This explains.

## 2. Deeds

**Money.**
<sup id="2.1">2.1</sup> It is counted.
<sup id="2.2">2.2</sup> `a. b` is code (as is this. And this). (A note.)
<sup id="2.3">2.3</sup> The next rule.

| a | table |
|---|---|
| 1 | 2 |

> Why so?

1. <sup id="2.4">2.4</sup> If so: do this.
   - <sup id="2.5">2.5</sup> Else that.

### Steps taken

<sup id="2.STEPS.1">2.STEPS.1</sup> A step.

### Shared: a part

*Informative: no rules here.*

It explains, too.

### Shared: the rest

<sup id="2.THE.1">2.THE.1</sup> A rule.

<!-- labels given so far, by `deploy/run check --fix`:
2:5 · 2.STEPS:1 · 2.THE:1
-->

"""


def cite(label: str) -> str:
    """A citation, written so that the check of this repository does not take this file for one."""
    return f"[{label}]"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    (tmp_path / rule_labels.PAGE).write_text(LABELLED)
    return tmp_path


def test_each_sentence_gets_a_label() -> None:
    assert fix_page(PAGE) == LABELLED
    assert fix_page(LABELLED) == LABELLED


def test_a_page_without_labels_says_the_same() -> None:
    assert " ".join(strip_labels(LABELLED).partition("<!--")[0].split()) == " ".join(PAGE.split())


def test_a_new_rule_gets_the_next_number_and_no_other_rule_another() -> None:
    grown = LABELLED.replace("The next rule.", "Before. The next rule. Behind.").replace("A step.", "A step. Two.")
    fixed = fix_page(grown)
    assert '(A note.)\n<sup id="2.3">2.3</sup> Before.\n<sup id="2.6">2.6</sup> The next rule.\n' in fixed
    assert '<sup id="2.7">2.7</sup> Behind.' in fixed and '<sup id="2.STEPS.2">2.STEPS.2</sup> Two.' in fixed


def test_the_number_of_a_rule_that_is_gone_is_not_given_again() -> None:
    shrunk = "\n".join(line for line in LABELLED.split("\n") if "2.5" not in line or ":" in line)
    assert '<sup id="2.6">2.6</sup> Another.' in fix_page(shrunk.replace("do this.", "do this. Another."))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('<sup id="2.3">2.3</sup> The', "The", "no label, run `deploy/run check --fix`: The next rule."),
        ('"2.3">2.3<', '"2.2">2.2<', "the label 2.2 stands 2 times"),
        ('"2.3">2.3<', '"2.9">2.9<', "the label 2.9 was made by hand"),
        ("do this.", "do this. And that.", "no label, run `deploy/run check --fix`: And that."),
        ("Why so?", f"Why {cite('2.8')}?", "cites 2.8, which shared/PROTOCOL.md has not"),
        ("Why so?", f"By {cite('2.8')}: so.", "cites 2.8, which shared/PROTOCOL.md has not"),
        ("Why so?", f"Why {cite('2.3')}?", "its links are stale"),
    ],
)
def test_faults_of_the_page(root: Path, old: str, new: str, said: str) -> None:
    assert not list(find_label_faults(root))
    (root / rule_labels.PAGE).write_text(LABELLED.replace(old, new))
    assert said in "\n".join(find_label_faults(root))


def test_citations_in_sources_lead_to_rules(root: Path) -> None:
    source = root / "shared" / "here.py"
    source.write_text(f'"""{cite("2.STEPS.1")}, {cite("2.5")}; {cite("0.0")} is a number."""\n')
    assert not list(find_label_faults(root, ("shared",)))
    source.write_text(f'"""{cite("2.STEPS.2")}"""\n')
    assert list(find_label_faults(root, ("shared",))) == [
        "shared/here.py: cites 2.STEPS.2, which shared/PROTOCOL.md has not"
    ]


def test_citations_in_the_pages_become_links(root: Path) -> None:
    text = (root / rule_labels.PAGE).read_text()
    (root / rule_labels.PAGE).write_text(text.replace("A step.", f"A step, as in {cite('2.3')}."))
    reasons = root / "shared" / "RATIONALE.md"
    reasons.write_text(f"# Why\n\nFor {cite('2.STEPS.1')}.\n")
    assert not list(find_label_faults(root, ("shared",), fix=True))
    assert (root / rule_labels.PAGE).read_text().endswith(f"{rule_labels.LINKS}\n{cite('2.3')}: #2.3\n")
    assert reasons.read_text().endswith(f"{rule_labels.LINKS}\n{cite('2.STEPS.1')}: PROTOCOL.md#2.STEPS.1\n")


def test_no_line_begins_as_an_item_does() -> None:
    long = "2. Deeds".join(["## ", "\n\n" + "word " * 22 + "a + b − c. Then " + "word " * 22 + "> 4.\n"])
    assert not [line for line in fix_page(long).split("\n") if line.startswith(("+ ", "- ", "> "))]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. `two`. Three", ["One.", "`two`.", "Three"]),
        ("**One.** Two (2. of two). Three.", ["**One.**", "Two (2. of two).", "Three."]),
        ("One. (A note. Of two.) Two.", ["One. (A note. Of two.)", "Two."]),
        ("At 0.5 of x.y", ["At 0.5 of x.y"]),
    ],
)
def test_sentences(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences
