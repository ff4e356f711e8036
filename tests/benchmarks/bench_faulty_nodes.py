"""From a lie to its elimination, for a watcher behind a clear node and behind bad ones: chain time, blocks, questions.

The world is that of the matrix of faulty nodes (`tests/adversarial/`). A round of the watcher comes every two seconds
of the chain's clock, which nothing but the rounds turns: so the figures do not go by how fast this machine is, but for
where a node is asked again in real time. Ratios are to the clear node of the same run.
"""

import tempfile
from pathlib import Path
from typing import Final

from tests.support.nodes.faulty_node import FaultyNode
from tests.support.nodes.matrix import mix
from tests.support.processes.behind_a_node import LIE, Scene, play_lie

from setoff.deploy.devnet.anvil import Anvil
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.dispute.events import Claimed, Eliminated

SEED: Final = 1
CLEAR: Final = "clear"
NODES: Final[dict[str, list[str]]] = {
    CLEAR: [],
    "behind by three blocks": ["anything from three blocks ago"],
    "events left out": ["events left out"],
    "nulls": ["null blocks, no times"],
    "rate limits": ["rate limit alchemy"],
    "slow": ["slow"],
    "a branch": ["a branch, for a while"],
    "behind, nulls and rate limits": ["rate limit alchemy", "null receipts", "half of it two blocks ago"],
}
"""What to measure, by the names of the matrix."""


def measure(redis: RedisServer, faults: list[str]) -> dict[str, float]:
    """Seconds and blocks from the false claim to the elimination of its history; questions that the watcher asked."""
    with redis.client() as client:
        client.flushall()
    with tempfile.TemporaryDirectory() as folder, Anvil() as anvil, FaultyNode(anvil.url) as node:
        scene = Scene(anvil, redis, Path(folder), node)
        court = play_lie(scene, lambda node: mix(faults, SEED, node))
        if court.court.start_of.get(LIE + 1) != scene.true_end(LIE):
            raise RuntimeError(f"behind {faults} the lie was confirmed")
        events = court.contract.events(scene.exchange.block, anvil.l1.head().number)
        told = next((block, event) for block, event in events if isinstance(event, Claimed) and event.epoch == LIE)
        out = next(
            (block, event) for block, event in events if isinstance(event, Eliminated) and event.key == told[1].key
        )
        return {
            "to elimination_s": out[1].at - told[1].at,
            "to elimination_blocks": out[0] - told[0],
            "questions": node.asked.total(),
        }


def run() -> dict[str, float]:
    """Of each node: seconds of the chain's clock, blocks, questions; and each as a ratio to the clear node."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, RedisServer.embed(Path(folder)) as redis:
        clear = measure(redis, NODES[CLEAR])
        for name, faults in NODES.items():
            found = clear if name == CLEAR else measure(redis, faults)
            for figure, value in found.items():
                figures[f"{name}: {figure}"] = value
                if name != CLEAR:
                    figures[f"{name}: {figure}, times the clear node's"] = value / clear[figure]
    return figures


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:72} {value:10,.2f}")
