"""For which exchange an agent's key signs, where no deployment file says so: the one that it was first used at."""

from __future__ import annotations

from pathlib import Path

from setoff.shared.config.whole_file import replace_file
from setoff.shared.errors import DataError


def check_first_seen(path: Path, domain: bytes) -> None:
    """Hold the exchange's domain against the one that `path` has, and note it there if it has none.

    Raises DataError for another: that exchange could use what is signed for it at the first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        replace_file(path, domain.hex() + "\n")
    elif (first := path.read_text().strip()) != domain.hex():
        text = f"the exchange has domain {domain.hex()}, and the agent's key was first used at {first}: name the"
        text += f" exchange's deployment file (gateway.deployment), or remove {path} if that exchange is no more"
        raise DataError("wrong_deployment", text)
