"""The leg pages of a bulk record: made from legs, read, and checked against the record that signs them."""

from __future__ import annotations

from collections.abc import Sequence

from setoff.shared.codec import records
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import Leg
from setoff.shared.errors import InputError
from setoff.shared.rules import phases


def make_leg_pages(legs: Sequence[Leg]) -> tuple[bytes, tuple[bytes, ...]]:
    """The leg pages of a bulk record, 124 bytes each, in order; and before them the hash that it signs (32 bytes).

    Raises InputError("malformed_record") if there are no legs, or more than fit on phases.MAX_LEG_PAGES pages, or for a
    fill-or-kill order, which is passed over as a leg.
    """
    if not 1 <= len(legs) <= phases.MAX_LEG_PAGES * records.LEGS_PER_PAGE:
        raise InputError(
            "malformed_record", f"a bulk record has 1 to {phases.MAX_LEG_PAGES * records.LEGS_PER_PAGE} legs"
        )
    if any(not leg.flags & records.CANCEL_LEG and leg.flags & records.TIME_IN_FORCE == records.FOK for leg in legs):
        raise InputError("malformed_record", "a fill-or-kill order is a record of its own, not a leg of a bulk record")
    leg_pages: list[bytes] = []
    following = bytes(32)
    for start in reversed(range(0, len(legs), records.LEGS_PER_PAGE)):
        leg_pages.append(records.encode_leg_page(legs[start : start + records.LEGS_PER_PAGE], following))
        following = keccak(leg_pages[-1])
    return following, tuple(reversed(leg_pages))


def read_legs(leg_pages: Sequence[bytes]) -> list[Leg]:
    """The legs of a bulk record's pages, without the empty ones at the end."""
    packed = b"".join(leg_page[1 : 1 + records.LEGS_PER_PAGE * records.LEG_BYTES] for leg_page in leg_pages)
    legs = [
        records.decode_leg(int.from_bytes(packed[start : start + records.LEG_BYTES], "big"))
        for start in range(0, len(packed), records.LEG_BYTES)
    ]
    while legs and not any(legs[-1]):
        legs.pop()
    return legs


def check_leg_pages(record: bytes, leg_pages: Sequence[bytes]) -> None:
    """Check that these are the pages of a record: all that a bulk record signs, none for any other.

    Raises InputError("wrong_leg_page").
    """
    expected = records.decode_bulk(record).leg_pages if record[0] == records.BULK else bytes(32)
    if len(leg_pages) > phases.MAX_LEG_PAGES:
        raise InputError("wrong_leg_page", f"a bulk record has at most {phases.MAX_LEG_PAGES} pages here")
    start = 1 + records.LEGS_PER_PAGE * records.LEG_BYTES
    for number, leg_page in enumerate(leg_pages):
        if len(leg_page) != records.RECORD_BYTES or leg_page[0] != records.LEG_PAGE:
            raise InputError("wrong_leg_page", f"page {number} is no page of {records.RECORD_BYTES} bytes")
        if keccak(leg_page) != expected:
            raise InputError("wrong_leg_page", f"page {number} is not the one that the record or the page before names")
        expected = leg_page[start : start + 32]
    if expected != bytes(32):
        raise InputError("wrong_leg_page", f"a page that the record or page {len(leg_pages) - 1} names is missing")
