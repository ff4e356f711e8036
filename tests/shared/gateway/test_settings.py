"""Settings of a gateway."""

import pytest

from setoff.shared.errors import ConfigError
from setoff.shared.gateway.settings import GatewaySettings


@pytest.mark.parametrize("listen", ["0.0.0.0:8720", "192.168.1.4:8720"])
def test_anyone_may_trade_on_a_loopback_address_alone(listen: str) -> None:
    assert GatewaySettings.load(None, {}, {"bot": "anyone"}).bot == "anyone"
    with pytest.raises(ConfigError, match="loopback"):
        GatewaySettings.load(None, {}, {"bot": "anyone", "listen": listen})


@pytest.mark.parametrize(("name", "value"), [("bot", "0x12"), ("account", "me"), ("sub", "16")])
def test_what_cannot_be_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        GatewaySettings.load(None, {}, {name: value})
