"""How a service is told whom to alert."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from setoff.shared.config.limits import Url
from setoff.shared.config.setting import setting
from setoff.shared.config.settings import Settings, split
from setoff.shared.config.webhooks import Webhooks


@dataclass(frozen=True, kw_only=True)
class WebhookSettings(Settings):
    """The shared settings, and webhooks."""

    webhook: str = setting(
        "",
        """URLs, separated by commas (in TOML also a list), to each of which an alert is posted as {"text": …} when it
        begins and when it ends, as Slack, Mattermost and Discord take it; empty: none.""",
        limit=Url(is_optional=True, is_list=True),
        is_secret=True,  # who has one can write there
    )
    webhook_dir: Path = setting(
        Path("var/alerts"), "Where it is kept what was told, so that a restart tells nothing twice."
    )

    def open_webhooks(self, name: str = "") -> Webhooks | None:
        """The webhooks, None if there are none; `name`: of the service, if there may be several of its kind."""
        called = name or self.section
        return Webhooks(split(self.webhook), called, self.webhook_dir / f"{called}.json") if self.webhook else None
