"""One exchange with a gateway for all tests of this folder: they run one after the other in one process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.builds import AS_USERS
from tests.support.gateways.gateway_town import GatewayTown, gateway_town
from tests.support.gateways.sdk_bot import SdkBot, sdk_bot

HERE = Path(__file__).parent
GROUP = "gateway"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and "town" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(GROUP))


@pytest.fixture(scope="package")  # not longer: its processes cost CPU while the other tests run
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayTown]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SETOFF_BUILD", AS_USERS)
        with gateway_town(tmp_path_factory.mktemp("town")) as town:
            yield town


@pytest.fixture
def bot(town: GatewayTown) -> Iterator[SdkBot]:
    """A bot of the SDK with nothing in the book; what it holds is closed behind it."""
    with sdk_bot(town) as bot:
        bot.clear()
        yield bot
        bot.close_all()
