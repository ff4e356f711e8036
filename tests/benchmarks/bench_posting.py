"""Posting on a real node, as calldata and in blobs: gas of full batches, and what a record costs at several base fees.

Calldata is compared with the floor that its bytes alone cost (EIP-7623). A blob costs its blob gas (EIP-4844), whose
base fee is kept above a sixteenth of the other one (EIP-7918): the least column; it can be any multiple of that.
"""

import tempfile
from pathlib import Path

from tests.support.machines.standing_book import Flow, make_batch, make_market

from setoff.deploy.devnet.devnet import OPERATOR, Devnet
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import INBOX
from setoff.shared.l1.da.blobs import BLOBS
from setoff.shared.l1.da.calldata import CALLDATA
from setoff.shared.l1.da.module import DataAvailability
from setoff.shared.l1.sidecar import BLOB_GAS, MAX_BLOBS
from setoff.shared.machine.batch import MAX_INPUTS, Batch
from setoff.shared.machine.data import DataModule
from setoff.shared.params import DEVNET

INTRINSIC = 21_000
FLOOR_TOKEN = 10
"""Gas of a zero byte; four times as much for any other."""
BASE_FEES = (0.1, 1, 10, 50)
"""Base fees of a block, gwei."""
LEAST_BLOB_FEE = 1 / 16
"""Floor of the blob fee as a part of the base fee (EIP-7918)."""
BLOB_FEES = (LEAST_BLOB_FEE, 1, 10)
"""Blob fees as parts of the base fee."""


def floor_gas(calldata: bytes) -> int:
    """What a transaction with this calldata costs at least."""
    zeros = calldata.count(0)
    return INTRINSIC + FLOOR_TOKEN * (zeros + 4 * (len(calldata) - zeros))


class Inbox:
    """Full batches, one after the other."""

    def __init__(self, l1: L1, deployment: Deployment, records: tuple[bytes, ...]) -> None:
        self.l1 = l1
        self._inbox = deployment.inbox
        self._records = records
        self._batches: list[Batch] = []
        self.calldata = b""

    def post(self, module: DataAvailability, count: int = 1) -> int:
        """Gas of a transaction with so many batches."""
        first = len(self._batches)
        for _ in range(count):
            self._batches.append(self._seal(module.codec))
        self.calldata, sidecar, _ = module.make_posting(self.l1, self._inbox, self._batches[first:])
        receipt = self.l1.wait(self.l1.send(self._inbox, self.calldata, sidecar=sidecar))
        assert receipt.succeeded, "the batches were not posted"
        return receipt.gas_used

    def prove(self, number: int) -> int:
        """Gas of a transaction that proves one record of a posted batch."""
        batch = self._batches[number]
        record_page, siblings = batch.prove(MAX_INPUTS // 2)
        check = INBOX.functions["check_record"]
        data = check.encode((batch.header.words, MAX_INPUTS // 2, record_page, siblings))
        return self.l1.estimate_gas(self.l1.address, self._inbox, data)

    def _seal(self, module: DataModule) -> Batch:
        number = len(self._batches)
        parent = self._batches[-1].header.hash() if number else bytes(32)
        time = self.l1.head().timestamp
        return Batch.seal(parent, number, time, 0, number * MAX_INPUTS, bytes(32), (), self._records, module)


def run() -> dict[str, float]:
    """Gas of posting 1,024 records a batch, each record's share, and its cost (gwei) at several fees."""
    flow = Flow(seed=2)
    records = make_batch(flow, make_market(flow)).records
    with tempfile.TemporaryDirectory() as folder, Devnet(Path(folder), DEVNET) as devnet:
        inbox = Inbox(devnet.chain.connect(OPERATOR), devnet.deployment, records)
        inbox.post(CALLDATA)
        used = inbox.post(CALLDATA)  # the second one is like all that follow
        calldata = inbox.calldata
        one, six = inbox.post(BLOBS), inbox.post(BLOBS, MAX_BLOBS)
        proof, blob_proof = inbox.prove(1), inbox.prove(2)
    floor = floor_gas(calldata)
    calldata_gas, blob_gas = used / MAX_INPUTS, six / MAX_INPUTS / MAX_BLOBS
    blob_share = BLOB_GAS / MAX_INPUTS
    figures: dict[str, float] = {
        "calldata_batch_gas": used,
        "calldata_record_gas": calldata_gas,
        "floor_of_a_record_gas": floor / MAX_INPUTS,
        "used_to_floor": used / floor,
        "calldata_bytes": len(calldata),
        "one_blob_batch_gas": one,
        "six_blob_batches_gas": six,
        "blob_record_gas": blob_gas,
        "blob_gas_of_a_record": blob_share,
        "proof_of_a_record_in_calldata_gas": proof,
        "proof_of_a_record_in_a_blob_gas": blob_proof,
    }
    for fee in BASE_FEES:
        figures[f"calldata_record_at_{fee}_gwei"] = calldata_gas * fee
        for blob_fee in BLOB_FEES:
            name = f"blob_record_at_{fee}_blob_gas_at_{blob_fee * fee:g}_gwei"
            figures[name] = blob_gas * fee + blob_share * blob_fee * fee
    return figures


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:50} {value:12.3f}")
