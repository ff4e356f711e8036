"""What people type by mistake is refused in a line that says why; and processes end with the one that started them."""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.processes.commands import Command
from tests.support.processes.running_operator import Running
from tests.support.waiting import wait_until

from setoff.deploy.cli import main as cli
from setoff.deploy.cli.amounts import Money, parse_amount
from setoff.deploy.cli.commands.devnet import GUIDE, name_command
from setoff.deploy.cli.inspection.verdict import compare
from setoff.deploy.devnet.anvil import dev_keys
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ConfigError, InputError
from setoff.shared.l1.proven import ProvenClaim
from setoff.shared.sdk import KeySigner
from setoff.watcher.execution.verify import Execution

START, TRUE, FALSE = b"\1" * 32, b"\2" * 32, b"\3" * 32


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("trade buy 1 -5 77990", "size_out_of_range"),
        ("trade buy 1 5 -1", "price_out_of_range"),
        ("trade buy 70000 5 100", "unknown_market"),
        ("trade amend -1 5 100", "order_slot_out_of_range"),
        ("trade crank -1", "unknown_market"),
        ("trade report 1 -100 --signer 0", "price_out_of_range"),
    ],
)
async def test_numbers_out_of_range_are_refused_before_they_are_signed(
    exchange: Running,
    setoff: Command,
    line: str,
    reason: str,
) -> None:
    said = await setoff(line, code=1)
    first, advice = said.splitlines()
    assert first.startswith(f"setoff: {reason}: ") and said.count(reason) == 1 and advice.startswith("next: ")


@pytest.mark.parametrize(
    "text", ["12,5", "1,00", ",100", "1,0000", "-1", "1.", ".", "", "1e3", "٣", "1,000,00", "0.0000001"]
)
def test_amounts_that_can_be_misread_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="6 decimals at most"):
        parse_amount(text)


@pytest.mark.parametrize(
    ("text", "units"), [("12.5", 12_500_000), ("1,000", 10**9), ("1,234,567.89", 1_234_567_890_000), (".5", 500_000)]
)
def test_amounts(text: str, units: int) -> None:
    assert parse_amount(text) == units


def test_a_folder_that_cannot_be_made_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["devnet", "--dir", "/proc/x/y"]) == 2
    assert "--dir: /proc/x/y cannot be made" in capsys.readouterr().err


def test_the_guide_names_a_command_that_is_there() -> None:
    command = name_command().split()
    assert Path(command[0]).is_file() and command[1:] == ["setoff"]
    typed = [line for line in GUIDE.splitlines() if line.startswith("  ") and "export" not in line]
    assert len(typed) == 20 and all("{setoff} " in line for line in typed)


@pytest.mark.parametrize("line", ["wallet fund 0x" + 40 * "1", "market list ETH-PERP"])
def test_what_only_a_development_chain_has_is_refused_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    path = tmp_path / "deployment.json"
    Deployment(1, *(["0x" + 40 * "a"] * 7)).save(path)
    assert cli.main([*line.split(), f"--deployment={path}"]) == 2
    said = capsys.readouterr().err
    assert "wrong_chain: there is a " in said and "on a development chain (31337), and not on chain 1" in said


def test_amounts_of_a_token_have_its_decimals() -> None:
    assert Money("WEI", 18).read(parse_amount("1.5")) == 15 * 10**17
    assert Money("YEN", 0).read(parse_amount("15")) == 15 and Money("YEN", 0).show(1_500) == "1,500 YEN"
    assert Money("CENT", 2).show(-123_456) == "-1,234.56 CENT"
    with pytest.raises(InputError, match="CENT has 2 decimals"):
        Money("CENT", 2).read(parse_amount("1.505"))


@pytest.mark.parametrize("key", [dev_keys()[3].hex(), "0x" + dev_keys()[3].hex(), f" {dev_keys()[3].hex()}\n"])
def test_a_key_may_be_text(key: str) -> None:
    assert KeySigner(key).address == KeySigner(dev_keys()[3]).address


@pytest.mark.parametrize("key", ["", "12" * 31, b"\1" * 31, bytes(32), "zz" * 32, "ff" * 32, None])
def test_a_bad_key_is_never_shown(key: str | bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        KeySigner(key)
    assert caught.value.reason == "bad_config" and "ff" not in str(caught.value)


def test_what_is_missing_is_told_once(tmp_path: Path) -> None:
    words = [
        sys.executable,
        "-m",
        "setoff.deploy.cli",
        "operator",
        "run",
        "--set",
        f"deployment={tmp_path / 'none'}",
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and done.stderr.count("\n") == 2 and "there is no file" in done.stderr


@pytest.mark.parametrize(("named", "said"), [(Path(), "is empty"), (Path("/tmp"), "/tmp is a folder")])
def test_no_deployment_file_is_named(named: Path, said: str) -> None:
    with pytest.raises(ConfigError, match=f"no file is named: .*{said}"):
        Deployment.load(named)


@dataclass
class HandCourt:
    """The answers of a court."""

    confirmed: bytes = bytes(32)
    state: int = 0
    start: bytes = START
    end: bytes = bytes(32)
    result: bytes = bytes(32)
    is_claimed: bool = False
    """From whatever start."""

    def start_of(self, epoch: int) -> bytes:
        return self.confirmed if epoch == 8 else bytes(32)

    def claim(self, epoch_hash: bytes, start: bytes) -> ProvenClaim:
        is_known = start == self.start and self.state > 0
        return ProvenClaim(is_known, self.end, self.result) if is_known else ProvenClaim(False, bytes(32))


@pytest.mark.parametrize(
    ("court", "code", "said", "verdict"),
    [
        (HandCourt(confirmed=TRUE), 0, "has confirmed this end", "here agrees"),
        (HandCourt(confirmed=FALSE), 1, "has confirmed another end: 0x0303", "here DIFFERS"),
        (HandCourt(), 0, "nobody has claimed one", "here has nothing to agree with"),
        (HandCourt(state=1, end=TRUE, is_claimed=True), 0, "this one is claimed", "here agrees"),
        (HandCourt(state=1, end=FALSE, is_claimed=True), 1, "another one is claimed: 0x0303", "here DIFFERS"),
        (
            HandCourt(state=2, end=FALSE, result=TRUE, is_claimed=True),
            0,
            "this one is installed by a dispute",
            "agrees",
        ),
        (HandCourt(state=2, end=TRUE, result=FALSE, is_claimed=True), 1, "another one is installed", "here DIFFERS"),
        (HandCourt(state=1, start=FALSE, end=TRUE, is_claimed=True), 1, "claimed from another start", "here DIFFERS"),
    ],
)
def test_verify_tells_what_is_claimed_and_comes_to_a_verdict(
    court: HandCourt, code: int, said: str, verdict: str
) -> None:
    execution = Execution(7, START, TRUE, ())
    found = compare(court, 7, b"hash", execution, lambda: court.is_claimed)  # type: ignore[arg-type]
    assert (found.agrees is False) == bool(code) and said in found.why and verdict in f"here {found.text}"


def children_of(process: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a killed process's children")
def test_the_operators_parts_end_with_it_when_it_is_killed(tmp_path: Path) -> None:
    # With no chain at that address both parts go on asking for a while: long enough to be left behind.
    zero = "0x" + "00" * 20
    Deployment(31337, zero, zero, zero, zero, zero, zero, zero).save(tmp_path / "deployment.json")
    environment = os.environ | {
        "SETOFF_DEPLOYMENT": str(tmp_path / "deployment.json"),
        "SETOFF_RPC_URL": "http://127.0.0.1:9",
        "SETOFF_OPERATOR_KEY": dev_keys()[1].hex(),
        "SETOFF_REDIS_DIR": str(tmp_path / "redis"),
    }
    words = [sys.executable, "-m", "setoff.deploy.cli", "operator", "run"]
    with subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL) as operator:
        parts: list[int] = []

        def have_started() -> bool:
            nonlocal parts
            assert operator.poll() is None, "it has ended by itself"
            with contextlib.suppress(OSError):
                parts = children_of(operator.pid)
            return len(parts) == 2

        try:
            wait_until(have_started, 30)
        finally:
            operator.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(is_alive(part) for part in parts), 6, what="a part outlives the operator")


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False
