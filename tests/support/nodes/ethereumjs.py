"""@ethereumjs/client: an execution client in JavaScript, by the rules of Prague, driven through its Engine API."""

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support.nodes.engine_driver import EngineDriver
from tests.support.nodes.other_node import OtherNode, find_other_nodes
from tests.support.ports import find_free_ports

from setoff.deploy.devnet.anvil import CHAIN_ID, dev_keys
from setoff.shared.codec import signatures

SCRIPT = "@ethereumjs/client/dist/esm/bin/cli.js"
READY = r"Started JSON RPC Server address=http://127\.0\.0\.1:(\d+)(?s:.*)Client started successfully"
GAS_LIMIT = 36_000_000
BALANCE = 10**24
"""Wei that each funded account has at first."""
HOODI = 560048
"""A chain that began by the rules of Prague, so with the contracts that these ask for."""
_FORKS = (
    *(f"{name}Block" for name in ("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople")),
    *(f"{name}Block" for name in ("petersburg", "istanbul", "berlin", "london")),
    *(f"{name}Time" for name in ("shanghai", "cancun", "prague")),
)
_BLOBS = {
    "cancun": {"target": 3, "max": 6, "baseFeeUpdateFraction": 3338477},
    "prague": {"target": 6, "max": 9, "baseFeeUpdateFraction": 5007716},
}


class EthereumjsNode(OtherNode):
    """A chain of its own, in a temporary folder."""

    def __init__(self, block_seconds: float = 1.0) -> None:
        """Starts at once."""
        rpc, engine = find_free_ports(2)
        folder = tempfile.TemporaryDirectory(prefix="setoff-ethereumjs-")
        genesis = Path(folder.name) / "genesis.json"
        genesis.write_text(json.dumps(make_genesis()))
        super().__init__(
            SCRIPT,
            (
                *("--gethGenesis", str(genesis), "--dataDir", f"{folder.name}/data", "--logFile", "false"),
                *("--isSingleNode", "--maxPeers", "0", "--discV4", "false", "--port", "0"),
                *("--rpc", "--rpcAddr", "127.0.0.1", "--rpcPort", str(rpc)),
                *("--rpcEngine", "--rpcEngineAddr", "127.0.0.1", "--rpcEnginePort", str(engine)),
                *("--rpcEngineAuth", "false"),
            ),
            READY,
            folder,
        )
        self.driver = EngineDriver(f"http://127.0.0.1:{engine}", self.l1.head(), block_seconds)
        self.driver.start()

    def mine(self, blocks: int = 1) -> None:
        """Make blocks now."""
        self.driver.mine(blocks)

    def advance(self, seconds: int) -> None:
        """Make a block `seconds` after the last one; the clock goes on from there."""
        self.driver.advance(seconds)

    def stop(self) -> None:
        """See `Chain.stop`."""
        self.driver.stop()
        super().stop()


def make_genesis() -> dict[str, Any]:
    """A genesis file as geth has it: by the rules of Prague, with money for the development accounts."""
    return {
        "config": {
            "chainId": CHAIN_ID,
            **dict.fromkeys(_FORKS, 0),
            "terminalTotalDifficulty": 0,
            "terminalTotalDifficultyPassed": True,
            "blobSchedule": _BLOBS,
        },
        "timestamp": hex(int(time.time())),
        "number": "0x0",
        "nonce": "0x0",
        "difficulty": "0x0",
        "extraData": "0x",
        "gasLimit": hex(GAS_LIMIT),
        "gasUsed": "0x0",
        "baseFeePerGas": hex(10**9),
        "blobGasUsed": "0x0",
        "excessBlobGas": "0x0",
        "coinbase": "0x" + "00" * 20,
        "mixHash": "0x" + "00" * 32,
        "parentHash": "0x" + "00" * 32,
        "alloc": read_system_contracts()
        | {"0x" + signatures.address_of(key).hex(): {"balance": hex(BALANCE)} for key in dev_keys()},
    }


def read_system_contracts() -> dict[str, Any]:
    """What the protocol itself calls (EIP-2935, 4788, 7002, 7251), of the genesis states that come with the client."""
    other = find_other_nodes()
    program = f'import {{ getGenesis }} from "@ethereumjs/genesis"; console.log(JSON.stringify(getGenesis({HOODI})))'
    command = [str(other / "node"), "--input-type=module", "-e", program]
    found = subprocess.run(command, cwd=other, capture_output=True, text=True, check=True)
    entries = {address: entry for address, entry in json.loads(found.stdout).items() if isinstance(entry, list)}
    return {address: {"balance": entry[0], "code": entry[1]} for address, entry in entries.items() if entry[1] != "0x"}
