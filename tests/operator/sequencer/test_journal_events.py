"""The log's bytes: every commit reads back as it was written, and damage is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setoff.operator.sequencer.journal_events import (
    Closed,
    JournalEvent,
    Opened,
    Recorded,
    Rerun,
    Reset,
    decode_events,
    encode_events,
)
from setoff.shared.codec.records import MESSAGE_BYTES, RECORD_BYTES
from setoff.shared.errors import DataError

BODIES = st.binary(min_size=RECORD_BYTES, max_size=RECORD_BYTES)
MESSAGES = st.binary(min_size=MESSAGE_BYTES, max_size=MESSAGE_BYTES)
EVENTS = st.lists(
    st.one_of(
        st.builds(
            Opened, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.lists(MESSAGES, max_size=3).map(tuple)
        ),
        st.builds(Recorded, BODIES),
        st.builds(Rerun, BODIES),
        st.builds(Reset, st.integers(0, 2**64 - 1)),
        st.builds(Closed, st.binary(min_size=32, max_size=32)),
    ),
    max_size=6,
)


@given(EVENTS)
def test_reads_back_what_was_written(events: list[JournalEvent]) -> None:
    assert list(decode_events(encode_events(events))) == events


@given(EVENTS.filter(bool), st.data())
def test_notices_a_cut_entry(events: list[JournalEvent], data: st.DataObject) -> None:
    whole = encode_events(events)
    boundaries = {len(encode_events(events[:count])) for count in range(len(events) + 1)}
    cut = data.draw(st.integers(1, len(whole)).filter(lambda size: size not in boundaries))
    with pytest.raises(DataError):
        list(decode_events(whole[:cut]))


def test_notices_an_unknown_event() -> None:
    with pytest.raises(DataError):
        list(decode_events(b"\7" + bytes(200)))
