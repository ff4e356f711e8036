"""Whatever is typed, nothing ends in a traceback: words drawn at random, for every command there is."""

import argparse
import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from setoff.deploy.cli.arguments.parser import list_leaves
from setoff.deploy.cli.exit_codes import BUG, MEANINGS
from setoff.deploy.cli.main import main, make_parser, spread_settings
from setoff.shared.config.deployment_file import Deployment

WORDS = (
    *("", " ", "-", "--", "-1", "0", "1", "7", "16", "999999999", "9" * 60, "9" * 5000, "1.5", "1e999", "nan", "-inf"),
    *(
        "٣",
        "½",
        "x",
        "\udcff",
        "a\nb",
        "…",
        "%s",
        "%(prog)s",
        "{}",
        "~nobody/x",
        "~",
        "/",
        "/dev/null",
        ".",
        "..2",
        ".99",
    ),
    *("0x", "0x12", "11" * 20, "0x" + "11" * 20, "22" * 32, "0x" + "00" * 124, "0x" + "ff" * 124, "true", "null"),
    *(
        "http://",
        "http://[",
        "http://127.0.0.1:9",
        "http://a b:1",
        "ws://x",
        "redis://",
        "a=b",
        "=",
        "rpc_url=",
        "key=x",
    ),
    *("buy", "sell", "list", "show", "gtc", "--json", "--help=1", "-h1", "1,000", "0.0000001", "50,20,5"),
)
OFFLINE = ("account", "trade", "transfer", "agent", "backstop", "receipts", "withdraw", "force", "verify", "market",
           "deposit", "version", "deploy", "inspect")  # fmt: skip
"""Commands that are run, too: at addresses where nothing listens."""
GOOD = {"parse_address": "0x" + "11" * 20, "parse_amount": "12.5", "parse_whole": "1", "parse_count": "1",
        "parse_time": "3", "parse_record": "0x" + "04" * 124}  # fmt: skip
"""Words of a kind, by what parses it."""
ZERO = "0x" + "00" * 20


def draw(lot: random.Random, leaf: argparse.ArgumentParser) -> list[str]:
    """Words for this command: most of its positional arguments, some of its options, with values of any kind."""
    words = leaf.prog.split()[1:]
    for action in leaf._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
            continue
        if action.option_strings and lot.random() < (0.95 if action.required else 0.25):
            words.append(lot.choice(action.option_strings))
            if action.nargs != 0:
                words.append(draw_value(lot, action))
        elif not action.option_strings and lot.random() < 0.9:
            words.append(draw_value(lot, action))
    if lot.random() < 0.2:
        words.insert(lot.randrange(len(words) + 1), lot.choice(WORDS))
    return words


def draw_value(lot: random.Random, action: argparse.Action) -> str:
    if action.choices and lot.random() < 0.7:
        return str(lot.choice(list(action.choices)))
    good = GOOD.get(getattr(action.type, "__name__", ""))
    return good if good and lot.random() < 0.6 else lot.choice(WORDS)


def leaves() -> Iterator[argparse.ArgumentParser]:
    return list_leaves(make_parser(None, is_whole=True))


def test_any_words_are_parsed_or_refused(capsys: pytest.CaptureFixture[str]) -> None:
    sys.stderr.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined] # as `main` does
    lot, parser, taken = random.Random(1), make_parser(None, is_whole=True), 0
    for leaf in leaves():
        for _ in range(12):
            words = draw(lot, leaf)
            try:
                parser.parse_args(spread_settings(words))
                taken += 1
            except SystemExit as ended:
                assert ended.code in (0, 2), ascii(words)
    assert taken > 100, "the words are never what a command takes"


@pytest.mark.parametrize("name", OFFLINE)
def test_any_command_that_is_parsed_ends_with_an_exit_code(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Deployment(31337, *[ZERO] * 7).save(tmp_path / "deployment.json")
    monkeypatch.setattr("setoff.deploy.cli.connections.RPC_PATIENCE", 0.01)
    monkeypatch.setenv("SETOFF_TRACE", "1")  # what nobody has foreseen fails here, with its place
    monkeypatch.setenv("SETOFF_DEPLOYMENT", str(tmp_path / "deployment.json"))
    monkeypatch.setenv("SETOFF_KEY", "11" * 32)
    monkeypatch.setenv("SETOFF_RPC_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("SETOFF_EXCHANGE", "http://127.0.0.1:9")
    monkeypatch.setenv("SETOFF_L1_PATIENCE", "0.01")
    lot, taken = random.Random(2), 0
    for leaf in leaves():
        if leaf.prog.split()[1] != name:
            continue
        for _ in range(12):
            words = draw(lot, leaf)
            if "--every" in words:
                continue  # until it is stopped
            try:
                code = main(words)
            except SystemExit as ended:
                code = int(ended.code or 0)
            else:
                taken += 1
            assert code in MEANINGS and code != BUG, ascii(words)
    assert taken
