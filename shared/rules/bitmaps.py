"""Trees of bitmap words: 2**24 numbers, three words deep. Twin: ``contracts/rules/bitmaps.vy``.

Any number is marked, or the next one found, in a few words. One shape for two: the ticks of a side that have a level,
and the accounts that hold something in a market. A bit of the lowest words stands for a number, a bit above for a word
below that is not empty.
"""

from __future__ import annotations

from typing import Final

from setoff.shared.state import keys
from setoff.shared.state.store import State

WORD_BITS: Final = 256
END: Final = 2**24
"""The number behind the last one of a tree."""


def mark(state: State, tree: int, number: int) -> None:
    """Set the bit of `number`. Leaves: its words, from the lowest to the top."""
    for depth in (2, 1, 0):
        bitmap = state.bitmap(tree, depth, number)
        bitmap.word |= 1 << keys.bitmap_bit(depth, number)


def unmark(state: State, tree: int, number: int) -> None:
    """Clear the bit of `number`; a word that becomes empty is unmarked in the one above. Leaves: as `mark`."""
    is_empty = True
    for depth in (2, 1, 0):
        bitmap = state.bitmap(tree, depth, number)
        if is_empty:
            bitmap.word &= ~(1 << keys.bitmap_bit(depth, number))
            is_empty = bitmap.word == 0


def find_best(state: State, tree: int, is_highest_first: bool) -> int:
    """The highest or lowest number of a tree, 0 if it is empty.

    Leaves: words from the top to the lowest (only the top if it is empty).
    """
    number = 0
    for depth in (0, 1, 2):
        word = state.bitmap(tree, depth, number).word
        if word == 0:
            break
        number |= get_best_bit(word, is_highest_first) << (16 - 8 * depth)
    return number


def find_next(state: State, tree: int, number: int, is_highest_first: bool) -> int:
    """The number behind `number` in that order, 0 if there is none.

    Leaves: words from the lowest up to the first with a bit behind, and down again to that number's.
    """
    for depth in (2, 1, 0):
        word = mask_behind(state.bitmap(tree, depth, number).word, keys.bitmap_bit(depth, number), is_highest_first)
        if word:
            found = (number >> (24 - 8 * depth) << 8 | get_best_bit(word, is_highest_first)) << (16 - 8 * depth)
            for below in range(depth + 1, 3):
                word = state.bitmap(tree, below, found).word
                found |= get_best_bit(word, is_highest_first) << (16 - 8 * below)
            return found
    return 0


def find_word(state: State, tree: int, first: int) -> tuple[int, int]:
    """The first of the lowest words from number `first` on (a multiple of WORD_BITS) that is not empty.

    Returns the number of its lowest bit's place and the word; (END, 0) if there is none. Leaves: the middle word of
    `first` if it is below END, the top word if nothing is left in that, then the middle word found there; and the word.
    """
    if first >= END:
        return END, 0
    bit = keys.bitmap_bit(1, first)
    middle = first >> 16
    word = state.bitmap(tree, 1, first).word >> bit << bit
    if word == 0:
        word = mask_behind(state.bitmap(tree, 0, first).word, middle, False)
        if word == 0:
            return END, 0
        middle = get_best_bit(word, False)
        word = state.bitmap(tree, 1, middle << 16).word
    base = (middle << 8 | get_best_bit(word, False)) << 8
    return base, state.bitmap(tree, 2, base).word


def mask_behind(word: int, bit: int, is_highest_first: bool) -> int:
    """The bits of `word` behind `bit`: lower ones where the highest is first, else higher ones."""
    return word & ((1 << bit) - 1) if is_highest_first else word >> (bit + 1) << (bit + 1)


def get_best_bit(word: int, is_highest_first: bool) -> int:
    """Number of the highest or the lowest bit; word != 0."""
    return word.bit_length() - 1 if is_highest_first else (word & -word).bit_length() - 1
