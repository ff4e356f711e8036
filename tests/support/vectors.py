"""Reading the vectors: hex to bytes, decimal strings to numbers."""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parents[1] / "vectors"


def parse(value: Any) -> Any:
    """The inverse of what the generator does to bytes and great integers."""
    if isinstance(value, str):
        if value.startswith("0x"):
            return bytes.fromhex(value[2:])
        return int(value) if value.lstrip("-").isdigit() else value
    if isinstance(value, list):
        return [parse(part) for part in value]
    if isinstance(value, dict):
        return {name: parse(part) for name, part in value.items()}
    return value


def load(name: str) -> dict[str, Any]:
    document: dict[str, Any] = parse(json.loads((HERE / f"{name}.json").read_text()))
    return document
