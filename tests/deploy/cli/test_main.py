"""The command line: quick help for everything, errors with a reason and an exit code, JSON, completion."""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from setoff.deploy.cli.arguments.parser import list_leaves
from setoff.deploy.cli.exit_codes import MEANINGS
from setoff.deploy.cli.main import main, make_parser, spread_settings
from setoff.deploy.cli.table import COMMANDS
from setoff.deploy.simulation.lies import CLAIM_LIES

ROOT = Path(__file__).resolve().parents[3]
OURS = ("setoff.deploy.cli", "setoff.deploy.simulation.lies", "setoff.shared")
"""Modules of ours, by the beginnings of their names, that may be imported to explain every command."""
NOT_OURS = ("setoff.shared.l1", "setoff.shared.sdk", "setoff.shared.config", "setoff.deploy.cli.commands")


def all_parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for sub in action.choices.values():
                yield from all_parsers(sub)


def test_help_of_everything_imports_the_standard_library_and_little_else() -> None:
    code = (
        "import sys; from setoff.deploy.cli.main import make_parser\n"
        "make_parser(None, is_whole=True)\n"
        "print(*sorted(name for name in sys.modules if not name.startswith('__')), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = done.stdout.split()
    tops = {name.partition(".")[0] for name in imported if "editable" not in name and not name.startswith("_")}
    assert tops - set(sys.stdlib_module_names) <= {"setoff", "setoff_modules__mypyc", "sitecustomize", "sha3"}
    ours = [name for name in imported if name.count(".") > 1 and name != "setoff.deploy.simulation"]
    assert all(name.startswith(OURS) and not name.startswith(NOT_OURS) for name in ours), ours
    assert {"asyncio", "ssl", "http", "email"}.isdisjoint(imported)


def test_what_a_command_does_is_imported_when_it_is_run() -> None:
    code = (
        "import sys; from setoff.deploy.cli.main import main\n"
        "main(['version']); print(*[name for name in sys.modules if name.startswith('setoff.deploy.cli.commands.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "setoff.deploy.cli.commands.version"


def test_every_command_has_its_arguments_and_what_runs_it() -> None:
    for room in ("arguments", "commands"):
        assert all((ROOT / "deploy" / "cli" / room / f"{name}.py").is_file() for name in COMMANDS)
    for leaf in list_leaves(make_parser(None, is_whole=True)):
        module = leaf.get_default("module") or leaf.prog.split()[1]
        assert (ROOT / "deploy" / "cli" / "commands" / f"{module}.py").is_file(), leaf.prog


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_in_eighty_columns(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert COMMANDS[name][1:] in " ".join(capsys.readouterr().out.split())
    sub = next(each for each in all_parsers(make_parser(name)) if each.prog == f"setoff {name}")
    for parser in all_parsers(sub):
        assert max(map(len, parser.format_help().splitlines())) <= 80, parser.prog
        assert parser.description, parser.prog
        for action in parser._actions:
            assert action.help, f"{parser.prog}: {action.dest} is not explained"


def test_help_lists_commands_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    assert all(f"    {name}" in told for name in COMMANDS) and all(f"  {code} " in told for code in MEANINGS)


def test_every_command_that_ends_by_itself_prints_json() -> None:
    for leaf in list_leaves(make_parser(None, is_whole=True)):
        has_json = any(action.dest == "json" for action in leaf._actions)
        assert has_json != bool(leaf.get_default("is_service")), leaf.prog


def test_the_demo_explains_every_lie(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["demo", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert all(name in told and text in told for name, text in CLAIM_LIES.items())


def test_a_wrong_setting_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["operator", "publisher", "--set", "batch_intervall=1"]) == 2
    assert "batch_intervall" in capsys.readouterr().err


def test_a_missing_deployment_is_named_and_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watcher", "status", "--set", "deployment=/nowhere.json"]) == 2
    said = capsys.readouterr().err
    assert "/nowhere.json" in said and "\nnext: name it with --deployment FILE" in said


def test_an_error_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watcher", "status", "--deployment", "/nowhere.json", "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["error"] == "bad_config" and "/nowhere.json" in told["detail"] and told["next"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("acount", "there is no 'acount'; did you mean 'account'?"),
        ("trade by 1 2", "did you mean 'buy'?"),
        ("deposit 1,5", "type it as 100, 12.5"),
        ("trade buy 1 two", "'two' is not a number, as 10 or 0.5"),
        ("deploy --operator 0x1234", "'0x1234' is not an address: 0x and 40"),
        ("agent set 1 0x", "is not an address"),
        ("agent set 1 0x" + "11" * 20 + " --days nan", "'nan' is not a number greater than 0"),
        ("devnet --port 70000", "'70000' is no port"),
    ],
)
def test_a_slip_is_told_in_a_line_with_the_next_step(line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(line.split())
    first, step = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2 and said in first and step.startswith("next: `setoff") and "--help" in step


@pytest.mark.parametrize("words", [["version"], ["--version"]])
def test_prints_its_version(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out.strip()


def test_several_settings_may_follow() -> None:
    words = ["watcher", "run", "--set", "a=1", "b=http://x?y=2", "--config", "c=d", "--set", "wrong"]
    assert spread_settings(words) == ["watcher", "run", "--set=a=1", "--set=b=http://x?y=2", *words[5:]]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_told_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(name in script for name in (*COMMANDS, "backstop-deposit", "--only-kind"))


COMPLETE = """
words=("$@"); COMP_WORDS=("${words[@]}"); COMP_CWORD=$((${#words[@]} - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
_shtab_setoff setoff "${words[COMP_CWORD]}" "${words[COMP_CWORD - 1]}" && echo "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("setoff tra", "trade transfer"),
        ("setoff trade bu", "buy"),
        ("setoff trade buy --flags po", "post-only"),
        ("setoff watcher --", "--help"),
        ("setoff operator run --config ope", "operator.toml"),
    ],
)
def test_bash_completes(line: str, completed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["completion", "bash"])
    (tmp_path / "operator.toml").touch()
    words = ["bash", "-c", capsys.readouterr().out + COMPLETE, *line.split(" ")]
    words.insert(3, "-")  # the shell's own name
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == completed, done.stderr


def test_an_interrupt_while_a_command_is_imported_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("importlib.import_module", interrupt)
    assert main(["verify"]) == 130


def test_what_nobody_foresaw_is_a_line_and_not_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: argparse.Namespace) -> int:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr("setoff.deploy.cli.commands.version.run", fail)
    assert main(["version"]) == 70
    assert capsys.readouterr().err.splitlines()[0] == "setoff: a fault of this program: ZeroDivisionError: by nothing"
    monkeypatch.setenv("SETOFF_TRACE", "1")
    with pytest.raises(ZeroDivisionError):
        main(["version"])
