"""An exchange on a development chain: an operator, and a feeder that reports the price that a file has."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from setoff.deploy.devnet.anvil import dev_keys
from setoff.deploy.devnet.devnet import BITCOIN_NAME, OPERATOR, Devnet
from setoff.deploy.devnet.process import Process

START_SECONDS: Final = 120.0


class DevExchange:
    """Both as processes of their own, with logs in `folder`; a context manager that stops them. Its `url` is the API's.

    Raises StateError, with the end of its log, if one of them does not start. What the environment says of the settings
    of operator and feeder holds.
    """

    def __init__(
        self, devnet: Devnet, folder: Path, environment: Mapping[str, str], oracle: bytes, price: Path
    ) -> None:
        """`environment`: what both are told of the chain; `oracle`: the signers' key; `price`: the file of a price."""
        self.url = ""
        operator = {
            "REDIS_URL": devnet.redis_url(0),
            "SETOFF_OPERATOR_KEY": dev_keys()[OPERATOR].hex(),
            "SETOFF_OPERATOR_CONSOLE_RPC_URL": devnet.chain.url,
        }
        self._processes = [
            Process("operator", ["operator", "run"], {**environment, **operator}, folder / "operator.log")
        ]
        try:
            self._processes[0].start()
            self.url = self._processes[0].wait_for("sequencer:", START_SECONDS)
            feeder = {
                "SETOFF_ORACLE_LISTEN": os.environ.get("SETOFF_ORACLE_LISTEN", "127.0.0.1:0"),
                "SETOFF_ORACLE_EXCHANGE": self.url,
                "SETOFF_ORACLE_KEY": oracle.hex(),
                "SETOFF_ORACLE_FEEDS": f"{BITCOIN_NAME.symbol}=file:{price}",
                "SETOFF_ORACLE_MIN_SOURCES": "1",
            }
            self._processes.append(
                Process("oracle", ["oracle", "run"], {**environment, **feeder}, folder / "oracle.log")
            )
            self._processes[1].start()
            self._processes[1].wait_for("oracle:", START_SECONDS)
        except BaseException:
            self.stop()
            raise

    def check(self) -> None:
        """Raises StateError if one of them has ended."""
        for process in self._processes:
            process.check()

    def stop(self) -> None:
        """Stop both, the feeder first."""
        for process in reversed(self._processes):
            process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
