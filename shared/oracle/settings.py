"""What an oracle's feeder can be told: where prices come from, when they are reported, and which way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from setoff.shared.config.key_settings import KeySettings
from setoff.shared.config.limits import AtLeast, Between, Listen, MoreThan, Url
from setoff.shared.config.setting import setting
from setoff.shared.config.settings import parse_listen
from setoff.shared.config.webhook_settings import WebhookSettings
from setoff.shared.errors import ConfigError
from setoff.shared.oracle.feeds import Feeds, SourceName, parse_feeds


@dataclass(frozen=True, kw_only=True)
class OracleSettings(KeySettings, WebhookSettings):
    """Settings of one feeder: one key, and the markets that it reports on."""

    section: ClassVar[str] = "oracle"
    prefix: ClassVar[str] = "SETOFF_ORACLE_"

    feeds: str = setting(
        "",
        """Where the prices of which market come from (in TOML also a list): a source is ccxt:EXCHANGE:SYMBOL (needs the
        package ccxt), an http(s) URL of JSON with a JSON pointer to the price behind a # (and behind an @ another one
        to its time), file:PATH with a number in it, or replay:PATH with lines of second,price.""",
        limit=Feeds(),
    )
    exchange: str = setting("http://127.0.0.1:8700", "The operator's API, which reports go to.", limit=Url())
    key: str = setting(
        "",
        """Private key of the oracle signer: hex, or the name of a file that holds it or a keystore. Its
        account pays for reports that go through L1.""",
        is_secret=True,
    )
    listen: str = setting(
        "127.0.0.1:8720",
        "Where the status is served: /metrics, /status, /ready and /, host:port; port 0 takes a free one.",
        limit=Listen(),
    )
    poll: float = setting(1.0, "Time between two looks at the sources.", unit="seconds", limit=MoreThan(0))
    source_timeout: float = setting(
        5.0, "Time that a source has to answer; one that fails is left alone for a while.", unit="seconds",
        limit=MoreThan(0),
    )  # fmt: skip
    source_age: float = setting(
        30.0, "Age from which on a source's price is not used, by the time that the source gives it.", unit="seconds",
        limit=MoreThan(0),
    )  # fmt: skip
    max_distance: float = setting(
        100.0,
        "Distance from the median of the sources from which on one is not used.",
        unit="basis points",
        limit=MoreThan(0),
    )
    min_sources: int = setting(
        3, "Sources that have to be left, for a market to have a price.", unit="sources", limit=Between(1, 100)
    )
    report_change: float = setting(
        5.0,
        "A price that has moved so far from the one that was reported last is reported at once.",
        unit="basis points",
        limit=AtLeast(0),
    )
    report_age: float = setting(
        20.0,
        """Time after which a price is reported though it has not moved: well below the deployment's age of reports. An
        index that was cut comes nearer to the price by these, a step each minute.""",
        unit="seconds",
        limit=MoreThan(0),
    )
    operator_patience: float = setting(
        30.0,
        "Time that the operator has to take a market's report, before one goes through L1.",
        unit="seconds",
        limit=MoreThan(0),
    )
    force_interval: float = setting(
        300.0,
        """Time between two reports of a market through L1, some 100,000 gas each; 0: none goes there. A withdrawal that
        is forced, too, wants one within the market's max_age.""",
        unit="seconds",
        limit=AtLeast(0),
    )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return parse_listen(self.listen)

    @property
    def sources(self) -> dict[str, tuple[SourceName, ...]]:
        """The sources of each market, by what it is called in `feeds`."""
        return parse_feeds(self.feeds)

    def find_conflicts(self) -> list[str]:
        """Markets that can never have enough sources."""
        try:
            sources = self.sources
        except ConfigError as error:
            return [error.detail]
        return [
            f"feeds: {market} has {len(named)}, min_sources is {self.min_sources}"
            for market, named in sources.items()
            if len(named) < self.min_sources
        ]
