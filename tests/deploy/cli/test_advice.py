"""What a command says to do next belongs to the mistake that was made."""

import ast
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.support.ports import find_free_ports
from tests.support.processes.commands import Command
from tests.support.processes.running_operator import DEPLOYMENT, Running

from setoff.deploy.cli.advice import SERVICES, TOPICS, find_advice
from setoff.deploy.cli.commands.account import list_margins
from setoff.deploy.cli.main import main
from setoff.deploy.devnet.anvil import dev_keys
from setoff.deploy.simulation.sample_traffic import agent_key
from setoff.shared.codec.signatures import address_of
from setoff.shared.errors import ConfigError, SetoffError
from setoff.shared.sdk import SetoffClient
from setoff.shared.wire.near_names import tell_no_market

ROOT = Path(__file__).resolve().parents[3]


class NoNode(BaseHTTPRequestHandler):
    """Answers as a web server that knows nothing of L1."""

    def do_POST(self) -> None:
        self.send_error(404, "nothing here")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web_server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), NoNode) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_wrong_address_of_l1_is_told_with_what_answers_there(
    web_server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is waited for: not for the minute that a node is due which is away for a while."""
    file = tmp_path / "deployment.json"
    DEPLOYMENT.save(file)
    for url, said in (
        (web_server, "HTTP status 404 <!DOCTYPE"),
        (f"http://127.0.0.1:{find_free_ports(1)[0]}", "ConnectionError"),
    ):
        line = f"deposit 20 --rpc {url}/secret --deployment {file} --key {dev_keys()[3].hex()}"
        assert main(line.split()) == 3
        *_, first, second = capsys.readouterr().err.splitlines()
        assert f"no L1 node answers at {url[7:]}: {said}" in first and "secret" not in first
        assert "--rpc" in second


def list_details(*rooms: str) -> Iterator[tuple[str, str]]:
    """The beginnings of all that is said to be not there: file and line, text."""
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and len(node.args) > 1:
                    reason, detail = node.args[:2]
                    if isinstance(detail, ast.JoinedStr):
                        detail = detail.values[0]
                    if isinstance(reason, ast.Constant) and reason.value == "not_found":
                        assert not isinstance(detail, ast.Constant) or isinstance(detail.value, str)
                        if isinstance(detail, ast.Constant):
                            yield f"{path.relative_to(ROOT)}:{node.lineno}", str(detail.value)


def test_whatever_is_not_there_has_advice_of_its_own() -> None:
    found = dict(list_details("operator/api", "shared/sdk"))
    assert len(found) >= 6
    for place, text in found.items():
        assert find_advice(SetoffError("not_found", text)) != SERVICES["not_found"], f"{place}: {text}"


def test_advice_goes_by_what_was_wrong() -> None:
    for reason, begins, advice in TOPICS:
        assert find_advice(SetoffError(reason, begins + " …")) == advice
    for setting, word in (("key", "wallet new"), ("account", "owner's address"), ("wallet", "devnet"),
                          ("gateway.key", "SETOFF_GATEWAY_KEY")):  # fmt: skip
        assert word in find_advice(ConfigError("bad_config", f"{setting}: is not as it should be"))


@pytest.mark.parametrize(
    ("asked", "meant"), [("btc", " (did you mean BTC-PERP?)"), ("BTC-USD", " (did you mean BTC-PERP?)"), ("DOGE", "")]
)
def test_a_market_is_proposed_by_what_it_is_about(asked: str, meant: str) -> None:
    said = tell_no_market(asked, ["BTC-PERP", "ETH-PERP"])
    assert said == f"there is no market {asked}{meant}; there are BTC-PERP, ETH-PERP"


async def test_refusals_of_an_exchange_say_the_next_step(exchange: Running, setoff: Command) -> None:
    agent, nobody = agent_key(1, 2), b"\7" * 32
    for line, key, word in (
        ("trade buy M1 5 0.001", None, "did you mean M1-PERP?"),
        ("trade market M1", None, "did you mean M1-PERP?"),
        ("trade buy 1 5 99", nobody, "next: deposit first"),
        ("trade buy 1 5 99 --account 1 --agent 2", agent, "next: the owner names it"),
        ("trade buy M1-PERP 5 0.000995", None, "next: take one of these"),
        ("account nobody", None, "next: name an account's number"),
        ("transfer 5 .99", None, "next: name one of these"),
        ("backstop withdraw 5", None, "`setoff account` shows the shares"),
    ):
        said = await (setoff(line, code=1) if key is None else setoff(line, key, code=1))
        assert word in said, said
    await setoff(f"agent set 2 0x{address_of(agent).hex()}")
    said = await setoff("withdraw 5 --account 1 --agent 2 --no-wait", agent, code=1)
    assert "money and keys are the owner's" in said and "next: give the owner's --key" in said


async def test_the_initial_margin_is_the_sum_of_its_parts(exchange: Running, setoff: Command) -> None:
    await setoff("trade buy 1 5 99")
    await setoff("trade sell 1 3 105")
    async with SetoffClient(exchange.url) as client:
        shown = await client.account(1)
    assert sum(amount for _, amount in list_margins({**shown})) == int(shown["requirement"]) > 0
    assert "  M1-PERP, if its orders fill" in await setoff("account")
