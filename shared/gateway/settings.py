"""What a gateway can be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from setoff.shared.config.key_settings import KeySettings
from setoff.shared.config.limits import Between, Listen, Matching, Url
from setoff.shared.config.setting import setting
from setoff.shared.config.settings import parse_listen

ANYONE: Final = "anyone"
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
ADDRESS: Final = "0x[0-9a-fA-F]{40}"


@dataclass(frozen=True, kw_only=True)
class GatewaySettings(KeySettings):
    """Settings of one gateway, which trades for one account with an agent's key."""

    section: ClassVar[str] = "gateway"
    prefix: ClassVar[str] = "SETOFF_GATEWAY_"
    needs_deployment: ClassVar[bool] = False

    listen: str = setting(
        "127.0.0.1:8730",
        "Where bots find the gateway, host:port; port 0 takes a free one.",
        limit=Listen(),
    )
    exchange: str = setting("http://127.0.0.1:8700", "The operator's API.", limit=Url())
    key: str = setting(
        "",
        """Private key of an agent of the account: hex, or the name of a file that holds it or a keystore. It can
        trade and cannot withdraw; the owner's own key is refused.""",
        is_secret=True,
    )
    account: str = setting(
        "",
        "The account that is traded for: its owner's address, or its number.",
        limit=Matching(f"(|{ADDRESS}|[0-9]{{1,10}})", "an address or an account's number"),
    )
    sub: int = setting(
        0,
        "The sub-account that the owner's address stands for, 0 for the account itself.",
        unit="sub-account",
        limit=Between(0, 15),
    )
    bot: str = setting(
        "",
        """Address of the key with which the bot signs; nobody else is served. Empty: the agent's own key, so that the
        bot is given the same one; anyone: signatures are not looked at, on a loopback address alone.""",
        limit=Matching(f"(|{ANYONE}|{ADDRESS})", f"an address, {ANYONE}, or empty"),
    )
    clock_skew: float = setting(
        300,
        """How far the exchange's clock may be from this machine's where a dead-man's switch is set by it; L1 is asked
        instead where there is a deployment file.""",
        unit="seconds",
        limit=Between(1, 10**9),
    )
    receipts: Path = setting(
        Path("var/receipts"),
        """Where the operator's signed receipts are kept, checked as they come, where there is a deployment file and the
        operator has a bond; `setoff receipts check` holds them against L1.""",
    )
    state_dir: Path = setting(
        Path("var/gateway"),
        "Where the bot's own ids of orders (cloids), its nonces and the leverage that it chose are kept.",
    )

    def find_conflicts(self) -> list[str]:
        if self.bot == ANYONE and parse_listen(self.listen)[0] not in LOOPBACK:
            return [f"bot, listen: {ANYONE} may trade on a loopback address alone, as 127.0.0.1"]
        return []

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return parse_listen(self.listen)
