"""What a signed record costs: its signature, its steps, its share of the state commitment, and the sum's ratio to the
signature alone, which is the floor. Ratios travel between machines, times do not.

The batch: 1,024 records of 64 accounts on 4 markets with a standing book: 40% crossing orders, 30% resting ones,
30% cancels, all of them accepted.
"""

import os
import time
from statistics import median

from tests.support.machines.standing_book import DOMAIN, RECORDS, Flow, make_batch, make_market

from setoff.deploy.tools.bench import Held
from setoff.shared import errors
from setoff.shared.codec import eip712, records, signatures
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.machine import Machine
from setoff.shared.machine.spot_checks import SHARE

RUNS = 9
HELD = {
    "record_to_signature": Held(compiled=1.32, plain=2.3),
    "history_to_batch": Held(compiled=6, plain=6.5),
    "watcher_to_signature": Held(compiled=1.5, plain=2.3),
}


def run_as_watcher(machine: Machine, batch: Batch) -> float:
    """Seconds of processor time in which a watcher finds the batch's end: inputs checked against the header, and run;
    and the share of that which goes into running some again plainly."""
    run = EpochRun(machine, [batch], bytes(32))
    begin = time.process_time()
    batch.check(bytes(32))
    assert len(run.end) == 32
    return (time.process_time() - begin) * (1 + SHARE)


def run() -> dict[str, float]:
    """Processor time of a record on one core, in microseconds: signature, step, commitment, their sum, and its
    ratio to the signature; seconds to build the history commitment of the whole batch.

    The signature is that of a record by itself, in turn with the batch, which finds its signatures together.
    """
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})  # a thread on the other one would slow this one down, and count twice
    try:
        return _run()
    finally:
        os.sched_setaffinity(0, cores)


def _run() -> dict[str, float]:
    flow = Flow(seed=1)
    machine = make_market(flow)
    batch = make_batch(flow, machine)
    fills = 0

    def recover_all() -> None:
        for record in batch.records:
            signatures.recover(eip712.digest(DOMAIN, record), record[records.BODY_BYTES :])

    signatures_alone, whole, commitment = [], [], []
    steps = 0
    for _ in range(RUNS):
        begin = time.process_time()
        recover_all()
        signatures_alone.append((time.process_time() - begin) / RECORDS * 1e6)
        trial = machine.copy()
        begin = time.process_time()
        outcomes = trial.run_batch(batch)
        executed = time.process_time()
        trial.hash()
        end = time.process_time()
        assert set(outcomes) == {errors.ACCEPTED}
        steps = trial.regs.steps
        whole.append((end - begin) / RECORDS * 1e6)
        commitment.append((end - executed) / RECORDS * 1e6)
    watched = median(run_as_watcher(machine, batch) for _ in range(RUNS)) / RECORDS * 1e6
    trial = machine.copy()
    for input_index in range(RECORDS):
        trial.run_input(batch, input_index)
        fills += len(trial.fills)
    begin = time.process_time()
    assert len(EpochRun(machine, [batch], bytes(32)).root) == 32
    history = time.process_time() - begin
    signature, total, commit = median(signatures_alone), median(whole), median(commitment)
    return {
        "signature_us": signature,
        "step_us": total - commit - signature,
        "commitment_us": commit,
        "record_us": total,
        "record_to_signature": total / signature,
        "steps_a_record": steps / RECORDS,
        "fills_a_record": fills / RECORDS,
        "history_of_the_batch_s": history,
        "history_to_batch": history / (total * RECORDS) * 1e6,
        "watcher_us": watched,
        "watcher_to_signature": watched / signature,
    }


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:24} {value:12.3f}")
