"""What who runs no service can be told: a trader, a lister, whoever verifies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from setoff.shared.config.key_settings import AccountSettings
from setoff.shared.config.limits import Url
from setoff.shared.config.setting import setting
from setoff.shared.config.settings import split


@dataclass(frozen=True, kw_only=True)
class ClientSettings(AccountSettings):
    """The shared settings, and how to reach an exchange, as whom."""

    section: ClassVar[str] = "client"

    exchange: str = setting("http://127.0.0.1:8700", "The operator's API.", limit=Url())
    key: str = setting(
        "",
        """Private key: hex, or the name of a file that holds it or a keystore. Or the URL of a remote signer, which
        signs transactions for L1, and typed data.""",
        is_secret=True,
    )
    receipts: Path = setting(
        Path("var/receipts"),
        "Where the operator's signed receipts are kept, if there is a deployment file to check them by.",
    )
    peers: str = setting(
        "",
        "URLs of watchers, separated by commas, to ask for blobs that nobody else has any more.",
        limit=Url(is_optional=True, is_list=True),
    )

    @property
    def peer_urls(self) -> tuple[str, ...]:
        """The watchers."""
        return split(self.peers)
