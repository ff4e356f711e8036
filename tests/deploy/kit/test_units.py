"""The systemd units: every one hardened, started and stopped as its service wants it, and known to systemd."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from setoff.deploy.cli import supervisor
from setoff.deploy.cli.exit_codes import WRONG_USE
from setoff.shared.config import redis_server
from setoff.watcher import service

KIT = Path(__file__).resolve().parents[3] / "deploy" / "kit"
UNITS = {path.name: path for path in sorted(KIT.glob("*.service"))}
INSTALLED = "/opt/setoff/bin/setoff"
HARDENED = {
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "MemoryDenyWriteExecute": "yes",
    "RestrictNamespaces": "yes",
    "SystemCallFilter": "@system-service",
    "UMask": "0077",
    "RestartPreventExitStatus": str(WRONG_USE),
}
MOST_EXPOSED = 20
"""Tenths, as `systemd-analyze security` counts: 10 of 10 is a service that may do anything."""


def read_unit(path: Path) -> Iterator[tuple[str, str]]:
    """Its settings in order: some stand there more than once, which configparser does not take."""
    for line in path.read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            yield name, value


def read_section(name: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in read_unit(UNITS[name]):
        found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_is_hardened_and_runs_as_a_user_of_its_own(name: str) -> None:
    unit = read_section(name)
    for key, value in HARDENED.items():
        assert unit[key] == [value], key
    users = [line.split()[1] for line in (KIT / "setoff.sysusers.conf").read_text().splitlines() if line[:2] == "u "]
    assert unit["User"][0] in users
    assert unit["WorkingDirectory"] == [f"/var/lib/{unit['StateDirectory'][0]}"]
    assert unit["ExecStart"][0].startswith(f"{INSTALLED} ")


@pytest.mark.parametrize("role", ["operator", "watcher", "oracle"])
def test_a_key_is_a_credential_and_never_among_the_words(role: str) -> None:
    unit = read_section(f"setoff-{role}.service")
    (credential,) = unit["LoadCredential"]
    assert credential == f"{role}-key:/etc/setoff/{role}.key"
    assert f"SETOFF_{role.upper()}_KEY=%d/{role}-key" in unit["Environment"]
    with_key = [name for name in UNITS if "key:" in UNITS[name].read_text()]
    assert with_key == ["setoff-operator.service", "setoff-oracle.service", "setoff-watcher.service"]
    assert not any("--key" in path.read_text() for path in UNITS.values())


@pytest.mark.parametrize(("role", "grace"), [("operator", supervisor.GRACE), ("watcher", service.GRACE)])
def test_systemd_waits_for_l1_and_for_a_drain(role: str, grace: float) -> None:
    unit = read_section(f"setoff-{role}.service")
    assert unit["Type"] == ["notify"] and unit["TimeoutStartSec"] == ["infinity"]
    assert unit["KillMode"] == ["mixed"]  # only the supervisor knows in which order its parts stop
    assert float(unit["TimeoutStopSec"][0]) > grace + redis_server.STOP_TIMEOUT
    assert unit["Restart"] == ["on-failure"]


needs_analyze = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")


@needs_analyze
def test_systemd_knows_every_setting(tmp_path: Path) -> None:
    for name, path in UNITS.items():
        assert INSTALLED in path.read_text()
        (tmp_path / name).write_text(path.read_text().replace(INSTALLED, sys.executable))
    units = [str(tmp_path / name) for name in UNITS]
    checked = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    ours = [line for line in checked.stderr.splitlines() if "setoff" in line]
    assert (checked.returncode, ours) == (0, [])


@needs_analyze
@pytest.mark.parametrize("name", UNITS)
def test_little_is_exposed(name: str) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", f"--threshold={MOST_EXPOSED}"]
    seen = subprocess.run([*command, str(UNITS[name])], capture_output=True, text=True)
    if "nrecognized option" in seen.stderr:
        pytest.skip("this systemd-analyze judges no files")
    assert seen.returncode == 0, seen.stdout[-300:] + seen.stderr
