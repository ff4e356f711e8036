"""The index of who holds something: written for states that are made up, read, and checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from setoff.shared.rules.bitmaps import WORD_BITS, mark
from setoff.shared.state import keys, leaves
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State

_BODY = 2**keys.BODY_BITS - 1


def enter_holders(state: State) -> None:
    """Enter every position of a state whose accounts were written by hand."""
    state.commit()
    for key, value in list(state.tree.items()):
        if key >> keys.BODY_BITS == keys.ACCOUNT:
            for position in leaves.decode_account(value).positions:
                if position.size:
                    mark(state, keys.holder_tree(position.market), key & _BODY)
    state.commit()


def read_words(items: Iterable[tuple[int, bytes]]) -> dict[int, int]:
    """The bitmap words of all holders, by key."""
    return {key: leaves.decode_bitmap(value).word for key, value in items if key >> keys.BODY_BITS == keys.HOLDERS}


def list_holders(words: Mapping[int, int], market: int) -> list[int]:
    """Accounts entered among the holders of a market, by the lowest words alone."""
    lowest = keys.bitmap_key(keys.holder_tree(market), 2, 0)
    return [
        (key - lowest) * WORD_BITS + bit
        for key, word in sorted(words.items())
        if lowest <= key < lowest + 2**16
        for bit in range(WORD_BITS)
        if word >> bit & 1
    ]


def check_holders(words: Mapping[int, int], held: set[tuple[int, int]], settled: set[int], regs: Registers) -> None:
    """Who holds something is entered, or is about to be; `held`: (market, account) of every position with lots.

    A bit above stands for a word below that is not empty. What a sweep or a ranking has read is still so. A settled
    market has no holders once the work is done.
    """
    pending = {(regs.market, enrol - 1) for enrol in (regs.enrol, regs.enrol_next) if enrol}
    expected: dict[int, int] = {}
    entered: set[tuple[int, int]] = set()
    for market in range(1, keys.MAX_MARKET + 1):
        holders = list_holders(words, market)
        entered |= {(market, account) for account in holders}
        assert not holders or market not in settled or regs.sweeping or regs.has_work
        for account in holders:
            for depth in range(3):
                key = keys.bitmap_key(keys.holder_tree(market), depth, account)
                expected[key] = expected.get(key, 0) | 1 << keys.bitmap_bit(depth, account)
    assert expected == words
    assert held - entered <= pending
    for word, end, market in (
        (regs.sweep_word, regs.sweep_end, regs.trigger_market),
        (regs.rank_word, regs.rank_end, regs.market),
    ):
        if word:
            read = words.get(keys.bitmap_key(keys.holder_tree(market), 2, end - WORD_BITS), 0)
            assert word & ~read == 0
