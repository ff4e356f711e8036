"""The index of who holds something: written for states that are made up, read, and checked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache

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


def list_entered(words: Mapping[int, int]) -> list[tuple[int, int]]:
    """(market, account) of everybody who is entered, in order, by the lowest words alone."""
    entered: list[tuple[int, int]] = []
    for key, word in sorted(words.items()):
        market, depth, number = (key & _BODY) >> 18, key >> 16 & 3, (key & 0xFFFF) * WORD_BITS
        while word and depth == 2:
            entered.append((market, number + (word & -word).bit_length() - 1))
            word &= word - 1
    return entered


@lru_cache(256)  # what is marked stays as it is over most steps
def expect_words(marked: frozenset[tuple[int, int]]) -> Mapping[int, int]:
    """The bitmap words, by key, in which exactly these (tree, number) are marked.

    A bit above stands for a word below that is not empty.
    """
    words: defaultdict[int, int] = defaultdict(int)
    for tree, number in marked:
        for depth in range(3):
            words[keys.bitmap_key(tree, depth, number)] |= 1 << keys.bitmap_bit(depth, number)
    return dict(words)


def check_holders(words: Mapping[int, int], held: set[tuple[int, int]], settled: set[int], regs: Registers) -> None:
    """Who holds something is entered, or is about to be; `held`: (market, account) of every position with lots.

    What a sweep or a ranking has read is still so. A settled market has no holders once the work is done.
    """
    entered = set(list_entered(words))
    markets = {market for market, _ in entered}
    assert all(1 <= market <= keys.MAX_MARKET for market in markets)
    assert regs.sweeping or regs.has_work or markets.isdisjoint(settled)
    assert expect_words(frozenset((keys.holder_tree(market), account) for market, account in entered)) == words
    assert held - entered <= {(regs.market, enrol - 1) for enrol in (regs.enrol, regs.enrol_next) if enrol}
    for word, end, market in (
        (regs.sweep_word, regs.sweep_end, regs.trigger_market),
        (regs.rank_word, regs.rank_end, regs.market),
    ):
        if word:
            read = words.get(keys.bitmap_key(keys.holder_tree(market), 2, end - WORD_BITS), 0)
            assert word & ~read == 0
