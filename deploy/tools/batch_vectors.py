"""The vectors of batches: headers, data roots with proofs, batches read back from their data, the queue, epochs; and
which data is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import RECORD_BYTES
from setoff.shared.machine.batch import Batch, Header, epoch_hash, extend_queue_hash
from setoff.shared.machine.blobs import BLOBS, ELEMENT, MODULUS, PER_RECORD, USED
from setoff.shared.machine.data import CALLDATA, RECORDS_PER_PAGE, ZERO, DataModule, data_root, prove_record

_POOL: Final = 40
FEW: Final = 3
"""How many records a batch has that is read back: each stands in the file."""


def build_batches(batches: Sequence[Batch]) -> dict[str, Any]:
    """The document."""
    pool = [record for batch in batches for record in batch.records]
    queue_hash, queue = ZERO, []
    for message in (message for batch in batches for message in batch.messages):
        queue_hash = extend_queue_hash(queue_hash, message)
        queue.append({"message": message, "queue_hash": queue_hash})
    last = batches[-1].header.hash()
    return {
        "headers": [{**name_words(batch.header), "hash": batch.header.hash()} for batch in batches],
        "records": pool[:_POOL],
        "data_roots": [list_proofs(pool[:count]) for count in (0, 1, 7, 8, 9, 17, 33, 40)],
        "blobs": [list_blob_proofs(pool[:count]) for count in (1, 40)],
        "read": [show(*each) for each in list_read(pool[:FEW])],
        "queue": queue,
        "epochs": [
            {"epoch": e, "batches": n, "last": last, "hash": epoch_hash(e, n, last)} for e, n in ((0, 7), (7, 1))
        ],
    }


def list_proofs(records: Sequence[bytes]) -> dict[str, Any]:
    """The data root of records in calldata, and proofs of a few."""
    joined, count = b"".join(records), len(records)
    proofs = []
    for index in sorted({0, count // 2, count - 1} & set(range(count))):
        record_page, siblings = prove_record(joined, index)
        number = index // RECORDS_PER_PAGE
        proofs.append({"index": index, "record_page_number": number, "record_page": record_page, "siblings": siblings})
    return {"record_count": count, "data_root": data_root(joined), "proofs": proofs}


def list_blob_proofs(records: Sequence[bytes]) -> dict[str, Any]:
    """The data root of records in a blob, and proofs of the first and the last."""
    count, blob = len(records), BLOBS.encode(b"".join(records))
    proofs = [{"index": i, "record_page": BLOBS.prove(blob, count, i)[0]} for i in sorted({0, count - 1})]
    return {"record_count": count, "data_root": BLOBS.commit(blob), "proofs": proofs}


# --- read back --------------------------------------------------------------------------------------------------------


def list_read(records: Sequence[bytes]) -> Iterator[tuple[str, Header, bytes, Sequence[bytes]]]:
    """Name, header, data and records of batches without messages."""
    joined = b"".join(records)
    blob = BLOBS.encode(joined)
    for name, module, data, of_them in (
        ("in calldata", CALLDATA, joined, records),
        ("in calldata, none", CALLDATA, b"", ()),
        ("in a blob", BLOBS, blob, records),
        ("in a blob whose elements have first bytes", BLOBS, fill_first(blob), records),
        ("in a blob that goes on behind the last", BLOBS, fill_end(blob), records),
        ("in a blob that holds one more", BLOBS, blob, records[:-1]),
        ("in a blob that nothing was put into, all zeros", BLOBS, bytes(len(blob)), [bytes(RECORD_BYTES)] * 2),
        ("in a blob, none", BLOBS, b"", ()),
    ):
        yield name, make_header(module, data, len(of_them)), data, of_them


def list_unreadable(records: Sequence[bytes]) -> Iterator[dict[str, Any]]:
    """Batches without messages that do not fit their data; each is a good one but for the one thing its name says."""
    joined = b"".join(records)
    blob = BLOBS.encode(joined)
    plain, packed = (make_header(module, data, len(records)) for module, data in ((CALLDATA, joined), (BLOBS, blob)))
    too_large, order = b"\xff" * ELEMENT, MODULUS.to_bytes(ELEMENT, "big")
    end = len(blob) - ELEMENT
    others = (records[1], records[0], *records[2:])
    for name, header, data, shown in (
        ("in calldata: a byte less", plain, joined[:-1], records),
        ("in calldata: a byte more", plain, joined + b"\0", records),
        ("in calldata: a record less", plain, joined[:-RECORD_BYTES], records[:-1]),
        ("in calldata: a record more", plain, joined + records[0], (*records, records[0])),
        ("in calldata: no data", plain, b"", ()),
        ("in calldata: data and no records", make_header(CALLDATA, b"", 0), joined, ()),
        ("in calldata: a blob", plain, blob, records),
        ("in a blob: a byte less", packed, blob[:-1], records),
        ("in a blob: a byte more", packed, blob + b"\0", records),
        ("in a blob: no data", packed, b"", ()),
        ("in a blob: the records alone", packed, joined, records),
        ("in a blob: data and no records", make_header(BLOBS, b"", 0), blob, ()),
        ("in a blob: a record more than fits", replace(packed, record_count=1025), blob, records),
        ("in a blob: an element that is no number of the field", packed, blob[:end] + too_large, records),
        ("in a blob: an element that is the order of the field", packed, blob[:end] + order, records),
        ("in a blob: first bytes of elements that the root does not have", packed, fill_first(blob), records),
        ("in a blob: bytes behind the last record that the root does not have", packed, fill_end(blob), records),
        ("in a blob: other records beside it", packed, blob, others),
    ):
        yield {**show(name, header, data, shown, is_proven=False), "reason": "data_mismatch"}


def make_header(module: DataModule, data: bytes, record_count: int) -> Header:
    """The header of a batch 0 with nothing but these records."""
    return Header(ZERO, 0, 0, 0, 0, 0, record_count, module.number, module.commit(data) if data else ZERO, ZERO)


def fill_first(blob: bytes) -> bytes:
    """The blob with something in the first bytes of those elements that records use; numbers of the field still."""
    end = FEW * PER_RECORD * ELEMENT
    elements = (blob[at : at + ELEMENT] for at in range(0, end, ELEMENT))
    return b"".join(bytes([1 + number]) + element[1:] for number, element in enumerate(elements)) + blob[end:]


def fill_end(blob: bytes) -> bytes:
    """The blob with something behind its records."""
    return blob[:-USED] + keccak(b"behind the last record")[:USED]


def name_words(header: Header) -> dict[str, Any]:
    """The words of a header by name."""
    return {name: getattr(header, name) for name in sorted(header.__slots__)}


def find_parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """What is not zero: runs of whole words of 32 bytes, each with its first byte."""
    start = None
    for at in range(0, len(data) + ELEMENT, ELEMENT):
        if data[at : at + ELEMENT].strip(b"\0"):
            start = at if start is None else start
        elif start is not None:
            yield start, data[start:at]
            start = None


def show(name: str, header: Header, data: bytes, records: Sequence[bytes], *, is_proven: bool = True) -> dict[str, Any]:
    """An entry; of data what is not zero stands in it, as (first byte, bytes)."""
    proofs = []
    if is_proven and records:
        batch = Batch.read(header, (), data, CALLDATA if header.module == CALLDATA.number else BLOBS)
        record_page, siblings = batch.prove(len(records) - 1)
        proofs = [{"index": len(records) - 1, "record_page": record_page, "siblings": siblings}]
    return {
        "name": name,
        "header": name_words(header),
        "size": len(data),
        "parts": list(find_parts(data)),
        "records": records,
        **({"proofs": proofs} if is_proven else {}),
    }
