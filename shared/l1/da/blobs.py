"""Blobs: carried by the posting transaction, and read from wherever they still are: one's own archive, the node, a
beacon node, other watchers.

Consensus nodes drop blobs after some weeks (4096 epochs, 18 days on mainnet), execution nodes never have them but for
development chains. Nobody has to be trusted: a blob is the one asked for if its commitment has the versioned hash that
L1 keeps, and whatever has another is passed over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from setoff.shared.errors import ChainError, ConfigError, DataError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.da.module import DataAvailability, DataPlaces, Posting
from setoff.shared.l1.endpoint import Refused
from setoff.shared.l1.inbox import PostedBatch, encode_post_data
from setoff.shared.l1.rpc import Address
from setoff.shared.l1.session import ONCE, open_session, read_whole
from setoff.shared.l1.sidecar import MAX_BLOBS, Sidecar
from setoff.shared.machine import blobs
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.blobs import BLOB_BYTES, commit, hash_commitment
from setoff.shared.wire.json_text import read_json

PEER_PATH: Final = "/v1/blobs/0x"
"""Where a watcher serves the blob of a versioned hash, as its bytes."""

ARCHIVE: Final = "the archive"
TIMEOUT: Final = 10.0
"""Seconds for one request."""
SLOT_SECONDS: Final = 12
"""Seconds of a slot on mainnet, for a beacon node that does not say."""
MAX_ANSWER: Final = 1 << 23
"""Bytes of JSON that a beacon node may send: more than all blobs of a block."""

POSTING_GAS: Final = 200_000
BATCH_GAS: Final = 50_000
"""Gas of a posting, and of each batch in it, at most. The first posting of all, which fills empty storage, takes
184,460; a batch beside it 32,000."""

log = logging.getLogger(__name__)


def check_blob(blob: bytes, versioned_hash: bytes) -> bool:
    """Whether this is the blob of that hash. Takes a twentieth of a second."""
    try:
        return len(blob) == BLOB_BYTES and hash_commitment(commit(blob)) == versioned_hash
    except DataError:
        return False


class BlobSource:
    """Reads the blobs of batches; see `DataSource`."""

    def __init__(self, l1: L1, places: DataPlaces) -> None:
        """Raises ConfigError for a place that is no URL."""
        for url in (places.beacon_url, *places.peers):
            if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
                raise ConfigError("bad_config", "beacon_url, peers: must be http(s) URLs")
        self._l1 = l1
        self._places = places
        self._beacon = places.beacon_url.rstrip("/")
        self._peers = tuple(peer.rstrip("/") for peer in places.peers)
        self._slots: tuple[int, int] | None = None
        self._node_has_blobs = True

    def read(self, posted: PostedBatch) -> bytes:
        """The blob of a batch, checked. Raises ChainError("data_withheld") if nobody asked has it."""
        versioned_hash = posted.header.data_root
        tried: list[str] = []
        for name, ask in self._list_places(versioned_hash, posted.block_number):
            try:
                for blob in ask():
                    if check_blob(blob, versioned_hash):
                        if name != ARCHIVE:
                            self._places.keep(versioned_hash, blob)
                        return blob
                    log.warning("%s gave another blob than 0x%s", name, versioned_hash.hex())
                tried.append(f"{name} has it not")
            except (requests.RequestException, ValueError, KeyError, TypeError, ChainError) as error:
                tried.append(f"{name}: {type(error).__name__}")
        raise ChainError(
            "data_withheld",
            f"blob 0x{versioned_hash.hex()} of batch {posted.header.number} is nowhere to be had ({'; '.join(tried)})",
        )

    def _list_places(self, versioned_hash: bytes, block: int) -> Iterator[tuple[str, Callable[[], Iterator[bytes]]]]:
        yield ARCHIVE, lambda: self._ask_archive(versioned_hash)
        yield "the node", lambda: self._ask_node(versioned_hash)
        if self._beacon:
            yield "the beacon node", lambda: self._ask_beacon(versioned_hash, block)
        for number, peer in enumerate(self._peers, start=1):
            yield f"peer {number}", lambda peer=peer: _ask_peer(peer, versioned_hash)  # type: ignore[misc]

    def _ask_archive(self, versioned_hash: bytes) -> Iterator[bytes]:
        if (blob := self._places.kept(versioned_hash)) is not None:
            yield blob

    def _ask_node(self, versioned_hash: bytes) -> Iterator[bytes]:
        """Development nodes keep blobs themselves."""
        if not self._node_has_blobs:
            return
        try:
            found = self._l1.request("anvil_getBlobByHash", "0x" + versioned_hash.hex())
        except Refused:
            self._node_has_blobs = False  # no such call: it is another kind of node
            return
        if found is not None:
            yield bytes.fromhex(str(found).removeprefix("0x"))

    def _ask_beacon(self, versioned_hash: bytes, block: int) -> Iterator[bytes]:
        """`GET /eth/v1/beacon/blobs/{block_id}` of the standard beacon API; the block's time tells its slot."""
        found = self._l1.block(block)
        genesis, seconds = self._read_slots()
        slot = (found.timestamp - genesis) // seconds
        answer = _get_json(
            f"{self._beacon}/eth/v1/beacon/blobs/{slot}", {"versioned_hashes": "0x" + versioned_hash.hex()}
        )
        for blob in answer["data"]:
            yield bytes.fromhex(str(blob).removeprefix("0x"))

    def _read_slots(self) -> tuple[int, int]:
        """Genesis time and seconds a slot."""
        if self._slots is None:
            genesis = int(_get_json(f"{self._beacon}/eth/v1/beacon/genesis")["data"]["genesis_time"])
            try:
                seconds = int(_get_json(f"{self._beacon}/eth/v1/config/spec")["data"]["SECONDS_PER_SLOT"])
            except (requests.HTTPError, KeyError):
                seconds = SLOT_SECONDS
            self._slots = genesis, seconds
        return self._slots


def _ask_peer(peer: str, versioned_hash: bytes) -> Iterator[bytes]:
    with open_session() as session:
        answer = session.get(f"{peer}{PEER_PATH}{versioned_hash.hex()}", timeout=TIMEOUT, **ONCE)
        if answer.status_code == requests.codes.not_found:
            return
        answer.raise_for_status()
        yield read_whole(answer, BLOB_BYTES)


def _get_json(url: str, params: dict[str, str] | None = None) -> dict[str, Any]:
    with open_session() as session:
        answer = session.get(url, params=params, timeout=TIMEOUT, **ONCE)
        answer.raise_for_status()
        found = read_json(read_whole(answer, MAX_ANSWER))
    if not isinstance(found, dict):
        raise ValueError("the answer is no object")
    return found


def make_posting(l1: L1, inbox: Address, batches: Sequence[Batch]) -> Posting:
    """The inbox's `post_data` that carries a blob for each batch with records, in their order."""
    carried = [batch.module_data for batch in batches if batch.records]
    told = [place.to_bytes(32, "big") for place in range(len(carried))]
    data = encode_post_data([batch.header for batch in batches], told)
    if not carried:
        return Posting(data)
    return Posting(data, Sidecar.of(carried), POSTING_GAS + BATCH_GAS * len(batches))


BLOBS: Final = DataAvailability(
    "blobs", blobs.BLOBS, "da/blobs", BlobSource, make_posting, batch_limit=MAX_BLOBS, load=blobs.load_setup
)
