"""Trees of bitmap words, beside a set of numbers that says the same."""

from random import Random

import pytest

from setoff.shared.rules import bitmaps
from setoff.shared.rules.bitmaps import END, WORD_BITS, find_best, find_next, find_word, get_best_bit, mark, unmark
from setoff.shared.state import keys
from setoff.shared.state.store import State

TREE = keys.holder_tree(7)
BORDERS = (0, 1, 255, 256, 65_535, 65_536, 131_071, 2**20, 15 << 20 | 9, END - 1)


def make_tree(numbers: set[int]) -> State:
    state = State()
    for number in numbers:
        mark(state, TREE, number)
    return state


def list_words(state: State) -> list[tuple[int, int]]:
    """Every word from the first number on, as a sweep reads them."""
    found, first = [], 0
    while (read := find_word(state, TREE, first))[1]:
        found.append(read)
        first = min(read[0] + WORD_BITS, END)
    assert read == (END, 0)
    return found


def group(numbers: set[int]) -> list[tuple[int, int]]:
    words: dict[int, int] = {}
    for number in numbers:
        base = number // WORD_BITS * WORD_BITS
        words[base] = words.get(base, 0) | 1 << number - base
    return sorted(words.items())


@pytest.mark.parametrize("seed", range(8))
def test_numbers_are_found_as_they_are_marked_and_unmarked(seed: int) -> None:
    draw = Random(seed)
    numbers = {draw.choice((*BORDERS, draw.randrange(END), draw.randrange(600))) for _ in range(40)}
    state = make_tree(numbers)
    while numbers:
        assert list_words(state) == group(numbers)
        for is_highest_first in (True, False):
            best = max if is_highest_first else min
            assert find_best(state, TREE, is_highest_first) == best(numbers)
            number = draw.choice(sorted(numbers))
            behind = {each for each in numbers if (each < number if is_highest_first else each > number)}
            assert find_next(state, TREE, number, is_highest_first) == best(behind, default=0)
        gone = draw.choice(sorted(numbers))
        numbers.remove(gone)
        unmark(state, TREE, gone)
    state.commit()
    assert not dict(state.tree.items())  # nothing is left of an empty tree


def test_a_tree_touches_no_more_words_than_it_needs() -> None:
    state = make_tree({3, 300, END - 1})
    state.commit()
    for first, touched in ((0, 2), (256, 2), (512, 4), (END - WORD_BITS, 2), (END, 0)):
        find_word(state, TREE, first)
        assert len(state.touched) == touched, first
        state.commit()


def test_trees_of_markets_sides_and_holders_have_no_word_in_common() -> None:
    trees = [keys.holder_tree(market) for market in (1, 2, keys.MAX_MARKET)]
    trees += [keys.level_tree(market, side) for market in (1, keys.MAX_MARKET) for side in range(4)]
    words = [keys.bitmap_key(tree, depth, number) for tree in trees for depth in range(3) for number in (0, END - 1)]
    assert len(set(words)) == len(trees) * (1 + 2 + 2)
    assert all(word >> keys.BODY_BITS in (keys.BITMAP, keys.HOLDERS) for word in words)


@pytest.mark.parametrize(("word", "highest", "lowest"), [(1, 0, 0), (1 << 255, 255, 255), (1 << 255 | 6, 255, 1)])
def test_the_best_bit_is_the_highest_or_the_lowest(word: int, highest: int, lowest: int) -> None:
    assert get_best_bit(word, True) == highest
    assert get_best_bit(word, False) == lowest


def test_the_bits_behind_one_are_lower_or_higher() -> None:
    assert bitmaps.mask_behind(0b1110, 2, True) == 0b0010
    assert bitmaps.mask_behind(0b1110, 2, False) == 0b1000
    assert bitmaps.mask_behind(2**256 - 1, 255, False) == bitmaps.mask_behind(2**256 - 1, 0, True) == 0
