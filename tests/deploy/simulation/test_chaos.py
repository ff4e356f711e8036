"""Faults that are what they say, checks that find what is wrong; and a whole exchange that outlives all of it."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from tests.support.waiting import wait_until

from setoff.deploy.simulation.chaos.disk import Disk
from setoff.deploy.simulation.chaos.judgement import check_promises
from setoff.deploy.simulation.chaos.load import Load, Taken
from setoff.deploy.simulation.chaos.parts import find_parts
from setoff.deploy.simulation.chaos.play import Outcome, Recovery, play
from setoff.deploy.simulation.chaos.skew import Clock
from setoff.shared.sdk.receipt_store import ReceiptStore

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kills by /proc, mounts, and loads libraries")


def make_load(folder: Path, *taken: tuple[int, bytes]) -> Load:
    load = Load("http://127.0.0.1:1", [], ReceiptStore(folder / "r", bytes(32), None), price=1, pause=1, seed=0)
    load.taken += [Taken(0.0, 0.0, number, record) for number, record in taken]
    load.is_done = True
    return load


@pytest.mark.parametrize(
    ("taken", "posted", "broken"),
    [
        ([(0, b"a"), (2, b"c")], [b"a", b"b", b"c"], []),
        ([(0, b"a"), (2, b"c")], [b"a", b"b"], [0]),
        ([(0, b"a"), (2, b"c")], [b"a", b"c", b"b"], [0]),
        ([(0, b"a")], [b"a", b"a"], [1]),
        ([(0, b"a"), (0, b"b")], [b"b", b"a"], [2]),
        ([(0, b"a"), (1, b"a")], [b"a", b"a"], [1, 2]),
    ],
)
def test_what_was_promised_is_held_against_l1(
    tmp_path: Path, taken: list[tuple[int, bytes]], posted: list[bytes], broken: list[int]
) -> None:
    checks = check_promises(make_load(tmp_path, *taken), posted)
    assert [place for place, check in enumerate(checks) if not check.passed] == broken


def test_a_record_counts_as_taken_after_a_fault_only_if_it_was_sent_after_it(tmp_path: Path) -> None:
    load = make_load(tmp_path)
    load.taken += [Taken(1.0, 9.0, 0, b"a"), Taken(5.0, 8.0, 1, b"b"), Taken(6.0, 7.0, 2, b"c")]
    first = load.since(4.0)
    assert first is not None and first.sequence == 2 and load.since(6.5) is None


def test_a_disk_is_full_and_has_room_again(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "disk")
    try:
        if not disk.is_small:
            pytest.skip("nothing can be mounted here")
        disk.fill()
        with pytest.raises(OSError) as failure:
            (disk.folder / "more").write_bytes(bytes(1 << 16))
        assert failure.value.errno == errno.ENOSPC
        disk.clear()
        (disk.folder / "more").write_bytes(bytes(1 << 16))
    finally:
        disk.close()
    assert not os.path.ismount(disk.folder)


def test_a_clock_jumps_for_who_has_it_and_for_nobody_else(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock")
    if not clock.is_there:
        pytest.skip("there is no C compiler")
    code = "import sys, time\nfor _ in sys.stdin: print(time.time(), time.monotonic(), flush=True)"
    environment = {**os.environ, **clock.environment}
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        for ahead in (0, 3600, -3600, 0):
            clock.set(ahead)
            print(file=process.stdin, flush=True)
            told, monotonic = map(float, process.stdout.readline().split())
            assert abs(told - time.time() - ahead) < 30 and abs(monotonic - time.monotonic()) < 30
        process.stdin.close()


def test_the_processes_of_a_service_are_found_by_what_they_are_for() -> None:
    words = ["-m", "setoff.deploy.cli", "oracle", "run"]
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(60)', *{words}])"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        wait_until(lambda: "oracle" in find_parts(process.pid, {}).values(), 20)
        found = find_parts(process.pid, {process.pid: "starter"})
        assert found[process.pid] == "starter"
        for number in found:
            os.kill(number, signal.SIGKILL)


def test_the_table_has_the_middle_and_the_worst_of_each_kind() -> None:
    def recovery(number: int, target: str, seconds: float | None) -> Recovery:
        return Recovery(number, "kill -9", target, 0.0, seconds, seconds, seconds, (), ())

    outcome = Outcome(
        (recovery(1, "a", 1.0), recovery(2, "a", 3.0), recovery(3, "a", 8.0), recovery(4, "b", None)), (), {}
    )
    assert outcome.table() == [("kill -9", "a", 3, 0, "3.0", "8.0"), ("kill -9", "b", 1, 1, "–", "–")]
    assert not outcome.passed


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_an_exchange_outlives_more_than_a_hundred_faults(tmp_path: Path) -> None:
    told: list[str] = []
    outcome = play(tmp_path, 110, Random().randrange(1 << 16), lambda line: told.append(line))
    assert outcome.passed, "\n".join([*told, *(str(check) for check in outcome.checks if not check.passed)])
