"""Chains for whoever asks for one; and in which order the tests are run.

The slow tests and the long ones, of minutes each, run only where they are asked for; of the others, folders with the
slowest begin first.
"""

import gc
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import tests.support.builds  # noqa: F401  (before anything of `setoff`, which chooses its build when it is loaded)
from tests.support.answers import check_every_answer
from tests.support.builds import SourcePatch
from tests.support.chains.exchange import Exchange
from tests.support.chains.shared_anvil import SharedAnvil
from tests.support.engines.choice import describe_engine, engine_name
from tests.support.nodes.faulty_node import FaultyNode
from tests.support.processes.watching import Desk

from setoff.deploy.devnet.anvil import Anvil
from setoff.shared import BUILD
from setoff.shared.build import COMPILED
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.params import DEVNET, Params
from setoff.watcher.settings import WatcherSettings

HERE = Path(__file__).parent
SLOW = ("e2e", "adversarial", "watcher", "operator", "differential", "vectors", "shared")
"""Folders with tests of half a minute each: begun last, they would keep one worker busy while the others have
nothing."""


def pytest_configure() -> None:
    try:
        engine_name()
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    check_every_answer()
    os.environ.setdefault(
        "SETOFF_OPERATOR_HISTORY_URL", "off"
    )  # a process more for each operator: where it is asked for


def pytest_report_header() -> list[str]:
    return [f"EVM of the tests: {describe_engine()}", f"rules: {BUILD}"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(HERE).parts[0]
        return SLOW.index(folder) if folder in SLOW else len(SLOW)

    items.sort(key=rank)
    if BUILD.name == COMPILED:
        for item in items:
            if item.get_closest_marker("plain"):
                item.add_marker(pytest.mark.skip(reason="reaches into the rules, and these run compiled"))
    is_long = os.environ.get("SETOFF_LONG") == "1"
    is_slow = is_long or os.environ.get("SETOFF_SLOW") == "1"
    for item in items:
        if item.get_closest_marker("long") and not is_long:
            item.add_marker(pytest.mark.skip(reason="takes minutes; SETOFF_LONG=1 runs it"))
        elif item.get_closest_marker("slow") and not is_slow:
            item.add_marker(pytest.mark.skip(reason="takes many seconds; SETOFF_SLOW=1 runs it"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tests of one group share what is dear to make: a scheduler that takes no notice of groups makes it four times.

    What was imported for all of them stays to the end: the collector of garbage need not look through it each time.
    """
    gc.collect()
    gc.freeze()
    if getattr(session.config.option, "loadgroup", False):
        for item in session.items:
            if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
                raise pytest.UsageError(
                    "pytest-xdist does not see the tests' groups: another pytest than the locked one?"
                )


@pytest.fixture(autouse=True)
def _log_of_commands() -> Iterator[None]:
    """A command that a test runs here sets up a log, to an output that ends with the test."""
    yield
    root = logging.getLogger()
    for handler in [each for each in root.handlers if type(each) is logging.StreamHandler]:
        root.removeHandler(handler)


@pytest.fixture
def monkeypatch() -> Iterator[pytest.MonkeyPatch]:
    """As pytest's own; where the rules run compiled, a test that changes them is skipped."""
    patch = SourcePatch()
    yield patch
    patch.undo()


@pytest.fixture
def anvil() -> Iterator[Anvil]:
    """A development chain of its own for each test."""
    with Anvil() as anvil:
        yield anvil


@pytest.fixture(scope="session")
def _blob_chain() -> Iterator[SharedAnvil]:
    with SharedAnvil() as shared:
        yield shared


@pytest.fixture
def blob_anvil(_blob_chain: SharedAnvil) -> Anvil:
    """A development chain that knows blobs already, at its first block. Not to be stopped."""
    return _blob_chain.lend()


@pytest.fixture
def node(anvil: Anvil) -> Iterator[FaultyNode]:
    """A node in front of `anvil`, honest until a test gives it a fault."""
    with FaultyNode(anvil.url) as node:
        yield node


@pytest.fixture
def params() -> Params:
    """What `exchange` is deployed with; a module that needs another preset says so in a fixture of this name."""
    return DEVNET


@pytest.fixture
def exchange(anvil: Anvil, params: Params) -> Exchange:
    """The contracts on `anvil`."""
    return Exchange(anvil, params)


@pytest.fixture(scope="session")
def _redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer.embed(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_server(_redis_server: RedisServer) -> Iterator[RedisServer]:
    """An empty store. Not to be stopped: it serves all tests of this process, one after the other.

    What a test sets in its configuration ends with the test.
    """
    with _redis_server.client() as redis:
        redis.flushall()
        before = redis.config_get()
        yield _redis_server
        for name, value in redis.config_get().items():
            if value != before[name]:
                redis.config_set(name, value=before[name])


@pytest.fixture
def settings(redis_server: RedisServer, exchange: Exchange, tmp_path: Path) -> WatcherSettings:
    """A watcher's, of `exchange`."""
    path = tmp_path / "deployment.json"
    exchange.deployment.save(path)
    return WatcherSettings(
        deployment=path,
        rpc_url=exchange.anvil.url,
        redis_url=redis_server.url,
        l1_poll=0.25,
        l1_patience=2.0,
        listen="127.0.0.1:0",
        evidence_dir=tmp_path / "evidence",
    )


@pytest.fixture
def desk(settings: WatcherSettings) -> Desk:
    """The hands of a watcher with these settings."""
    return Desk(settings)
