"""`setoff verify --spot`: a few batches from witness bundles of a server that may lie in any way."""

import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from aiohttp import web
from tests.support.chains.exchange import Exchange
from tests.support.chains.payments import post_payments
from tests.support.processes.serving import serving
from tests.support.processes.witness_stand import WitnessStand, serving_stand

from setoff.deploy.cli.inspection import spots
from setoff.deploy.cli.main import main
from setoff.deploy.devnet.anvil import Anvil
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.dispute.calls import Call
from setoff.shared.errors import StateError, WitnessError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.court import CourtContract
from setoff.shared.l1.da.blobs import BlobSource
from setoff.shared.machine.batch import Batch, epoch_hash
from setoff.shared.machine.blobs import commit, hash_commitment
from setoff.shared.machine.machine import Machine
from setoff.shared.params import DEVNET
from setoff.shared.wire.witnesses import read_boundaries, show_boundaries
from setoff.watcher.checks.spot_check import Server, compute_probability, draw_batches

BATCHES = 4
PARAMS = replace(DEVNET, epoch_batches=BATCHES).check()
EPOCH = 1
Verify = Callable[..., str]

# On one worker, so that the two exchanges are made once.
pytestmark = pytest.mark.xdist_group("verify spot")


class Posted:
    """Two epochs of four batches, of which the first is claimed truly; the second is for the test."""

    def __init__(self, anvil: Anvil, folder: Path) -> None:
        self.exchange = post_payments(Exchange(anvil, PARAMS), 2 * BATCHES)
        self.anvil = anvil
        self.path = folder / "deployment.json"
        self.exchange.deployment.save(self.path)
        self.reader = ChainReader(self.exchange.operator, self.exchange.deployment)
        self.batches: list[Batch] = [self.reader.batch(number) for number in range(2 * BATCHES)]
        machine = Machine.genesis(*self.exchange.deployment.genesis)
        genesis = machine.hash()
        for batch in self.batches[:BATCHES]:
            machine.run_batch(batch)
        self.start = machine
        self.claim(0, genesis, machine.hash())

    def claim(self, epoch: int, start: bytes, end: bytes) -> None:
        court = CourtContract(self.exchange.operator, self.exchange.deployment.court)
        self.anvil.advance(PARAMS.claim_interval)
        data = court.encode(Call("claim", (epoch, start, end)))
        assert self.exchange.operator.transact(court.address, data, 0 if epoch else PARAMS.stake).succeeded

    def stand(self) -> WitnessStand:
        """An honest one, of the second epoch."""
        own = self.batches[BATCHES:]
        stand = WitnessStand(EPOCH, epoch_hash(EPOCH, BATCHES, own[-1].header.hash()), own)
        stand.run(self.start.copy())
        return stand

    def lying_stand(self, place: int) -> WitnessStand:
        """One in whose history account 1 has a unit more from batch `place` of the epoch on; all else follows."""
        stand = self.stand()
        machine = self.start.copy()
        for batch in stand.batches[:place]:
            machine.run_batch(batch)
        machine.state.account(1).collateral += 1
        stand.run(machine, place)
        return stand


@contextmanager
def posted_at(folder: Path) -> Iterator[Posted]:
    with Anvil() as anvil:
        yield Posted(anvil, folder)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Posted]:
    """Whose second epoch is claimed truly."""
    with posted_at(tmp_path_factory.mktemp("honest")) as posted:
        posted.claim(EPOCH, posted.start.hash(), posted.stand().boundaries[-1])
        yield posted


@pytest.fixture(scope="module")
def lied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Posted]:
    """Whose second epoch is claimed to end as in the lying history from its third batch on."""
    with posted_at(tmp_path_factory.mktemp("lied")) as posted:
        posted.claim(EPOCH, posted.start.hash(), posted.lying_stand(2).boundaries[-1])
        yield posted


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Verify:
    """Runs the command; all that it says."""

    def run(posted: Posted, line: str, code: int = 0) -> str:
        where = ["--rpc", posted.anvil.url, "--deployment", str(posted.path)]
        found = main(["verify", *line.split(), *where])
        captured = capsys.readouterr()
        assert found == code, captured
        return captured.out + captured.err

    return run


def test_an_honest_history_is_found_true_with_the_probability_that_it_is_worth(honest: Posted, verify: Verify) -> None:
    stand = honest.stand()
    with serving_stand(stand) as url:
        told = verify(honest, f"1 --spot 1 --from {url}")
        assert "1 of 4 batches" in told and "true, 2 inputs" in told and "to the claimed end 0x" in told
        assert "found with a probability of 1/4 (25 %) at least, and missed otherwise" in told
        assert "ONLY CLAIMED" in told
        assert stand.asked[0] == "boundaries" and len(stand.asked) == 2, "first all is said, then one is drawn"
        told = verify(honest, f"1 --spot 99 --from {url}")
        assert "4 of 4 batches" in told and "all 4 batches are true, so the claimed end is" in told
        facts = json.loads(verify(honest, f"--json --spot 3 --from {url}"))
    assert facts["epoch"] == EPOCH and facts["agrees"] is True and facts["probability"] == 0.75
    assert facts["start_is"] == facts["end_is"] == "claimed" and facts["differences"] == []
    assert len(facts["drawn"]) == 3 and {each["finding"] for each in facts["drawn"]} == {"true"}


def test_a_lying_claim_is_told_from_an_honest_servers_history_before_anything_is_drawn(
    lied: Posted, verify: Verify
) -> None:
    stand = lied.stand()
    with serving_stand(stand) as url:
        told = verify(lied, f"1 --spot 2 --from {url}", code=1)
    false = lied.lying_stand(2).boundaries[-1]
    assert f"by the claimed hash on L1 it ends at 0x{false.hex()}, by the server 0x{stand.boundaries[-1].hex()}" in told
    assert "one of the two is false, and no batch was drawn" in told and stand.asked == ["boundaries"]


def test_a_lie_that_all_else_follows_from_is_found_where_it_is(lied: Posted, verify: Verify) -> None:
    with serving_stand(lied.lying_stand(2)) as url:
        told = verify(lied, f"1 --spot 4 --from {url}", code=1)
        facts = json.loads(verify(lied, f"1 --json --spot 4 --from {url}", code=1))
    # The unit is there before batch 6, so it is batch 5 that does not lead there.
    assert [each["finding"] for each in facts["drawn"]] == ["true", "false", "true", "true"]
    assert facts["agrees"] is False and "batch 5: FALSE: its inputs lead to 0x" in told
    assert "does not show that the end is true" in told
    (difference,) = [line for line in facts["differences"] if "account 1" in line]
    told_by_server, here = (int(number) for number in difference.split("collateral: ")[1].split(" → "))
    assert told_by_server == here + 1


def test_a_lie_in_the_last_batch_is_the_claims(tmp_path: Path, verify: Verify) -> None:
    with posted_at(tmp_path) as posted:
        stand = posted.stand()
        false = bytes(31) + b"\7"
        posted.claim(EPOCH, posted.start.hash(), false)
        stand.boundaries[-1] = false
        with serving_stand(stand) as url:
            told = verify(posted, f"1 --spot 4 --from {url}", code=1)
    assert "batch 7: FALSE" in told and "every batch before is true: the claimed end is FALSE" in told
    assert "shows nothing of what it says is there but the hash" in told


@pytest.mark.parametrize(
    ("bundle", "said"),
    [
        (None, "does not have /v1/witnesses/1/6"),
        (b"", "a fragment is damaged"),
        (b"<html>", "a fragment is damaged"),
        (zlib.compress(bytes(5_000_000), 9), "more than 1000000 bytes"),
        (b"endless", "sends more than 1 MB for /v1/witnesses/1/6"),
        ("foreign", "a bundle is of the machine 0x"),
        ("torn", "a fragment is damaged: cut short"),
    ],
    ids=["none", "empty", "a page", "a bomb", "endless", "foreign", "torn"],
)
def test_what_is_no_bundle_is_withheld_and_not_fine(
    honest: Posted, verify: Verify, bundle: bytes | str | None, said: str
) -> None:
    stand = honest.stand()
    original = stand.bundles.pop(6)
    if bundle is not None:
        forged = {"foreign": stand.bundles[5], "torn": original[:-9]}
        stand.bundles[6] = forged[bundle] if isinstance(bundle, str) else bundle
    with serving_stand(stand) as url:
        told = verify(honest, f"1 --spot 4 --most 1 --from {url}", code=3)
        facts = json.loads(verify(honest, f"1 --json --spot 4 --most 1 --from {url}", code=3))
    assert "batch 6: WITHHELD" in told and said in told and "1 of 4 batches that were drawn are WITHHELD" in told
    assert facts["agrees"] is None and [each["finding"] for each in facts["drawn"]].count("withheld") == 1


def test_a_history_that_begins_elsewhere_or_has_another_form_is_refused(honest: Posted, verify: Verify) -> None:
    stand = honest.lying_stand(0)
    with serving_stand(stand) as url:
        told = verify(honest, f"1 --spot 4 --from {url}", code=3)
        assert "by the claimed hash on L1 it begins with 0x" in told and stand.asked == ["boundaries"]
        stand.boundaries.append(bytes(32))
        told = verify(honest, f"1 --spot 4 --from {url}", code=3)
        assert "6 machine hashes; 4 batches have 5" in told and "next: " in told
        stand.commitment = bytes(32)
        told = verify(honest, f"1 --spot 4 --from {url}", code=3)
        assert "hashes of an epoch of other inputs" in told


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{}", b'{"boundaries": 5, "epoch_hash": 5}', b'{"boundaries": ["0x00"], "epoch_hash": "0x"}',
             b"[" * 10_000, b'{"boundaries": [null], "epoch_hash": null}']
)  # fmt: skip
def test_what_is_no_list_of_hashes_is_refused(text: bytes) -> None:
    with pytest.raises(WitnessError, match="no list of machine hashes"):
        read_boundaries(text, bytes(32), 4)


def test_a_list_of_hashes_comes_back() -> None:
    boundaries = [bytes([number]) * 32 for number in range(5)]
    text = json.dumps(show_boundaries(7, bytes(32), boundaries)).encode()
    assert read_boundaries(text, bytes(32), 4) == boundaries


def test_an_epoch_that_nobody_has_claimed_has_nothing_to_check(tmp_path: Path, verify: Verify) -> None:
    with posted_at(tmp_path) as posted:
        told = verify(posted, "1 --spot 2 --from http://127.0.0.1:1")
        assert "nobody has claimed one" in told
        told = verify(posted, "--spot 2 --from http://127.0.0.1:1", code=3)
        assert "gives nothing: ConnectionError" in told, "the last epoch that is claimed is one to ask for"


def test_where_nothing_is_posted_there_is_nothing_to_check(
    anvil: Anvil, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Exchange(anvil, PARAMS).deployment.save(tmp_path / "deployment.json")
    where = ["--from", "http://127.0.0.1:1", "--rpc", anvil.url, "--deployment", str(tmp_path / "deployment.json")]
    for line in ("", "--spot 3"):
        assert main(["verify", *line.split(), *where]) == 0
        assert "no epoch is posted yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1 --spot 2", "it takes --from URL"),
        ("1 --spot 2 --from somefile", "it takes --from URL"),
        ("1 --spot 0 --from http://127.0.0.1:1", "one batch or more"),
    ],
)
def test_options_that_do_not_go_together(honest: Posted, verify: Verify, line: str, said: str) -> None:
    told = verify(honest, line, code=2)
    assert said in told and "next: `setoff verify EPOCH --spot N --from URL`" in told


@pytest.mark.parametrize("way", ["--spot 4", ""], ids=["bundles", "whole"])
def test_blobs_that_nodes_have_let_go_of_come_from_the_same_server(
    blob_anvil: Anvil, tmp_path: Path, verify: Verify, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    exchange = Exchange(blob_anvil, PARAMS)
    exchange.deposit(1, 10**6)
    exchange.post(0, 1)
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    _, blobs = exchange.post_blobs(1, *([traffic.withdraw(1, number)] for number in range(1, 4)))
    exchange.deployment.save(tmp_path / "deployment.json")
    batches = [ChainReader(exchange.operator, exchange.deployment).batch(number) for number in range(BATCHES)]
    stand = WitnessStand(0, epoch_hash(0, BATCHES, batches[-1].header.hash()), batches)
    genesis = Machine.genesis(*exchange.deployment.genesis)
    stand.run(genesis.copy())
    stand.blobs = {hash_commitment(commit(blob)): blob for blob in blobs}
    court = CourtContract(exchange.operator, exchange.deployment.court)
    data = court.encode(Call("claim", (0, genesis.hash(), stand.boundaries[-1])))
    assert exchange.operator.transact(court.address, data, PARAMS.stake).succeeded
    monkeypatch.setattr(BlobSource, "_ask_node", lambda *_: iter(()))
    where = ["--rpc", blob_anvil.url, "--deployment", str(tmp_path / "deployment.json")]
    with serving_stand(stand) as url:
        assert main(["verify", "0", *way.split(), "--from", url, *where]) == 0
    assert len([each for each in stand.asked if each.startswith("blob")]) == 3


def test_a_server_that_has_no_time_is_asked_again_for_a_while_only(honest: Posted) -> None:
    left = 2

    async def tell(_: web.Request) -> web.Response:
        nonlocal left
        left -= 1
        if left >= 0:
            return web.json_response({"reason": "not_ready", "detail": "later\x1b[31m"}, status=503)
        return web.json_response(show_boundaries(1, bytes(32), [bytes(32)] * 5))

    app = web.Application()
    app.router.add_get("/v1/witnesses/1", tell)
    with serving(lambda: app) as url:
        with pytest.raises(StateError, match="asks to come again for /v1/witnesses/1: later ") as caught:
            Server(url, 10**6, patience=0).boundaries(1, bytes(32), 4)
        assert "\x1b" not in str(caught.value), "what a server says does nothing to a terminal"
        said: list[str] = []
        assert len(Server(url, 10**6, report=said.append).boundaries(1, bytes(32), 4)) == 5 and len(said) == 1
        left, said = 99, []
        server = Server(url, 10**6, patience=5, report=said.append)
        for _ in range(3):
            with pytest.raises(StateError):
                server.boundaries(1, bytes(32), 4)
        assert len(said) == 2, "it has so much patience in all, not for each question"


@pytest.mark.parametrize(("batches", "count"), [(1, 1), (4, 1), (32, 3), (32, 32), (3, 99)])
def test_what_is_drawn_is_different_batches_with_the_probability_that_is_told(batches: int, count: int) -> None:
    drawn = draw_batches(batches, count)
    assert len(set(drawn)) == len(drawn) == min(count, batches) and drawn == sorted(drawn)
    assert compute_probability(batches, count) == Fraction(min(count, batches), batches)
    if count < batches:
        hits = sum(0 in draw_batches(batches, count) for _ in range(2_000))
        assert abs(hits / 2_000 - count / batches) < 0.06


def test_a_probability_is_never_told_higher_than_it_is() -> None:
    shown = (
        spots._show_percent(Fraction(31, 32)),
        spots._show_percent(Fraction(2, 3)),
        spots._show_percent(Fraction(1, 32)),
    )
    assert shown == ("96.8 %", "66.6 %", "3.1 %")
