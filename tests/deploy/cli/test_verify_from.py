"""`setoff verify --from`: one epoch from a machine that anybody gives, trusted for nothing but its hash."""

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from struct import pack
from typing import Final

import pytest
from aiohttp import web
from tests.support.chains.town import PARAMS, Town, open_town
from tests.support.ports import find_free_ports
from tests.support.processes.serving import serving
from tests.support.processes.snapshot_shelf import SnapshotShelf, serving_shelf
from tests.support.waiting import wait_until

from setoff.deploy.cli.main import main
from setoff.deploy.simulation.faults import plan_fault
from setoff.shared.dispute.calls import Call
from setoff.shared.l1.court import CourtContract
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.machine import Machine
from setoff.shared.state.registers import FIELDS

# On one worker, so that the towns are made once.
pytestmark = pytest.mark.xdist_group("verify from")

Verify = Callable[..., str]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture(scope="module")
def claimed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town whose first epoch is claimed truly."""
    with open_town(tmp_path_factory.mktemp("claimed")) as claimed:
        claim(claimed, 0, end_of(claimed, 0))
        yield claimed


@pytest.fixture
def shelf() -> SnapshotShelf:
    return SnapshotShelf()


@pytest.fixture
def url(shelf: SnapshotShelf) -> Iterator[str]:
    with serving_shelf(shelf) as url:
        yield url


def machine_before(town: Town, epoch: int) -> Machine:
    """The true one."""
    town.followed.follow()
    run = town.followed.epochs[epoch].run
    assert isinstance(run, EpochRun)
    return run.machine_before(0)


def end_of(town: Town, epoch: int) -> bytes:
    town.followed.follow()
    return town.followed.epochs[epoch].run.end


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Verify:
    """Runs the command; all that it says."""

    def run(town: Town, line: str, code: int = 0) -> str:
        where = ["--rpc", town.anvil.url, "--deployment", str(town.path)]
        found = main(["verify", *line.split(), *where])
        captured = capsys.readouterr()
        assert found == code, captured
        return captured.out + captured.err

    return run


def test_a_start_that_l1_does_not_know_is_refused(town: Town, verify: Verify, url: str) -> None:
    told = verify(town, f"1 --from {url}", code=1)
    assert "L1 knows no start of epoch 1: nobody has claimed an end of epoch 0" in told
    assert "last confirmed start is that of epoch 0" in told and "next: " in told
    assert "epoch 9 are not all posted" in verify(town, f"9 --from {url}", code=1)


def test_the_first_epoch_begins_with_a_machine_that_everybody_has(town: Town, verify: Verify) -> None:
    told = json.loads(verify(town, f"0 --json --from http://127.0.0.1:{find_free_ports(1)[0]}"))
    assert told["start_is"] == "confirmed" and told["agrees"] is None and told["inputs"] == 18
    assert json.loads(verify(town, "--json --from http://127.0.0.1:1"))["epoch"] == 0, (
        "the last one whose start L1 knows"
    )


def test_a_court_that_began_with_another_machine_confirms_nothing(
    town: Town, tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.json"
    replace(town.deployment, backstop_delay=town.deployment.backstop_delay + 1).save(path)
    for line in (f"0 --from {url}", f"0 --spot 1 --from {url}"):
        assert main(["verify", *line.split(), "--rpc", town.anvil.url, "--deployment", str(path)]) == 2
        assert "the court does not begin with the machine 0x" in capsys.readouterr().err


def test_a_claimed_start_is_said_to_be_only_claimed(
    claimed: Town, verify: Verify, shelf: SnapshotShelf, url: str
) -> None:
    shelf.put(machine_before(claimed, 1))
    told = verify(claimed, f"1 --from {url}")
    assert "ONLY CLAIMED" in told and "nobody has claimed one" in told and "has nothing to agree with" in told
    facts = json.loads(verify(claimed, f"1 --json --from {url}"))
    assert (
        facts["start_is"] == "claimed" and facts["end"] == f"0x{end_of(claimed, 1).hex()}" and facts["agrees"] is None
    )
    alone = json.loads(verify(claimed, "1 --json"))
    assert alone["start_is"] == "executed"
    assert {**alone, "start_is": ""} == {**facts, "start_is": ""}, "the same verdict and JSON as without"


def test_without_an_epoch_it_is_the_last_one_whose_machine_the_server_has(
    claimed: Town, verify: Verify, shelf: SnapshotShelf, url: str
) -> None:
    shelf.put(machine_before(claimed, 0))
    assert json.loads(verify(claimed, f"--json --from {url}"))["epoch"] == 0, "as of an operator, which keeps one"
    with serving_shelf(SnapshotShelf()) as empty:
        assert "does not have /v1/snapshots/0x" in verify(claimed, f"--from {empty}", code=3)
    other = SnapshotShelf()
    other.put(machine_before(claimed, 0), machine_before(claimed, 1).hash())
    other.packed[bytes(32)] = b""
    with serving_shelf(other) as both:
        told = verify(claimed, f"--from {both}", code=3)
    assert f"L1 has the start 0x{machine_before(claimed, 1).hash().hex()}" in told, "the list is believed, no machine"


def test_a_file_of_what_is_served_does_as_well(
    claimed: Town, verify: Verify, shelf: SnapshotShelf, tmp_path: Path
) -> None:
    machine_hash = shelf.put(machine_before(claimed, 1))
    path = tmp_path / "machine"
    path.write_bytes(shelf.packed[machine_hash])
    assert "ONLY CLAIMED" in verify(claimed, f"1 --from {path}")
    path.write_bytes(zlib.compress(machine_before(claimed, 0).snapshot()))
    told = verify(claimed, f"1 --from {path}", code=3)
    assert (
        f"gives the machine 0x{machine_before(claimed, 0).hash().hex()}; L1 has the start 0x{machine_hash.hex()}"
        in told
    )
    assert "next: " in told
    assert "cannot be read: No such file" in verify(claimed, f"1 --from {tmp_path / 'none'}", code=1)


FAR: Final = bytes(32 * len(FIELDS)) + b"".join(
    pack(">BIH", number >> 7, (number & 127) << 25, 32) + bytes(31) + b"\1" for number in range(20_000)
)
"""A machine of few bytes whose leaves are as far from each other as can be."""


def bomb(size: int) -> bytes:
    return zlib.compress(bytes(size), level=9)


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (b"<html>not found</html>", "gives no machine, packed by zlib"),
        (zlib.compress(b"something else"), "cut short"),
        (zlib.compress(bytes(10_000))[:-4], "that is cut short"),
        (bomb(3_000_000), "gives more than 1000000 bytes"),
        (zlib.compress(b"\xff" * 6_000), "gives "),
        (zlib.compress(FAR), "gives leaves that take more than"),
    ],
    ids=["a page", "something else", "cut short", "a bomb", "no registers", "far leaves"],
)
def test_what_is_no_machine_is_refused_in_words(
    claimed: Town, verify: Verify, shelf: SnapshotShelf, url: str, packed: bytes, said: str
) -> None:
    shelf.packed[machine_before(claimed, 1).hash()] = packed
    told = verify(claimed, f"1 --most 1 --from {url}", code=3)
    assert said in told and "next: " in told


def test_another_machine_under_the_right_name_is_refused(
    claimed: Town, verify: Verify, shelf: SnapshotShelf, url: str
) -> None:
    richer = machine_before(claimed, 1)
    richer.state.account(1).collateral += 1
    shelf.put(richer, machine_before(claimed, 1).hash())
    told = verify(claimed, f"1 --from {url}", code=3)
    assert f"gives the machine 0x{richer.hash().hex()}; L1 has the start" in told


def test_a_server_that_gives_nothing_or_too_much(claimed: Town, verify: Verify, url: str) -> None:
    told = verify(claimed, f"1 --from {url}", code=3)
    assert "does not have /v1/snapshots/0x" in told and "next: " in told and "another watcher" in told
    told = verify(claimed, f"1 --from http://127.0.0.1:{find_free_ports(1)[0]}", code=3)
    assert "gives nothing: ConnectionError" in told and "next: " in told

    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=503)

    async def send_elsewhere(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})

    async def pour(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(bytes(1 << 18))

    for handler, said in (
        (refuse, "asks to come again"),
        (send_elsewhere, "answers 302"),
        (pour, "sends more than 1 MB"),
    ):
        app = web.Application()
        app.router.add_get("/v1/snapshots/{hash}", handler)
        with serving(lambda app=app: app) as other:  # type: ignore[misc]
            told = verify(claimed, f"1 --most 1 --from {other}", code=3)
            assert said in told and "next: " in told


@pytest.mark.parametrize("place", ["ftp://x/y", "http://", "https:///", "a" * 300])
def test_a_place_is_a_url_or_a_file(town: Town, verify: Verify, place: str) -> None:
    with pytest.raises(SystemExit) as caught:
        verify(town, f"0 --from {place}")
    assert caught.value.code == 2


def claim(town: Town, epoch: int, end: bytes) -> None:
    start = machine_before(town, epoch).hash()
    court = CourtContract(town.anvil.connect(7), town.deployment.court)
    town.anvil.advance(PARAMS.claim_interval)
    assert court.l1.transact(
        court.address, court.encode(Call("claim", (epoch, start, end))), 0 if epoch else PARAMS.stake
    ).succeeded


def test_a_lie_about_one_epoch_is_found_from_the_machine_before_it_and_is_not_confirmed(
    tmp_path: Path, verify: Verify, shelf: SnapshotShelf, url: str
) -> None:
    with open_town(tmp_path) as town:
        claim(town, 0, end_of(town, 0))
        check_a_lie(town, verify, shelf, url)
        check_what_is_confirmed(town, verify, shelf, url)


def check_a_lie(town: Town, verify: Verify, shelf: SnapshotShelf, url: str) -> None:
    shelf.put(machine_before(town, 1))
    start, batches = machine_before(town, 1), [town.reader.batch(1)]
    queue_hash = town.reader.queue_hash_at(batches[0].header.first_message)
    false = EpochRun(start, batches, queue_hash, plan_fault("wrong-root", start, batches))
    claim(town, 1, false.end)
    told = verify(town, f"1 --from {url}", code=1)
    assert "DIFFERS with the chain" in told and f"another one is claimed: 0x{false.end.hex()}" in told
    assert "nobody has shown a history of it" in told
    facts = json.loads(verify(town, f"1 --json --from {url}", code=1))
    alone = json.loads(verify(town, "1 --json", code=1))
    assert {**alone, "start_is": ""} == {**facts, "start_is": ""} and alone["differences"]


def check_what_is_confirmed(town: Town, verify: Verify, shelf: SnapshotShelf, url: str) -> None:
    def go_on() -> None:
        town.player.step()
        town.anvil.advance(10)

    wait_until(lambda: town.player.reader.court.confirmed >= 2, meanwhile=go_on, pause=0)
    shelf.put(machine_before(town, 1))
    told = verify(town, f"1 --from {url}")
    assert "the one that L1 has confirmed" in told and "ONLY CLAIMED" not in told and "has confirmed this end" in told
    facts = json.loads(verify(town, f"--json --from {url}"))
    assert (facts["epoch"], facts["start_is"], facts["agrees"]) == (1, "confirmed", True)
