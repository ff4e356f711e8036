"""A watcher and batches in blobs: read, kept beyond the nodes' time, served, handed in, and missed aloud."""

import asyncio
import dataclasses
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from aiohttp import web
from tests.support.chains.exchange import Exchange
from tests.support.processes.watching import Desk

from setoff.deploy.cli.main import main
from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.dispute.terms import Terms
from setoff.shared.errors import ChainError
from setoff.shared.l1.court import CourtContract
from setoff.shared.l1.da.blobs import BlobSource
from setoff.shared.machine import blobs
from setoff.watcher.chain.blobs import BlobDesk, keep_blob
from setoff.watcher.chain.withheld import Withheld
from setoff.watcher.context import Context
from setoff.watcher.dispute.challenger import make_player
from setoff.watcher.monitor.alerts import Alert
from setoff.watcher.monitor.dispute_monitor import DisputeMonitor
from setoff.watcher.server import make_app

pytestmark = pytest.mark.xdist_group("blobs")


@pytest.fixture
def anvil(blob_anvil: Anvil) -> Anvil:
    return blob_anvil


@contextmanager
def serving(desk: Desk) -> Iterator[str]:
    """A watcher's blobs over HTTP; the URL."""
    loop, ready, url = asyncio.new_event_loop(), threading.Event(), []

    async def start() -> None:
        runner = web.AppRunner(make_app(BlobDesk(desk.store).routes()))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url.append(f"http://127.0.0.1:{runner.addresses[0][1]}")
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.create_task(start())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    yield url[0]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the node has no blobs: they are pruned, or it never had any."""
    monkeypatch.setattr(BlobSource, "_ask_node", lambda self, versioned_hash: iter(()))


def post(exchange: Exchange) -> list[bytes]:
    """Batch 0 with a deposit, batches 1 and 2 with records in blobs, batch 3 empty; returns the blobs."""
    traffic = SampleTraffic()
    exchange.deposit(1, 1000)
    exchange.post(0, 1)
    batches = ([traffic.transfer(1, 2, 5), traffic.withdraw(1, 7)], [traffic.withdraw(1, 8)], [])
    return exchange.post_blobs(1, *batches)[1]


def versioned_hash(blob: bytes) -> str:
    return "0x" + blobs.Blobs().commit(blob).hex()


def test_blobs_are_read_executed_and_kept_when_nodes_let_go_of_them(
    exchange: Exchange, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = post(exchange)
    assert desk.execute_all() == 4
    forget(monkeypatch)
    for number, blob in ((1, sent[0]), (2, sent[1])):
        batch = desk.archive.batch(number)
        assert batch.module_data == blob and batch.header.hash() == desk.context.reader.batch_hash(number)
        desk.store.redis.delete(desk.store.key("batch", batch.header.hash().hex()))
        assert desk.archive.batch(number) == batch, "the archive has the blob still"
    damaged = desk.store.key("data", blobs.Blobs().commit(sent[0]).hex())
    desk.store.redis.set(damaged, b"damaged")
    with pytest.raises(ChainError, match="data_withheld"):
        desk.archive.batch(1)


def test_withheld_blobs_are_missed_aloud_and_had_from_a_peer(
    exchange: Exchange, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(exchange)
    desk.catch_up()
    forget(monkeypatch)
    late = Desk(dataclasses.replace(desk.settings, name="late"))
    for _ in range(2):
        with pytest.raises(ChainError, match="data_withheld"):
            late.catch_up()
    posted = late.follower.withheld
    assert posted is not None and posted.header.number == 1 and late.store.batch_count() == 0

    withheld = Withheld(late.context.l1, late.context.deployment.court)
    is_alarm, text = withheld.describe(posted)
    assert not is_alarm and "batch 1 " in text and posted.header.data_root.hex() in text
    exchange.anvil.advance(31)
    is_alarm, text = withheld.describe(posted)
    assert is_alarm and "can be final in" in text
    exchange.anvil.advance(60)
    assert "may be final" in withheld.describe(posted)[1]

    with serving(desk) as peer:
        helped = Desk(dataclasses.replace(late.settings, peers=f"http://127.0.0.1:9, {peer}"))
        assert helped.settings.peer_urls == ("http://127.0.0.1:9", peer)
        helped.store.redis.delete(*helped.store.redis.keys(f"{helped.store.prefix}:*"))
        assert helped.execute_all() == 4 and helped.follower.withheld is None
    assert helped.store.blob(posted.header.data_root) is not None and not helped.store.is_wanted(
        posted.header.data_root
    )


def test_the_monitor_tells_of_what_is_withheld_from_the_follower_and_from_the_workers(
    exchange: Exchange, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = post(exchange)
    assert desk.execute_all() == 4 and DisputeMonitor(desk.settings).look().withheld == []
    forget(monkeypatch)
    late = Desk(dataclasses.replace(desk.settings, name="late"))
    monitor = DisputeMonitor(late.settings)
    with pytest.raises(ChainError, match="data_withheld"):
        late.catch_up()
    (missing,) = monitor.look().withheld
    period = exchange_terms(late).challenge_period
    assert (missing.batch, missing.epoch, missing.module, missing.data_root) == (1, 1, 1, versioned_hash(sent[0]))
    assert missing.claimed_at == 0 and missing.disputable_until == missing.since + period

    # It is claimed by somebody who has the data: from now on it is the claim's time that runs.
    exchange.anvil.advance(20)
    rich = dataclasses.replace(desk.settings, key=dev_keys()[3].hex(), claim_after=0)
    player = make_player(rich, Context.open(rich, key=rich.private_key()))
    for _ in range(3):
        player.step()
    overview = monitor.look()
    (missing,) = overview.withheld
    claim = player.reader.court.latest(1, desk.store.epoch(1).start)
    assert claim is not None and missing.claimed_at == claim.claimed_at >= missing.since + 20
    assert missing.disputable_until == claim.claimed_at + period
    assert levels_of_data(overview.alerts) == ["warning"]
    exchange.anvil.advance(period // 2)
    assert levels_of_data(monitor.look().alerts) == ["critical"]

    # What was there and is lost is missed as well, and nothing is once it is handed in.
    desk.store.redis.set(desk.store.key("data", blobs.Blobs().commit(sent[1]).hex()), b"damaged")
    with pytest.raises(ChainError, match="data_withheld"):
        desk.archive.batch(2)
    assert [missing.batch for missing in DisputeMonitor(desk.settings).look().withheld] == [2]
    keep_blob(desk.store, sent[1], must_be_wanted=True)
    assert DisputeMonitor(desk.settings).look().withheld == []


def levels_of_data(alerts: Sequence[Alert]) -> list[str]:
    """Of the alerts about data; others say that no process of this watcher runs, or what it cannot judge."""
    return [alert.level for alert in alerts if alert.text.startswith("the data of batch ")]


def test_a_withheld_batch_that_a_reorg_takes_back_is_missed_no_more(
    exchange: Exchange, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    post(exchange)
    forget(monkeypatch)
    with pytest.raises(ChainError, match="data_withheld"):
        desk.catch_up()
    assert len(DisputeMonitor(desk.settings).look().withheld) == 1
    exchange.anvil.l1.request("anvil_rollback", 1)
    exchange.reconnect()
    assert DisputeMonitor(desk.settings).look().withheld == []
    exchange.post(1, 0, [SampleTraffic().withdraw(1, 9)])
    assert desk.catch_up() == 2 and DisputeMonitor(desk.settings).look().withheld == []


def exchange_terms(desk: Desk) -> Terms:
    return CourtContract(desk.context.l1, desk.context.deployment.court).terms


def test_serves_blobs_by_hash_only(exchange: Exchange, desk: Desk) -> None:
    sent = post(exchange)
    desk.catch_up()
    with serving(desk) as url:
        answer = requests.get(f"{url}/v1/blobs/{versioned_hash(sent[1])}", timeout=10)
        assert answer.status_code == 200 and answer.content == sent[1]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"  # browsers verify batches, too
        for wrong, status in (("0x" + "00" * 32, 404), ("0x12", 400), ("nothing", 400)):
            refused = requests.get(f"{url}/v1/blobs/{wrong}", timeout=10)
            assert refused.status_code == status and set(refused.json()) == {"reason", "detail"}


def test_takes_the_blobs_it_waits_for_and_no_others(
    exchange: Exchange, desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sent = post(exchange)
    forget(monkeypatch)
    with serving(desk) as url:

        def hand_in(body: bytes) -> int:
            return requests.post(f"{url}/v1/blobs", data=body, timeout=10).status_code

        assert hand_in(sent[0]) == 404, "nothing is waited for yet"
        with pytest.raises(ChainError, match="data_withheld"):
            desk.catch_up()
        for wrong, status in ((sent[0][:-1], 422), (b"\xff" * blobs.BLOB_BYTES, 422), (bytes(1 << 19), 413)):
            assert hand_in(wrong) == status
        assert hand_in(sent[1]) == 404, "batch 1 comes first"
        assert hand_in(sent[0]) == 200
        assert desk.store.blob(blobs.Blobs().commit(sent[0])) == sent[0]
    with pytest.raises(ChainError, match="data_withheld"):
        desk.catch_up()
    file = tmp_path / "blob"
    file.write_bytes(sent[1])
    arguments = ["--set", f"deployment={desk.settings.deployment}", "--set", f"redis_url={desk.settings.redis_url}"]
    assert main(["watcher", "blob", str(file), *arguments]) == 0
    assert desk.execute_all() == 4
    file.write_bytes(b"no blob")
    assert main(["watcher", "blob", str(file), *arguments]) != 0
    assert main(["watcher", "blob", str(tmp_path / "none"), *arguments]) != 0
