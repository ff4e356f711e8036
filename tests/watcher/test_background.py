"""Long work about one epoch never holds up the others."""

import threading
import time
from typing import cast

import pytest

from setoff.shared.errors import StateError
from setoff.shared.machine.epoch import EpochRun
from setoff.watcher.background import Background

RUN = cast(EpochRun, object())


def test_an_answer_that_takes_long_is_not_ready_and_then_there() -> None:
    go = threading.Event()
    asked: list[EpochRun] = []

    def question(run: EpochRun) -> str:
        go.wait(10)
        asked.append(run)
        return "root"

    run = Background(lambda: RUN, 0.02)
    for _ in range(3):
        with pytest.raises(StateError, match="not_ready"):
            run.ask("root", question)
    go.set()
    time.sleep(0.1)
    assert run.ask("root", question) == "root"
    assert asked == [RUN]  # worked on once, however often it was asked


def test_a_failure_is_told_and_tried_again() -> None:
    made: list[int] = []

    def make() -> EpochRun:
        made.append(1)
        if len(made) == 1:
            raise StateError("not_ready", "replaced by a reorg")
        return RUN

    run = Background(make, None)
    with pytest.raises(StateError, match="replaced"):
        run.ask("end", lambda run: 7)
    assert run.ask("end", lambda run: 7) == 7
    assert run.ask("end", lambda run: 8) == 7  # known from then on
