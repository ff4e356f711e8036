"""Which EVM serves the tests: pyrevm where there is a wheel of it, else anvil; SETOFF_TEST_EVM names one."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from typing import Final

from tests.support.engines.engine import Engine

VARIABLE: Final = "SETOFF_TEST_EVM"


def has_pyrevm() -> bool:
    """Whether this Python has a pyrevm."""
    return find_spec("pyrevm") is not None


def engine_name() -> str:
    """`pyrevm` or `anvil`. Raises ValueError if the environment names what there is not."""
    named = os.environ.get(VARIABLE) or ("pyrevm" if has_pyrevm() else "anvil")
    if named not in ENGINES:
        raise ValueError(f"{VARIABLE} is {named!r}: there are {', '.join(ENGINES)}")
    if named == "pyrevm" and not has_pyrevm():
        raise ValueError(f"{VARIABLE} is {named!r}, which is not installed: there is no wheel for every Python")
    return named


def describe_engine() -> str:
    """The engine in a few words, for the head of a test run."""
    if engine_name() == "pyrevm":
        return f"pyrevm {version('pyrevm')}"
    return "anvil" if has_pyrevm() else "anvil (there is no pyrevm for this Python)"


def new_engine(chain_id: int, name: str | None = None) -> Engine:
    """An empty chain of the engine with that name, or of the one chosen."""
    return ENGINES[name or engine_name()](chain_id)


def _new_pyrevm(chain_id: int) -> Engine:
    from tests.support.engines.in_process import InProcessEngine

    return InProcessEngine(chain_id)


def _new_anvil(chain_id: int) -> Engine:
    from tests.support.engines.node import NodeEngine

    return NodeEngine(chain_id)


ENGINES: Final[dict[str, Callable[[int], Engine]]] = {"pyrevm": _new_pyrevm, "anvil": _new_anvil}
