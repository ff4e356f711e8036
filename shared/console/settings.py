"""What an operator and a watcher can be told of the console that they serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from setoff.shared.config.limits import Matching, Url
from setoff.shared.config.setting import setting
from setoff.shared.config.settings import Settings

NONE: Final = "off"
"""The value of `console` with which none is served."""


@dataclass(frozen=True, kw_only=True)
class ConsoleSettings(Settings):
    """The shared settings, and those of the console."""

    console: str = setting(
        "",
        """Folder of the web console that is served under /console/; empty: the one that `deploy/run console-path` has
        built in this clone, if it has; off: none.""",
        limit=Matching(".*", "a folder, empty or off"),
    )
    console_rpc_url: str = setting(
        "",
        """JSON-RPC of an L1 node that the console's browsers may ask, for development chains: everybody who opens the
        console is told. Empty: none, their wallets bring one.""",
        limit=Url(is_optional=True),
    )
    console_blobs_url: str = setting(
        "",
        """URL of a watcher that serves blobs, for browsers that verify batches in blobs: everybody who opens the
        console is told. Empty: none; development nodes serve blobs themselves.""",
        limit=Url(is_optional=True),
    )
