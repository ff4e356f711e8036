"""The reference of all settings, made from where they are defined: `python -m setoff.deploy.tools.settings_reference`.

Exit code 1, and one line, if `shared/config/SETTINGS.md` is another; with `--fix` it is written.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from setoff.operator.settings import OperatorSettings
from setoff.shared.config.client_settings import ClientSettings
from setoff.shared.config.setting import Setting, list_settings
from setoff.shared.config.settings import Settings
from setoff.shared.gateway.settings import GatewaySettings
from setoff.shared.oracle.settings import OracleSettings
from setoff.watcher.settings import WatcherSettings

REFERENCE: Final = Path(__file__).resolve().parents[2] / "shared" / "config" / "SETTINGS.md"
KINDS: Final[tuple[tuple[type[Settings], str, str], ...]] = (
    (Settings, "What all share", "At the top level of a file. The variable of `rpc_url` is `SETOFF_RPC_URL`."),
    (OperatorSettings, "`[operator]`", "Of `setoff operator`. The variable of `listen` is `SETOFF_OPERATOR_LISTEN`."),
    (WatcherSettings, "`[watcher]`", "Of `setoff watcher`. The variable of `listen` is `SETOFF_WATCHER_LISTEN`."),
    (OracleSettings, "`[oracle]`", "Of `setoff oracle`. The variable of `feeds` is `SETOFF_ORACLE_FEEDS`."),
    (
        GatewaySettings,
        "`[gateway]`",
        "Of `setoff gateway`. The variable of `listen` is `SETOFF_GATEWAY_LISTEN`.",
    ),
    (ClientSettings, "`[client]`", "Of all other commands. The variable of `exchange` is `SETOFF_EXCHANGE`."),
)
TYPES: Final = {"bool": "true or false", "str": "text", "Path": "a path"}
COLUMNS: Final = ("| setting | meaning | default | range | read by |", "|---|---|---|---|---|")
HEAD: Final = """\
# Settings

<!-- Made by `deploy/run check --fix` from the classes of settings; do not edit. -->

An option of the command line wins over the environment, that over the TOML file that `--config` or `SETOFF_CONFIG`
names, that over the default. `--set NAME=VALUE` gives any setting; `--rpc`, `--deployment`, `--key`,
`--key-password`, `--key-account`, `--exchange`, `--receipts`, `--beacon` and `--peers` are short for `rpc_url`,
`deployment` and so on. A service reads its settings once, when it starts.

```console
$ setoff operator config                    # each setting: its value, and where that comes from
$ setoff operator config --sample           # a file with all of them, explained: > operator.toml
$ setoff operator config --check FILE       # everything that is wrong with a file, at once
```

`setoff watcher config`, `setoff oracle config` and `setoff gateway config` do the same for a watcher, a feeder and a
gateway."""


def format_reference() -> str:
    """The whole page."""
    parts = [HEAD]
    for kind, title, text in KINDS:
        known = list_settings(kind)
        own = [item for name, item in known.items() if kind is Settings or name not in list_settings(Settings)]
        parts.append("\n".join([f"## {title}", "", text, "", *COLUMNS, *map(_format, own)]))
    return "\n\n".join(parts) + "\n"


def _format(item: Setting) -> str:
    about = item.about
    default = f"`{item.format(item.default)}`" + (f" {about.unit}" if about.unit else "")
    reader = ", ".join(about.read_by) or "all"
    cells = (f"`{item.name}`", about.meaning, default, about.limit.text if about.limit else TYPES[item.type], reader)
    return "| " + " | ".join(cells) + " |"


def main(arguments: list[str]) -> int:
    """Compare, or write."""
    page = format_reference()
    if "--fix" in arguments:
        REFERENCE.write_text(page)
    elif not REFERENCE.is_file() or REFERENCE.read_text() != page:
        print(f"{REFERENCE.name}: is not what the settings are: run `deploy/run check --fix`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
