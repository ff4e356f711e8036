"""Blob transactions on a real chain, and blobs read back: from a node, a beacon node, a peer, an archive, or nobody."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.support.chains.exchange import Exchange

from setoff.deploy.devnet.anvil import Anvil
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.errors import ChainError, ConfigError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.da.blobs import BlobSource
from setoff.shared.l1.da.module import DataPlaces
from setoff.shared.l1.endpoint import Refused
from setoff.shared.l1.sender import Fees
from setoff.shared.l1.sidecar import MAX_BLOBS, Sidecar
from setoff.shared.machine import blobs
from setoff.shared.machine.blobs import BLOBS

MAXIMAL = 1024
Answer = Callable[[str], tuple[int, bytes]]


pytestmark = pytest.mark.xdist_group("blobs")


@pytest.fixture
def anvil(blob_anvil: Anvil) -> Anvil:
    return blob_anvil


def records(count: int, seed: int = 0) -> list[bytes]:
    return [seed.to_bytes(4, "big") + number.to_bytes(4, "big") * 30 for number in range(count)]


class ForgetfulNode(L1):
    """A node that never had any blobs, as execution nodes are."""

    def request(self, method: str, *params: Any) -> Any:
        if method.startswith("anvil_getBlob"):
            raise Refused("rpc_unreachable", "the method does not exist")
        return super().request(method, *params)


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """An HTTP server that answers paths; its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def beacon(held: dict[int, list[bytes]], genesis: int, path: str) -> tuple[int, bytes]:
    """A beacon node with these blobs by slot, as the standard API has it."""
    url = urlsplit(path)
    if url.path == "/eth/v1/beacon/genesis":
        return 200, json.dumps({"data": {"genesis_time": str(genesis)}}).encode()
    if url.path == "/eth/v1/config/spec":
        return 200, json.dumps({"data": {"SECONDS_PER_SLOT": "6"}}).encode()
    slot = int(url.path.removeprefix("/eth/v1/beacon/blobs/"))
    wanted = parse_qs(url.query)["versioned_hashes"]
    found = [blob for blob in held.get(slot, []) if "0x" + blobs.Blobs().commit(blob).hex() in wanted]
    return (200, json.dumps({"data": ["0x" + blob.hex() for blob in found]}).encode()) if found else (404, b"{}")


def peer(held: dict[str, bytes], path: str) -> tuple[int, bytes]:
    body = held.get(path.removeprefix("/v1/blobs/0x"))
    return (404, b"") if body is None else (200, body)


def test_several_batches_in_one_transaction_are_read_back(exchange: Exchange) -> None:
    traffic = SampleTraffic()
    exchange.deposit(1, 500)
    batches = [[traffic.transfer(1, 2, 5)], [], records(MAXIMAL, 3), records(1, 4)]
    receipt, sent = exchange.post_blobs(0, *batches, messages=1)
    assert receipt.succeeded and len(sent) == 3 and receipt.gas_used < 500_000
    reader = ChainReader(exchange.anvil.l1, exchange.deployment)
    for number, bodies in enumerate(batches):
        batch = reader.batch(number)
        assert batch.records == tuple(bodies) and batch.header.module == BLOBS.number
        assert len(batch.messages) == (number == 0)
        assert batch.header.first_record == sum(map(len, batches[:number]))
    exchange.post(4, 0, records(2))
    assert reader.batch(4).header.first_record == sum(map(len, batches))


def test_a_batch_larger_than_a_blob_is_refused(exchange: Exchange) -> None:
    with pytest.raises(ValueError, match="room"):
        exchange.post_blobs(0, records(MAXIMAL + 1))
    with pytest.raises(ValueError, match="blobs"):
        Sidecar.of([blobs.pack(b"")] * (MAX_BLOBS + 1))
    with pytest.raises(ValueError, match="blobs"):
        Sidecar.of([])


def test_blob_transactions_are_replaced_at_doubled_fees_with_the_same_blobs(anvil: Anvil) -> None:
    l1 = anvil.connect(5, fees=Fees(patience=0.0))
    anvil.l1.request("evm_setAutomine", False)
    try:
        sidecar = Sidecar.of([blobs.pack(b"records")])
        first = l1.send(bytes(19) + b"\5", sidecar=sidecar, gas=100_000)
        before = l1.request("eth_getTransactionByHash", "0x" + first.hex())
        l1.tend()
        (second,) = {kept.hashes[-1] for kept in l1.sender._kept.values()}
        after = l1.request("eth_getTransactionByHash", "0x" + second.hex())
        assert before is not None and after is not None and second != first
        assert after["blobVersionedHashes"] == before["blobVersionedHashes"] == ["0x" + sidecar.hashes[0].hex()]
        for fee in ("maxFeePerGas", "maxPriorityFeePerGas", "maxFeePerBlobGas"):
            assert int(after[fee], 16) >= 2 * int(before[fee], 16)
    finally:
        anvil.l1.request("evm_setAutomine", True)
    anvil.mine()
    assert l1.wait(first).succeeded


def test_blobs_wait_when_their_gas_is_dearer_than_the_cap(anvil: Anvil) -> None:
    l1 = anvil.connect(6, fees=Fees(blob_cap=1, patience=0.0))
    anvil.l1.request("evm_setAutomine", False)
    try:
        l1.send(bytes(19) + b"\5", sidecar=Sidecar.of([blobs.pack(b"records")]), gas=100_000)
        l1.tend()
        (kept,) = l1.sender._kept.values()
        assert kept.blob_fee == 1 and len(kept.hashes) == 1
    finally:
        anvil.l1.request("evm_setAutomine", True)
    anvil.mine()


def test_reads_blobs_from_wherever_they_are(exchange: Exchange) -> None:
    exchange.post_blobs(0, records(5), records(9, 1))
    node = ForgetfulNode(exchange.anvil.url)
    reader = ChainReader(exchange.anvil.l1, exchange.deployment)
    posted, _ = reader.batches(0, exchange.anvil.l1.head().number)
    data = blobs.pack(b"".join(records(5)))
    block = exchange.anvil.l1.block(posted.block_number)
    assert block is not None
    genesis = block.timestamp - 6 * 77 - 2
    versioned_hash = posted.header.data_root.hex()
    wrong = blobs.pack(b"".join(records(9, 1)))

    with pytest.raises(ChainError, match="data_withheld") as nobody:
        BlobSource(node, DataPlaces()).read(posted)
    assert versioned_hash in nobody.value.detail
    assert BlobSource(node, DataPlaces(kept=lambda _: data)).read(posted) == data
    with serving(partial(beacon, {77: [wrong, data]}, genesis)) as url:
        assert BlobSource(node, DataPlaces(url + "/")).read(posted) == data
        through_beacon = ChainReader(node, exchange.deployment, DataPlaces(url))
        assert through_beacon.batch(1).records == tuple(records(9, 1))
        with pytest.raises(ChainError, match="data_withheld"):
            BlobSource(node, DataPlaces("http://127.0.0.1:9", ["http://127.0.0.1:9"])).read(posted)
    liars: list[Answer] = [
        partial(peer, {versioned_hash: wrong}),
        partial(peer, {versioned_hash: data[:-1]}),
        partial(peer, {versioned_hash: b"\xff" * blobs.BLOB_BYTES}),
        partial(peer, {versioned_hash: data + bytes(1 << 20)}),
        partial(peer, {}),
        lambda path: (500, b"broken"),
    ]
    with serving(partial(peer, {versioned_hash: data})) as honest:
        for liar in liars:
            with serving(liar) as url:
                with pytest.raises(ChainError, match="data_withheld"):
                    BlobSource(node, DataPlaces(peers=[url])).read(posted)
                assert BlobSource(node, DataPlaces(url, [url, honest], lambda _: wrong)).read(posted) == data


def test_places_that_are_no_urls_are_refused(anvil: Anvil) -> None:
    for urls in (("ftp://somewhere", []), ("", ["nowhere"])):
        with pytest.raises(ConfigError, match="bad_config"):
            BlobSource(anvil.l1, DataPlaces(*urls))
