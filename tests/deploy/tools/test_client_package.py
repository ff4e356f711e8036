"""What `pip install setoff` brings is enough for a trader: the client and its commands run without the extra `node`."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tomllib
import venv
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tests.support.processes.running_operator import Running, open_market, operator
from tests.support.wheels import PIP, ROOT, build_wheel, copy_sources

from setoff.deploy.simulation.sample_traffic import trader_key
from setoff.shared.config.redis_server import RedisServer

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NODE = {canonicalize_name(Requirement(text).name) for text in PROJECT["optional-dependencies"]["node"]}
BASE = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
BROUGHT = {
    "aiohappyeyeballs", "aiosignal", "attrs", "frozenlist", "idna", "multidict", "propcache", "yarl", "cffi",
}  # fmt: skip
"""By aiohttp and coincurve."""
PLACE = """
import asyncio, sys
from setoff.shared.sdk import KeySigner, SetoffClient
from setoff.shared.codec.records import BUY
async def place():
    async with SetoffClient(sys.argv[1], KeySigner(sys.argv[2])) as client:
        return await client.place(1, BUY, 90, 5)
print(asyncio.run(place()).resting)
"""


def imported_by(code: str) -> set[str]:
    """Top names of the modules that a fresh interpreter has after `code`, but the standard library's."""
    code += "\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()} - set(sys.stdlib_module_names)


def test_who_only_trades_imports_little() -> None:
    tops = imported_by("from setoff.shared.sdk import KeySigner, OrderEntry, SetoffClient, WalletSigner")
    homes = packages_distributions()
    brought = {canonicalize_name(home) for top in tops if not top.startswith("_") for home in homes.get(top, ())}
    assert brought <= BASE | BROUGHT | {"setoff"}, brought
    assert {"requests", "eth_abi", "pydantic", "rich"}.isdisjoint(tops), (
        "what reads L1 is imported when it is asked for"
    )


@pytest.mark.slow
def test_all_of_the_client_needs_nothing_of_a_node() -> None:
    tops = imported_by("from setoff.shared.sdk import *\nimport setoff.deploy.cli.commands.trade")
    homes = packages_distributions()
    brought = {canonicalize_name(home) for top in tops for home in homes.get(top, ())}
    # eth-utils imports pydantic where it is installed, and asks for it.
    assert brought & NODE <= {"pydantic"}, brought & NODE


@pytest.mark.slow
def test_a_gateway_for_bots_needs_nothing_of_a_node() -> None:
    tops = imported_by("import setoff.shared.gateway.service, setoff.deploy.cli.commands.gateway")
    homes = packages_distributions()
    brought = {canonicalize_name(home) for top in tops for home in homes.get(top, ())}
    assert brought & NODE <= {"pydantic"}, brought & NODE  # which eth-utils imports where it is installed


@pytest.mark.slow
def test_what_a_newcomer_types_needs_nothing_of_a_node() -> None:
    commands = ("wallet", "deposit", "withdraw", "trade", "account")
    code = "import setoff.deploy.devnet.faucet, setoff.deploy.cli.connections, setoff.shared.sdk.vault\n"
    tops = imported_by(code + "\n".join(f"import setoff.deploy.cli.commands.{name}" for name in commands))
    homes = packages_distributions()
    brought = {canonicalize_name(home) for top in tops for home in homes.get(top, ())}
    assert brought & NODE <= {"pydantic"}, brought & NODE


def test_a_command_of_a_node_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['redis'] = None\n"
        "from setoff.deploy.cli.main import main; sys.exit(main(['operator', 'status', '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    first, last = done.stderr.splitlines()
    assert first.endswith("`setoff operator` needs the package redis") and last.startswith(
        "next: pip install 'setoff[node]'"
    )
    assert json.loads(done.stdout)["next"].startswith("pip install 'setoff[node]'")


@pytest.mark.long
async def test_the_wheel_with_its_own_dependencies_alone_places_an_order(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    pins = tmp_path / "pins.txt"
    lines = (ROOT / "deploy" / "requirements.lock").read_text().splitlines()
    pins.write_text("\n".join(line.split(" \\")[0] for line in lines if "==" in line and not line.startswith(" ")))
    wheel = build_wheel(copy_sources(tmp_path), tmp_path)
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, *PIP, "install", "--quiet", "-c", pins, wheel], check=True)
    listed = subprocess.run([python, *PIP, "list", "--format=json"], capture_output=True, check=True)
    installed = {canonicalize_name(each["name"]) for each in json.loads(listed.stdout)}
    assert installed >= BASE and installed & NODE <= {"pydantic"}, installed & NODE
    async with operator(redis_server.url) as running:
        await open_market(running)
        done = await ask(running, python)
    assert done == "5"
    for name in ("market_maker", "basis_trader", "risk_monitor", "emergency_exit"):
        subprocess.run([python, "-I", "-m", f"setoff.shared.sdk.examples.{name}", "--help"], check=True, cwd="/")
    told = subprocess.run([python.with_name("setoff"), "devnet"], capture_output=True, text=True)
    assert told.returncode == 2 and "pip install 'setoff[node]'" in told.stderr


async def ask(running: Running, python: Path) -> str:
    """What the new environment's program prints."""
    words = ["-I", "-c", PLACE, running.url, trader_key(1).hex()]
    process = await asyncio.create_subprocess_exec(python, *words, stdout=asyncio.subprocess.PIPE, cwd="/")
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode().strip()


def test_a_machine_without_numpy_runs_every_visit() -> None:
    code = (
        "import importlib.util; find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'numpy' else find(name, *more)\n"
        "from setoff.shared.machine.machine import EVERY_STEP, Machine\n"
        "assert Machine.genesis(bytes(32)).many_accounts == EVERY_STEP"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
