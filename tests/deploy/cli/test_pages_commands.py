"""Every command that a page of the repository names is one that exists, with the options that it is given there."""

import re
import shlex
from pathlib import Path

import pytest

from setoff.deploy.cli.main import make_parser, spread_settings

ROOT = Path(__file__).resolve().parents[3]
HISTORY = "deploy/CHANGELOG.md"
"""Tells of commands as they were."""
STANDS_FOR = {
    "ADDRESS": "0x" + "11" * 20,
    "0xOWNER": "0x" + "11" * 20,
    "HOST:PORT": "127.0.0.1:0",
    "URL": "http://127.0.0.1:1",
    "NAME=VALUE": "log_level=info",
    "WEATHER": "flat",
}
"""What a page writes for a word that the reader knows; other words in capitals are numbers, names or files."""
UNFINISHED = (
    "the following arguments are required",
    "expected one argument",
    "expected at least one argument",
    "one of the arguments",
)
"""What a mention that stops early is refused with."""


def find_commands() -> dict[str, str]:
    """Words after `setoff`, and a page that has them."""
    found: dict[str, str] = {}
    for path in sorted(ROOT.rglob("*.md")):
        page, text = str(path.relative_to(ROOT)), path.read_text()
        if page != HISTORY and not re.search(r"(^|/)\.(?!github)|node_modules", page):
            for line in re.findall(r"(?<!`)`(?:deploy/run )?setoff ([^`]*)`", text):
                found.setdefault(" ".join(line.split()), page)
            for line in re.findall(r"^\$ (?:deploy/run )?setoff ([^#\n]*)", text, re.MULTILINE):
                found.setdefault(line.strip(), page)
    return found


COMMANDS = find_commands()


def test_commands_are_found_where_they_stand() -> None:
    assert {"exit --look", "withdraw 400 --no-wait", "operator run"} <= COMMANDS.keys() and len(COMMANDS) > 60


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_a_command_is_one_that_exists(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = re.sub(r"\$\([^)]*\)", STANDS_FOR["ADDRESS"], command)
    words = shlex.split(re.split(r"…|\.\.\.|[|>]", command)[0])
    if words == ["--version"]:
        return
    words = [STANDS_FOR.get(word, "1" if re.fullmatch("[A-Z]{1,12}", word) else word) for word in words]
    chosen = next((word for word in words if not word.startswith("-")), None)
    try:
        make_parser(chosen).parse_args(spread_settings(words))
    except SystemExit as end:
        said = capsys.readouterr().err
        assert end.code == 0 or any(each in said for each in UNFINISHED), f"{COMMANDS[command]}: {said}"
