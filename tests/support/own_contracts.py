"""The tests' own contracts, in `contracts/`: toys, odd and hostile neighbours of the real ones, ways into them."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "contracts"

TOY_JUDGE: Final = FOLDER / "toy_judge.vy"
CODE_STORE: Final = FOLDER / "code_store.vy"
RELAY: Final = FOLDER / "relay.vy"
ODD_TOKEN: Final = FOLDER / "odd_token.vy"
GREEDY: Final = FOLDER / "greedy.vy"
HOSTILE_JUDGE: Final = FOLDER / "hostile_judge.vy"
HOSTILE_TOKEN: Final = FOLDER / "hostile_token.vy"
OPEN_QUEUE: Final = FOLDER / "open_queue.vy"
LEAVES_AGAIN: Final = FOLDER / "leaves_again.vy"
