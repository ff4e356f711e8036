"""What a signed record costs: its signature, its steps, its share of the state commitment, and the sum's ratio to the
signature alone, which is the floor. Ratios travel between machines, times do not.

The batch: 1,024 records of 64 accounts on 4 markets with a standing book: 40% crossing orders, 30% resting ones,
30% cancels, all of them accepted.
"""

import time
from collections.abc import Callable
from statistics import median

from tests.support.machines.standing_book import DOMAIN, RECORDS, Flow, make_batch, make_market

from setoff.shared import errors
from setoff.shared.codec import eip712, records, signatures
from setoff.shared.machine.epoch import EpochRun

RUNS = 5


def measure(action: Callable[[], object]) -> float:
    """Median microseconds a record of one `action` over the batch."""
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return median(times) / RECORDS * 1e6


def run() -> dict[str, float]:
    """Microseconds a record: signature, step, commitment, their sum, and its ratio to the signature; seconds to build
    the history commitment of the whole batch."""
    flow = Flow(seed=1)
    machine = make_market(flow)
    batch = make_batch(flow, machine)
    fills = 0

    def recover_all() -> None:
        for record in batch.records:
            signatures.recover(eip712.digest(DOMAIN, record), record[records.BODY_BYTES :])

    signature = measure(recover_all)
    whole, commitment = [], []
    steps = 0
    for _ in range(RUNS):
        trial = machine.copy()
        begin = time.perf_counter()
        outcomes = trial.run_batch(batch)
        executed = time.perf_counter()
        trial.hash()
        end = time.perf_counter()
        assert set(outcomes) == {errors.ACCEPTED}
        steps = trial.regs.steps
        whole.append((end - begin) / RECORDS * 1e6)
        commitment.append((end - executed) / RECORDS * 1e6)
    trial = machine.copy()
    for input_index in range(RECORDS):
        trial.run_input(batch, input_index)
        fills += len(trial.fills)
    begin = time.perf_counter()
    assert len(EpochRun(machine, [batch], bytes(32)).root) == 32
    history = time.perf_counter() - begin
    total, commit = median(whole), median(commitment)
    return {
        "signature_us": signature,
        "step_us": total - commit - signature,
        "commitment_us": commit,
        "record_us": total,
        "record_to_signature": total / signature,
        "steps_a_record": steps / RECORDS,
        "fills_a_record": fills / RECORDS,
        "history_of_the_batch_s": history,
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:24} {value:12.3f}")
