"""One exchange with a gateway for all tests of this folder: they run one after the other in one process."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.support.builds import AS_USERS
from tests.support.gateways.gateway_town import GatewayTown, gateway_town
from tests.support.gateways.sdk_bot import SdkBot, sdk_bot

HERE = Path(__file__).parent
GROUP = "gateway"
_kept: list[tuple[ExitStack, GatewayTown]] = []
"""The town, while there is one, and what ends it."""


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and "town" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(GROUP))


@pytest.fixture
def town(tmp_path_factory: pytest.TempPathFactory) -> GatewayTown:
    """Begun for the first test that asks for it."""
    if not _kept:
        stack = ExitStack()
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("SETOFF_BUILD", AS_USERS)
        _kept.append((stack, stack.enter_context(gateway_town(tmp_path_factory.mktemp("town")))))
    return _kept[0][1]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, object, object]:
    """It ends with the last of them: its processes would cost CPU while all other tests run."""
    done = yield
    if _kept and "town" not in getattr(nextitem, "fixturenames", ()):
        _kept.pop()[0].close()
    return done


@pytest.fixture
def bot(town: GatewayTown) -> Iterator[SdkBot]:
    """A bot of the SDK with nothing in the book; what it holds is closed behind it."""
    with sdk_bot(town) as bot:
        bot.clear()
        yield bot
        bot.close_all()
