"""What a signed record costs beside its signature, from a thousand accounts to a million, and from a thousand resting
orders to a million; and the memory that the process has then.

python -m tests.benchmarks.bench_sizes       # the figures
python -m tests.benchmarks.bench_sizes draw  # and the picture beside this file, sizes.svg

The records are those of `bench_records`, of 64 accounts. Accounts beside these have money and no more; orders beside
those of the standing book are of 4,000 others, at prices to which these records do not reach: so that the records trade
the same at every size. (In a book where each level is full a record of this mix trades twice as often as in a thin one,
and costs half as much again.)
"""

import json
import math
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

from tests.support.machines.standing_book import (
    ACCOUNTS,
    DOMAIN,
    MARKETS,
    PRICE,
    RECORDS,
    TIME,
    Flow,
    make_batch,
    make_market,
)

from setoff.deploy.tools.bench import Held
from setoff.deploy.tools.charts import Row, draw
from setoff.shared import BUILD
from setoff.shared.codec import eip712, records, signatures
from setoff.shared.state import keys
from setoff.shared.state.leaves import Account, encode_account

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
RUNS: Final = 7
MAKERS: Final = 4_000
"""Accounts that have those orders."""
DEPTH: Final = 500
"""Orders of the standing book."""
PIECE: Final = 10_000
SIGNATURE: Final = bytes(63) + b"\x01"
HELD: Final = {
    "accounts_largest_to_smallest": Held(compiled=1.1, plain=1.1),
    "orders_largest_to_smallest": Held(compiled=1.1, plain=1.1),
}


class Filler:
    """A machine that grows. Further accounts of those who have orders come behind those of the standing book."""

    def __init__(self) -> None:
        self.flow = Flow(seed=1)
        self.machine = make_market(self.flow, DEPTH)
        self._batch = self.machine.regs.batch
        self._left = 0  # inputs that the open batch still takes
        self._orders = 0

    def add_accounts(self, count: int) -> None:
        """Until there are so many."""
        state, regs = self.machine.state, self.machine.regs
        state.commit()
        account = Account(collateral=10**9)
        for first in range(regs.accounts + 1, count + 1, PIECE):
            leaves: dict[int, bytes] = {}
            for number in range(first, min(first + PIECE, count + 1)):
                account.owner = get_owner(number)
                leaves[keys.account_key(number)] = encode_account(account)
            state.tree.update(leaves)
        regs.accounts = max(regs.accounts, count)

    def add_orders(self, count: int) -> None:
        """Until there are so many, each by a record whose signer is known, so that nobody has to sign."""
        for account in range(self.machine.regs.accounts + 1, ACCOUNTS + 1 + MAKERS):
            self._make_room()
            deposit = records.DepositBody(account, get_owner(account), 10**15)
            self.machine.take(records.encode(deposit), is_message=True)
        for number in range(self._orders, count - DEPTH):
            self._make_room()
            slot, maker = divmod(number, MAKERS)
            account = ACCOUNTS + 1 + maker
            side, away = number % 2, 40 + number // 8 % 160
            price = PRICE - away if side == records.BUY else PRICE + away
            market = 1 + number // 2 % MARKETS
            body = records.encode(
                records.OrderBody(account, slot + 1, market, side, records.GTC, slot, price, 1 + number * 7 % 19)
            )
            signatures.note_ahead(eip712.digest(DOMAIN, body), SIGNATURE, get_owner(account))
            assert self.machine.offer(body + SIGNATURE).was_taken
            self._orders = number + 1

    def measure(self) -> dict[str, float]:
        """What a record costs now, and what the process has."""
        batch = make_batch(self.flow, self.machine)
        alone, whole = list[float](), list[float]()
        for _ in range(RUNS):
            begin = time.process_time()
            for record in batch.records:
                signatures.recover(eip712.digest(DOMAIN, record), record[records.BODY_BYTES :])
            alone.append(time.process_time() - begin)
            trial = self.machine.copy()
            begin = time.process_time()
            trial.run_batch(batch)
            trial.hash()
            whole.append(time.process_time() - begin)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"record_to_signature": median(whole) / median(alone), "memory_mb": memory}

    def _make_room(self) -> None:
        if self._left == 0:
            self._batch, self._left = self._batch + 1, RECORDS
            self.machine.begin(self._batch, TIME)
        self._left -= 1


def get_owner(account: int) -> bytes:
    """Of an account that nobody trades with."""
    return account.to_bytes(20, "big")


GROWING: Final[dict[str, Callable[[Filler, int], None]]] = {
    "accounts": Filler.add_accounts,
    "orders": Filler.add_orders,
}


def grow(what: str) -> dict[int, dict[str, float]]:
    """The figures by size, on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    filler, found = Filler(), dict[int, dict[str, float]]()
    for size in SIZES:
        GROWING[what](filler, size)
        found[size] = filler.measure()
    return found


def measure() -> dict[str, dict[int, dict[str, float]]]:
    """Both, each in a process of its own."""
    found: dict[str, dict[int, dict[str, float]]] = {}
    for what in GROWING:
        command = [sys.executable, "-m", "tests.benchmarks.bench_sizes", what]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found[what] = {int(size): figures for size, figures in json.loads(said).items()}
    return found


def draw_curves(found: dict[str, dict[int, dict[str, float]]]) -> str:
    """The picture."""
    rows = [
        Row(title, [{name: [figures[name] for figures in curve.values()]} for curve in found.values()])
        for name, title in (
            ("record_to_signature", f"a signed record, as a multiple of its signature ({BUILD.name})"),
            ("memory_mb", "memory of the process, MB"),
        )
    ]
    columns = [f"by {what}" for what in found]
    return draw(
        "What a record costs as the exchange grows",
        columns,
        [math.log10(size) for size in SIZES],
        rows,
        axis="accounts, or resting orders",
        label=lambda x: f"{10**x:,.0f}" if x == round(x) else "",
    )


def run() -> dict[str, float]:
    """The figures: a record beside its signature at each size, and memory at the largest."""
    shown: dict[str, float] = {}
    for what, curve in measure().items():
        ratios = [figures["record_to_signature"] for figures in curve.values()]
        shown |= {f"at_{size}_{what}": ratio for size, ratio in zip(curve, ratios, strict=True)}
        shown[f"{what}_largest_to_smallest"] = ratios[-1] / ratios[0]
        shown[f"mb_at_{SIZES[-1]}_{what}"] = curve[SIZES[-1]]["memory_mb"]
    return shown


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["draw"]:
            found = measure()
            print(json.dumps(found))
            Path(__file__).with_name("sizes.svg").write_text(draw_curves(found))
        case [what]:
            print(json.dumps(grow(what)))
        case _:
            print(json.dumps(run(), indent=2))
