"""`setoff operator status` as pages: what watches over it gets the same as people do."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from setoff.deploy.cli.commands.operator_status import Look, ask_health, make_pages
from setoff.operator.monitor.status import find_problems
from setoff.shared.config.pulse import ProcessStatus
from setoff.shared.wire.pages import make_server

WELL = [
    ProcessStatus("sequencer", 0.1, {"url": "http://x", "obstacle": "", "batch": 7, "told_at": time.time() + 10**6}),
    ProcessStatus("publisher", 0.1, {"told_at": time.time() + 10**6}),
]


@contextmanager
def serving(found: Look) -> Iterator[str]:
    with make_server(("127.0.0.1", 0), make_pages(lambda: found)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("found", "status", "ready"),
    [
        (Look(WELL, find_problems(WELL), "ready"), 200, 1),
        (Look(WELL[1:], find_problems(WELL[1:]), ""), 503, 0),
    ],
    ids=["well", "without a sequencer"],
)
def test_all_pages_say_the_same(found: Look, status: int, ready: int) -> None:
    with serving(found) as url:
        assert requests.get(f"{url}/ready", timeout=10).status_code == status
        metrics = requests.get(f"{url}/metrics", timeout=10)
        assert metrics.headers["Content-Type"] == "text/plain; version=0.0.4"
        assert f"setoff_operator_ready {ready}\n" in metrics.text
        assert f"setoff_operator_problems {len(found.problems)}\n" in metrics.text
        told = requests.get(f"{url}/status", timeout=10).json()
        assert told["problems"] == found.problems == ([] if ready else ["no sequencer runs"])
        assert all(problem in requests.get(url, timeout=10).text for problem in found.problems)
        assert json.loads(json.dumps(told["processes"]))[-1]["process"] == "publisher"
        assert requests.get(f"{url}/other", timeout=10).status_code == 404


def test_an_api_that_is_not_there_is_not_healthy() -> None:
    assert ask_health("http://127.0.0.1:9").startswith("unreachable: ")
