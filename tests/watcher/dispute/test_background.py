"""Long work about one epoch never holds up the others."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest
from tests.support.waiting import wait_until

from setoff.shared.errors import StateError
from setoff.shared.machine.epoch import EpochRun
from setoff.watcher.dispute.background import Background

RUN = cast(EpochRun, object())


@pytest.fixture
def builder() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as builder:
        yield builder


def test_an_answer_that_takes_long_is_not_ready_and_then_there(builder: ThreadPoolExecutor) -> None:
    go = threading.Event()
    asked: list[EpochRun] = []

    def question(run: EpochRun) -> str:
        go.wait(10)
        asked.append(run)
        return "root"

    run = Background(lambda: RUN, 0.02, builder)
    for _ in range(3):
        with pytest.raises(StateError, match="not_ready"):
            run.ask("root", question)
    go.set()
    time.sleep(0.1)
    assert run.ask("root", question) == "root"
    assert asked == [RUN]  # worked on once, however often it was asked


def test_a_failure_is_told_and_tried_again(builder: ThreadPoolExecutor) -> None:
    made: list[int] = []

    def make() -> EpochRun:
        made.append(1)
        if len(made) == 1:
            raise StateError("not_ready", "replaced by a reorg")
        return RUN

    run = Background(make, None, builder)
    with pytest.raises(StateError, match="replaced"):
        run.ask("end", lambda run: 7)
    assert run.ask("end", lambda run: 7) == 7
    assert run.ask("end", lambda run: 8) == 7  # known from then on


def test_a_file_that_cannot_be_read_is_read_again(builder: ThreadPoolExecutor) -> None:
    made: list[int] = []

    def question(run: EpochRun) -> int:
        if len(made) == 1:
            raise OSError("no space left on the device")
        return 7

    run = Background(lambda: made.append(1) or RUN, None, builder)  # type: ignore[func-returns-value]
    with pytest.raises(StateError, match=r"not_ready.*no space"):
        run.ask("end", question)
    assert run.ask("end", question) == 7 and len(made) == 2


def test_histories_are_built_one_after_the_other_in_the_order_asked_for(builder: ThreadPoolExecutor) -> None:
    go = threading.Event()
    order: list[int] = []

    def make(number: int) -> EpochRun:
        go.wait(10)
        order.append(number)
        return RUN

    runs = [Background(lambda number=number: make(number), 0.01, builder) for number in range(5)]  # type: ignore[misc]
    for _ in range(2):
        for run in runs:
            with pytest.raises(StateError, match="not_ready"):
                run.ask("root", lambda run: "root")
    assert order == []
    assert all(run.is_busy for run in runs)
    go.set()
    builder.submit(lambda: None).result(10)
    assert order == [0, 1, 2, 3, 4]
    assert [run.ask("root", lambda run: "root") for run in runs] == ["root"] * 5
    assert not any(run.is_busy for run in runs)


def test_a_history_that_is_there_answers_while_another_is_built(builder: ThreadPoolExecutor) -> None:
    go = threading.Event()
    known, unknown = Background(lambda: RUN, 5, builder), Background(lambda: RUN, 0.01, builder)
    assert known.ask("root", lambda run: 1) == 1
    with pytest.raises(StateError, match="not_ready"):
        unknown.ask("root", lambda run: go.wait(10))
    assert known.ask("children", lambda run: 2) == 2
    go.set()


def test_what_is_not_ready_is_waited_for_only_once(builder: ThreadPoolExecutor) -> None:
    go = threading.Event()
    run = Background(lambda: RUN, 3600, builder)
    answers: list[str] = []
    first = threading.Thread(target=lambda: answers.append(run.ask("root", lambda run: "root" if go.wait(60) else "")))
    first.start()
    wait_until(lambda: run.is_busy)
    with pytest.raises(StateError, match="not_ready"):
        run.ask("root", lambda run: "another")
    go.set()
    first.join()
    assert answers == ["root"]


def test_who_waits_for_a_turn_can_be_closed(builder: ThreadPoolExecutor) -> None:
    go = threading.Event()
    made: list[int] = []
    first = Background(lambda: RUN, 0.01, builder)
    second = Background(lambda: made.append(1) or RUN, 0.01, builder)  # type: ignore[func-returns-value]
    for run in (first, second):
        with pytest.raises(StateError, match="not_ready"):
            run.ask("root", lambda run: go.wait(10))
    second.close()
    go.set()
    builder.submit(lambda: None).result(10)
    assert made == []
