"""Holders: who has a position in a market, so that a change of its price visits them and nobody else.

Twin: ``contracts/rules/holders.vy``. Each market has a tree of bitmap words over all accounts (`bitmaps.py`). Whose
position opens is entered by the steps that follow at once. Whose position closes stays entered until the next sweep of
the market finds nothing there: one visit more, paid for by the trades that opened and closed it.
"""

from __future__ import annotations

from setoff.shared.rules import phases
from setoff.shared.rules.bitmaps import END, WORD_BITS, find_word, get_best_bit, mark, unmark
from setoff.shared.state import keys
from setoff.shared.state.registers import Registers
from setoff.shared.state.store import State


def enrol(regs: Registers, account: int) -> None:
    """Have the account entered among the holders of the market in the registers before anything else happens.

    Two at most: both sides of a fill.
    """
    if regs.phase != phases.ENROL:
        regs.enrol_phase = regs.phase
        regs.phase = phases.ENROL
    regs.enrol_next = regs.enrol
    regs.enrol = account + 1


def step_enrol(regs: Registers, state: State) -> None:
    """Enter one account among the holders of its market. Leaves: bitmap words from the lowest to the top."""
    mark(state, keys.holder_tree(regs.market), regs.enrol - 1)
    regs.enrol = regs.enrol_next
    regs.enrol_next = 0
    if regs.enrol == 0:
        regs.phase = regs.enrol_phase
        regs.enrol_phase = 0


def step_strike(regs: Registers, state: State) -> None:
    """Take the account under the sweep, which holds nothing, out of the market's holders, and go on.

    Leaves: bitmap words from the lowest to the top.
    """
    unmark(state, keys.holder_tree(regs.trigger_market), get_visited(regs.sweep_end, regs.sweep_word))
    regs.sweep_word = pass_visited(regs.sweep_word)
    regs.phase = phases.WORK


def step_gather(regs: Registers, state: State) -> None:
    """Read the next word of holders: of the market in liquidation for a ranking, else of the one under the sweep.

    Without one the ranking ends, or the sweep does.
    Leaves: as `bitmaps.find_word`.
    """
    regs.phase = phases.WORK
    if regs.ranking:
        base, regs.rank_word = find_word(state, keys.holder_tree(regs.market), regs.rank_end)
        regs.rank_end = min(base + WORD_BITS, END)
        if regs.rank_word == 0:
            end_ranking(regs)
    else:
        base, regs.sweep_word = find_word(state, keys.holder_tree(regs.trigger_market), regs.sweep_end)
        regs.sweep_end = min(base + WORD_BITS, END)
        if regs.sweep_word == 0:
            regs.sweeping = 0


def end_ranking(regs: Registers) -> None:
    """Turn to those ranked."""
    regs.ranking = 0
    if regs.ranked0 == 0:
        # Nobody is on the other side who could be deleveraged: the account stays as it is. Sizes sum to zero, so no
        # trace leads here; but a step has to end in every state, and a ranking that is begun anew would not.
        regs.deleveraging = 0
        regs.skip_account = 1


def get_visited(end: int, word: int) -> int:
    """The account to visit next: that of the lowest bit of `word`, whose last bit is of the account before `end`."""
    return end - WORD_BITS + get_best_bit(word, False)


def pass_visited(word: int) -> int:
    """Who is left of `word` after that visit."""
    return word & (word - 1)
