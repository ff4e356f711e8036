"""The command line: quick help, errors with a reason and an exit code."""

import subprocess
import sys

import pytest

from setoff.deploy.cli.main import COMMANDS, main
from setoff.deploy.simulation.faults import FAULTS


def test_help_names_every_command_without_importing_what_it_needs() -> None:
    code = (
        "import sys; from setoff.deploy.cli.main import main\n"
        "try: main(['--help'])\nfinally: print('setoff.shared.l1.rpc' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert all(name in done.stdout for name in COMMANDS)
    assert done.stdout.endswith("False\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert COMMANDS[name].purpose[1:20] in capsys.readouterr().out


def test_the_demo_explains_every_lie(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["demo", "--help"])
    told = capsys.readouterr().out
    assert all(name in told and fault.text in told for name, fault in FAULTS.items())


def test_a_wrong_setting_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["operator", "publisher", "--set", "batch_intervall=1"]) == 1
    assert "batch_intervall" in capsys.readouterr().err


def test_a_missing_deployment_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watcher", "status", "--set", "deployment=/nowhere.json"]) == 1
    assert "/nowhere.json" in capsys.readouterr().err


def test_prints_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out.strip()


def test_an_interrupt_while_a_command_is_imported_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("importlib.import_module", interrupt)
    assert main(["verify"]) == 130
