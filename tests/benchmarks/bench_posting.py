"""Gas of a full batch as calldata, on a real node, against the floor that its bytes alone cost (EIP-7623)."""

import tempfile
from pathlib import Path

from tests.benchmarks.bench_records import Flow, make_batch, make_market

from setoff.deploy.devnet import OPERATOR, Devnet
from setoff.shared.adapters.posting import encode_post
from setoff.shared.machine.batch import MAX_INPUTS, Batch
from setoff.shared.params import DEVNET

INTRINSIC = 21_000
FLOOR_TOKEN = 10  # gas of a zero byte; four times as much for any other


def floor_gas(calldata: bytes) -> int:
    """What a transaction with this calldata costs at least."""
    zeros = calldata.count(0)
    return INTRINSIC + FLOOR_TOKEN * (zeros + 4 * (len(calldata) - zeros))


def run() -> dict[str, float]:
    """Gas of posting 1,024 records, each record's share, and how many times the floor that is."""
    flow = Flow(seed=2)
    records = make_batch(flow, make_market(flow)).records
    with tempfile.TemporaryDirectory() as folder, Devnet(Path(folder), DEVNET) as devnet:
        l1 = devnet.anvil.connect(OPERATOR)
        used = floor = 0
        for number in range(2):  # the second one is like all that follow
            batch = Batch.seal(bytes(32), number, l1.head().timestamp, 0, 0, bytes(32), (), records)
            header = batch.header
            calldata = encode_post(header.number, header.timestamp, header.message_count, b"".join(batch.records))
            used, floor = l1.transact(devnet.deployment.inbox, calldata).gas_used, floor_gas(calldata)
    return {
        "batch_gas": used,
        "record_gas": used / MAX_INPUTS,
        "floor_of_a_record_gas": floor / MAX_INPUTS,
        "used_to_floor": used / floor,
        "calldata_bytes": len(calldata),
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:24} {value:12.3f}")
