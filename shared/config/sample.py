"""A settings file with everything in it that a service reads: meaning, unit, range and default of each setting."""

from __future__ import annotations

import textwrap
from typing import Final

from setoff.shared.config.setting import Setting, list_settings
from setoff.shared.config.settings import Settings

WIDTH: Final = 80


def format_sample(kind: type[Settings]) -> str:
    """TOML in which every line with a setting is commented out: as it stands it changes nothing."""
    shared = list_settings(Settings)
    parts = [
        f"# Settings of `setoff {kind.section}`. What is set nowhere has the default shown.\n"
        "# Under each: its variable; unit; range; the processes that read it.",
        "# What all services share:",
        *(_format(item, kind) for item in shared.values()),
        f"[{kind.section}]",
        *(_format(item, kind) for name, item in list_settings(kind).items() if name not in shared),
    ]
    return "\n\n".join(parts) + "\n"


def _format(item: Setting, kind: type[Settings]) -> str:
    about = item.about
    facts = [
        kind.get_variable(item.name),
        about.unit,
        about.limit.text if about.limit else "",
        " and ".join(about.read_by),
    ]
    words = textwrap.wrap(about.meaning, WIDTH - 2, break_on_hyphens=False)
    words += textwrap.wrap("; ".join(each for each in facts if each), WIDTH - 2, break_on_hyphens=False)
    return "\n".join([*(f"# {line}" for line in words), f"# {item.name} = {item.format(item.default)}"])
