"""Hardhat 3's node (EDR): a block every so often, empty or not, of 36 million gas, and 2^24 a transaction."""

import shutil
import tempfile

from tests.support.nodes.other_node import SOURCE, OtherNode, find_other_nodes

from setoff.deploy.devnet.anvil import CHAIN_ID, MNEMONIC

SCRIPT = "hardhat/dist/src/cli.js"
READY = r"JSON-RPC server at http://127\.0\.0\.1:(\d+)"


class HardhatNode(OtherNode):
    """A chain of its own, in memory."""

    def __init__(self, block_seconds: int = 1) -> None:
        """Starts at once."""
        # It takes its configuration from beside its packages only.
        config = find_other_nodes() / "hardhat.config.js"
        shutil.copyfile(SOURCE / config.name, config)
        super().__init__(
            SCRIPT,
            ("node", "--network", "node", "--hostname", "127.0.0.1", "--port", "0", "--config", str(config)),
            READY,
            tempfile.TemporaryDirectory(prefix="setoff-hardhat-"),
            {
                "SETOFF_CHAIN_ID": str(CHAIN_ID),
                "SETOFF_MNEMONIC": MNEMONIC,
                "SETOFF_BLOCK_SECONDS": str(block_seconds),
                "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true",
            },
        )

    def mine(self, blocks: int = 1) -> None:
        """Make blocks now."""
        self.l1.request("hardhat_mine", hex(blocks))

    def advance(self, seconds: int) -> None:
        """Make a block `seconds` after the last one; the clock goes on from there."""
        self.l1.request("evm_setNextBlockTimestamp", hex(self.l1.head().timestamp + seconds))
        self.mine()
