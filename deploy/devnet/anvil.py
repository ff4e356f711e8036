"""anvil, the node of development chains: the pinned one of `deploy/run`, or the one that SETOFF_ANVIL names."""

from __future__ import annotations

import os
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Final

from setoff.deploy.devnet.chain import Chain
from setoff.deploy.devnet.wallet import derive_keys
from setoff.shared.errors import ConfigError

MNEMONIC: Final = "test test test test test test test test test test test junk"
"""Everybody's development accounts: the keys are public."""

CHAIN_ID: Final = 31337
ACCOUNTS: Final = 20
BALANCE: Final = 1_000_000
"""Ether that each account has at first."""
START_SECONDS: Final = 20
READY: Final = r"Listening on 127\.0\.0\.1:(\d+)\n"


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


class Anvil(Chain):
    """Without `block_time` every transaction makes a block at once and the clock stands still between them, but for the
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
        folder = tempfile.TemporaryDirectory(prefix="setoff-anvil-")
        command = [
            find_anvil(),
            *("--host", "127.0.0.1", "--port", str(port), "--chain-id", str(CHAIN_ID)),
            *("--mnemonic", MNEMONIC, "--accounts", str(ACCOUNTS), "--balance", str(BALANCE)),
            *("--hardfork", hardfork, "--enable-tx-gas-limit", "--gas-limit", str(gas_limit)),
            *("--cache-path", folder.name),
            *(("--block-time", str(block_time), "--mixed-mining") if block_time else ()),
            *options,
        ]
        super().__init__(command, folder, READY, keys=dev_keys(), chain_id=CHAIN_ID, seconds=START_SECONDS)

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
