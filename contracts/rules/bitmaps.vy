# pragma version 0.4.3
"""
@title Trees of bitmap words: 2**24 numbers, three words deep
@license MIT
@notice Any number is marked, or the next one found, in a few words. One shape for two: the ticks of a side that have a level,
        and the accounts that hold something in a market. A bit of the lowest words stands for a number, a bit above for a
        word below that is not empty. Twin: `shared/rules/bitmaps.py`. Where Python changes words in place, these functions
        return the values of the witness; where it looks for a number, they also return how many leaves that took.
"""

from rules import levels
from rules import phases
from state import keys
from state import leaves
from state import store

WORD_BITS: constant(uint256) = 256
# The number behind the last one of a tree.
END: constant(uint256) = 2**24


@internal
@pure
def mark(
    w: store.Witness, place: uint256, tree: uint256, number: uint256
) -> DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]:
    """
    @notice Set the bit of `number`. Leaves, from `place` on: its words, from the lowest to the top.
    """
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    for i: uint256 in range(3):
        depth: uint256 = 2 - i
        bitmap: leaves.Bitmap = store.bitmap(w, place + i, tree, depth, number)
        bitmap.word |= 1 << keys.bitmap_bit(depth, number)
        values[place + i] = leaves.encode_bitmap(bitmap)
    return values


@internal
@pure
def unmark(
    w: store.Witness, place: uint256, tree: uint256, number: uint256
) -> DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES]:
    """
    @notice Clear the bit of `number`; a word that becomes empty is unmarked in the one above. Leaves: as `mark`.
    """
    values: DynArray[Bytes[leaves.ACCOUNT_BYTES], phases.MAX_LEAVES] = w.values
    is_empty: bool = True
    for i: uint256 in range(3):
        depth: uint256 = 2 - i
        bitmap: leaves.Bitmap = store.bitmap(w, place + i, tree, depth, number)
        if is_empty:
            bitmap.word &= ~(1 << keys.bitmap_bit(depth, number))
            is_empty = bitmap.word == 0
            values[place + i] = leaves.encode_bitmap(bitmap)
    return values


@internal
@pure
def find_best(w: store.Witness, place: uint256, tree: uint256, is_highest_first: bool) -> (uint256, uint256):
    """
    @return The highest or lowest number of a tree, 0 if it is empty.
            Leaves, from `place` on: words from the top to the lowest (only the top if it is empty).
    """
    number: uint256 = 0
    touched: uint256 = 0
    for depth: uint256 in range(3):
        word: uint256 = store.bitmap(w, place + touched, tree, depth, number).word
        touched += 1
        if word == 0:
            break
        number |= self.get_best_bit(word, is_highest_first) << (16 - 8 * depth)
    return number, touched


@internal
@pure
def find_next(
    w: store.Witness, place: uint256, tree: uint256, number: uint256, is_highest_first: bool
) -> (uint256, uint256):
    """
    @return The number behind `number` in that order, 0 if there is none.
            Leaves, from `place` on: words from the lowest up to the first with a bit behind, and down again to that
            number's.
    """
    touched: uint256 = 0
    for i: uint256 in range(3):
        depth: uint256 = 2 - i
        word: uint256 = store.bitmap(w, place + touched, tree, depth, number).word
        word = self.mask_behind(word, keys.bitmap_bit(depth, number), is_highest_first)
        touched += 1
        if word != 0:
            best: uint256 = self.get_best_bit(word, is_highest_first)
            found: uint256 = (number >> (24 - 8 * depth) << 8 | best) << (16 - 8 * depth)
            for below: uint256 in range(depth + 1, 3, bound=2):
                word = store.bitmap(w, place + touched, tree, below, found).word
                touched += 1
                found |= self.get_best_bit(word, is_highest_first) << (16 - 8 * below)
            return found, touched
    return 0, touched


@internal
@pure
def find_word(w: store.Witness, tree: uint256, first: uint256) -> (uint256, uint256, uint256):
    """
    @return The first of the lowest words from number `first` on (a multiple of WORD_BITS) that is not empty: the number of
            its lowest bit's place and the word; (END, 0) if there is none.
            Leaves: the middle word of `first` if it is below END, the top word if nothing is left in that, then the middle
            word found there; and the word.
    """
    if first >= END:
        return END, 0, 0
    bit: uint256 = keys.bitmap_bit(1, first)
    middle: uint256 = first >> 16
    word: uint256 = store.bitmap(w, 0, tree, 1, first).word >> bit << bit
    touched: uint256 = 1
    if word == 0:
        word = self.mask_behind(store.bitmap(w, 1, tree, 0, first).word, middle, False)
        if word == 0:
            return END, 0, 2
        middle = self.get_best_bit(word, False)
        word = store.bitmap(w, 2, tree, 1, middle << 16).word
        touched = 3
    base: uint256 = (middle << 8 | self.get_best_bit(word, False)) << 8
    return base, store.bitmap(w, touched, tree, 2, base).word, touched + 1


@internal
@pure
def mask_behind(word: uint256, bit: uint256, is_highest_first: bool) -> uint256:
    """
    @return The bits of `word` behind `bit`: lower ones where the highest is first, else higher ones.
    """
    if is_highest_first:
        return word & ((1 << bit) - 1)
    # A shift by 256, behind the highest bit, leaves nothing.
    return word >> (bit + 1) << (bit + 1)


@internal
@pure
def get_best_bit(word: uint256, is_highest_first: bool) -> uint256:
    """
    @return Number of the highest or the lowest bit; word != 0.
    """
    if is_highest_first:
        return levels._highest_bit(word)
    return levels._lowest_bit(word)
