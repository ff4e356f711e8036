"""Every command in the kit is one that exists, and every setting that it gives; its page lists its files."""

import dataclasses
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from setoff.deploy.cli.main import make_parser, spread_settings
from setoff.operator.settings import OperatorSettings
from setoff.shared.config.redis_server import DURABLE
from setoff.shared.oracle.settings import OracleSettings
from setoff.watcher.settings import WatcherSettings

ROOT = Path(__file__).resolve().parents[3]
KIT = ROOT / "deploy" / "kit"
FILES = sorted(path for path in KIT.iterdir() if path.is_file())
STANDS_FOR = {"HOST:PORT": "127.0.0.1:0", "URL": "http://127.0.0.1:1", "FILE": "some.file"}
"""What a page writes for a word that the reader knows."""


def read_yaml(name: str) -> Any:
    return yaml.safe_load((KIT / name).read_text())


def list_commands() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Where it stands, and its words after `setoff`."""
    for path in FILES:
        text = path.read_text()
        for line in re.findall(r"^ExecStart=\S+/setoff (.*)$", text, re.MULTILINE):
            yield path.name, tuple(line.split())
        if path.suffix in (".md", ".yml", ".yaml", ".json"):
            for line in re.findall(r"`setoff ([^`]*)`|bin/setoff ([^>\n#]*)", text):
                yield path.name, tuple(STANDS_FOR.get(word, word) for word in shlex.split("".join(line)))
    for name, service in read_yaml("compose.yaml")["services"].items():
        if service["image"] == "setoff":
            yield name, tuple(service["command"])
            if "healthcheck" in service:
                kind, program, *words = service["healthcheck"]["test"]
                assert (kind, program) == ("CMD", "setoff")
                yield name, tuple(words)
    (container,) = read_yaml("workers.yaml")["spec"]["template"]["spec"]["containers"]
    yield "workers.yaml", tuple(container["args"])


COMMANDS = sorted(set(list_commands()))


def test_commands_are_found_wherever_they_stand() -> None:
    assert {"RUNBOOKS.md", "README.md", "alerts.yml", "dashboard.json", "operator", "watcher", "workers.yaml"} <= {
        place for place, _ in COMMANDS
    }
    assert ("operator", ("operator", "status")) in COMMANDS and ("watcher", ("watcher", "status")) in COMMANDS


@pytest.mark.parametrize("command", sorted({words for _, words in COMMANDS}), ids=" ".join)
def test_a_command_is_one_that_exists(command: tuple[str, ...]) -> None:
    try:
        parsed = make_parser(command[0]).parse_args(spread_settings(command))
    except SystemExit as end:
        assert end.code == 0 and "--help" in command
    else:
        assert parsed.command == command[0]


def test_every_setting_that_is_given_is_one() -> None:
    known = {"SETOFF_CONFIG", "SETOFF_CACHE", "SETOFF_BUILD", "REDIS_URL"} | {
        settings.get_variable(each.name)
        for settings in (OperatorSettings, WatcherSettings, OracleSettings)
        for each in dataclasses.fields(settings)
    }
    given = set(re.findall(r"\b(SETOFF_[A-Z_]+|REDIS_URL)\b", "".join(path.read_text() for path in FILES)))
    assert {"SETOFF_OPERATOR_KEY", "SETOFF_WATCHER_KEY", "SETOFF_DEPLOYMENT"} <= given
    assert given - known == set()


def test_the_page_lists_every_file_and_the_wheel_holds_them() -> None:
    page = (KIT / "README.md").read_text()
    assert [path.name for path in FILES if path.name != "README.md" and f"`{path.name}`" not in page] == []
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert "kit/*" in data["setoff.deploy"]


def test_no_key_comes_into_an_image_or_the_work_tree() -> None:
    assert "**/*.key" in (KIT / "Containerfile.dockerignore").read_text().splitlines()
    files = [secret["file"] for secret in read_yaml("compose.yaml")["secrets"].values()]
    assert all(file.startswith("/etc/setoff/") for file in files)


def test_the_image_installs_what_is_locked_and_is_no_roots() -> None:
    lines = (KIT / "Containerfile").read_text().splitlines()
    assert any("--require-hashes -r deploy/requirements.lock" in line for line in lines)
    assert lines.index("USER 10001:10001") > max(i for i, line in enumerate(lines) if line.startswith("FROM "))
    assert json.loads(lines[-2].removeprefix("ENTRYPOINT ")) == ["setoff"]


def test_containers_have_no_rights_and_what_they_mount_is_there() -> None:
    compose = read_yaml("compose.yaml")
    for name, service in compose["services"].items():
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert int(service["user"].split(":")[0]) > 0, name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        for source in (each.split(":")[0] for each in service.get("volumes", [])):
            is_there = source in compose["volumes"] or source.startswith("/etc/setoff/") or (KIT / source).is_file()
            assert is_there, source
        assert set(service.get("secrets", [])) <= set(compose["secrets"]), name
        assert set(service.get("depends_on", [])) <= set(compose["services"]), name
    spec = read_yaml("workers.yaml")["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


def test_workers_are_scaled_by_what_there_is_to_do() -> None:
    scaling, workers = read_yaml("workers-scaling.yaml"), read_yaml("workers.yaml")
    assert (scaling["apiVersion"], scaling["kind"]) == ("keda.sh/v1alpha1", "ScaledObject")
    spec = scaling["spec"]
    assert spec["scaleTargetRef"]["name"] == workers["metadata"]["name"]
    assert spec["minReplicaCount"] == workers["spec"]["replicas"] < spec["maxReplicaCount"]
    (trigger,) = spec["triggers"]
    assert trigger["type"] == "prometheus" and float(trigger["metadata"]["threshold"]) > 0
    address = urlsplit(trigger["metadata"]["serverAddress"])
    assert address.hostname in read_yaml("compose.yaml")["services"] and address.port == 9090


def test_what_is_not_for_everybody_has_a_file_of_its_own() -> None:
    for name, service in read_yaml("compose.yaml")["services"].items():
        if service["image"] == "setoff":
            role = name.partition("-")[0]
            assert service["env_file"] == [{"path": f"/etc/setoff/{role}.env", "required": False}], name
    for unit in KIT.glob("*.service"):
        role = unit.name.split("-")[1].removesuffix(".service")
        assert f"\nEnvironmentFile=-/etc/setoff/{role}.env\n" in unit.read_text()


def test_a_runbook_is_there_for_each_bad_day() -> None:
    heads = re.findall(r"^## (.*)$", (KIT / "RUNBOOKS.md").read_text(), re.MULTILINE)
    for words in (
        "key",
        "store is lost",
        "copy of the log",
        "L1 does not answer",
        "dispute",
        "Handing over",
        "upgrading",
    ):
        assert any(words in head for head in heads), words


def test_the_stores_are_as_durable_as_an_operator_demands() -> None:
    for name in ("operator-store", "watcher-store"):
        words = shlex.split(read_yaml("compose.yaml")["services"][name]["command"])[1:]
        assert dict(zip(words[::2], words[1::2], strict=True)) == {f"--{key}": value for key, value in DURABLE.items()}
