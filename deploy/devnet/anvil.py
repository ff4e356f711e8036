"""A development chain: a real anvil process, started and stopped from here.

The program is the pinned one of `deploy/run`, or the one that the variable SETOFF_ANVIL names. The chain lives in
memory and in a temporary folder, both gone with it; on Linux the process dies with the thread that started it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from setoff.deploy.devnet.wallet import derive_keys
from setoff.shared.errors import ConfigError
from setoff.shared.l1.connection import L1

MNEMONIC: Final = "test test test test test test test test test test test junk"
"""Everybody's development accounts: the keys are public."""

CHAIN_ID: Final = 31337
ACCOUNTS: Final = 20
BALANCE: Final = 1_000_000
"""Ether that each account has at first."""
START_SECONDS: Final = 20
PR_SET_PDEATHSIG: Final = 1
"""Of prctl(2): the signal that this process gets when its parent ends."""

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@lru_cache(maxsize=1)
def dev_keys() -> tuple[bytes, ...]:
    """The secrets of the funded accounts, in the order of their derivation paths."""
    return derive_keys(MNEMONIC, ACCOUNTS)


def find_anvil() -> str:
    """The program. Raises ConfigError if there is none."""
    named = os.environ.get("SETOFF_ANVIL")
    if named is None:
        script = Path(__file__).resolve().parents[2] / "deploy" / "run"
        if not script.exists():
            raise ConfigError("bad_config", "set SETOFF_ANVIL to the anvil program")
        found = subprocess.run([str(script), "anvil-path"], capture_output=True, text=True, check=False)
        named = found.stdout.strip()
    if not os.access(named, os.X_OK):
        raise ConfigError("bad_config", f"'{named}' is no anvil program: set SETOFF_ANVIL")
    return named


class Anvil:
    """A running chain; a context manager that stops it.

    Without `block_time` every transaction makes a block at once and the clock stands still between them, but for the
    pending block; with it, blocks come every `block_time` seconds.
    """

    def __init__(
        self,
        *,
        block_time: int | None = None,
        port: int = 0,
        hardfork: str = "osaka",
        gas_limit: int = 60_000_000,
        options: tuple[str, ...] = (),
    ) -> None:
        """Starts at once. Port 0 is any free one. Raises ConfigError if the chain does not come up."""
        self._folder = tempfile.TemporaryDirectory(prefix="setoff-anvil-")
        self._log = Path(self._folder.name) / "anvil.log"
        self._command = [
            find_anvil(),
            *("--host", "127.0.0.1", "--port", str(port), "--chain-id", str(CHAIN_ID)),
            *("--mnemonic", MNEMONIC, "--accounts", str(ACCOUNTS), "--balance", str(BALANCE)),
            *("--hardfork", hardfork, "--enable-tx-gas-limit", "--gas-limit", str(gas_limit)),
            *("--cache-path", self._folder.name),
            *(("--block-time", str(block_time), "--mixed-mining") if block_time else ()),
            *options,
        ]
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent if _libc else None,
            )
        try:
            self.port = self._find_port()
        except BaseException:
            self.stop()
            raise
        self.url = f"http://127.0.0.1:{self.port}"
        self.l1 = L1(self.url)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self.process.poll() is None

    def connect(self, account: int, **options: Any) -> L1:
        """A connection with the key of the funded account number `account`; `options` as for `L1`."""
        return L1(self.url, dev_keys()[account], chain_id=CHAIN_ID, **options)

    def mine(self, blocks: int = 1) -> None:
        """Make blocks now."""
        self.l1.request("anvil_mine", hex(blocks))

    def advance(self, seconds: int) -> None:
        """Make a block `seconds` after the last one; the clock goes on from there."""
        self.l1.request("evm_setNextBlockTimestamp", hex(self.l1.head().timestamp + seconds))
        self.mine()

    def stop_clock(self) -> None:
        """From now on each block comes a second after the one before, whatever time passes outside."""
        self.l1.request("anvil_setBlockTimestampInterval", 1)

    def stop(self) -> None:
        """End the process and remove what it wrote; more than once does no harm."""
        if self.is_running:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        with contextlib.suppress(OSError):
            self._folder.cleanup()

    def _find_port(self) -> int:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            output = self._log.read_text(errors="replace")
            _, found, rest = output.partition("Listening on 127.0.0.1:")
            if found and "\n" in rest:
                return int(rest.split("\n", 1)[0])
            if not self.is_running:
                reason = "port_taken" if "in use" in output else "bad_config"
                raise ConfigError(reason, f"anvil ended at once: {output.strip()[-300:]}")
            time.sleep(0.01)
        raise ConfigError("bad_config", f"anvil did not start within {START_SECONDS} s")


def die_with_parent() -> None:
    """Runs in the child before anvil: the kernel ends it when the parent is gone, however that went."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
